package conformance

import "fmt"

func channelsCases() []Case {
	type list struct {
		Channels map[string]map[string]any `json:"channels"`
	}
	// listed requests the channels with a prefix.
	listed := func(x *exchange, params ...param) list {
		var l list
		x.get("/channels", params...).is("channels", 200).into(&l)
		return l
	}
	return []Case{
		{Name: "all", Feature: Channels, basic: true, Rule: "GET channels has an object of all occupied channels, {} for each.",
			run: func(x *exchange) {
				s, a, b := x.connect(), x.name(""), x.name("private-")
				x.get("/channels").exists("channels")
				s.enter(a)
				s.enter(b)
				l := listed(x)
				if got, in := l.Channels[a]; !in || len(got) > 0 {
					x.failf("the list is %s, without %s: {}", jsonOf(l), a)
				}
				if _, in := l.Channels[b]; !in {
					x.failf("the list is %s, without %s", jsonOf(l), b)
				}
				s.leave(a)
				s.silence("unsubscribing has no answer")
				if _, in := listed(x).Channels[a]; in {
					x.failf("a channel that nobody is subscribed to is listed")
				}
			}},
		{Name: "none", Feature: Channels, Rule: "Without a match the object is empty, and no list.",
			run: func(x *exchange) {
				x.get("/channels", param{"filter_by_prefix", x.name("")}).says("no match", `{"channels":{}}`)
			}},
		{Name: "filter_by_prefix", Feature: Channels, Rule: "filter_by_prefix has only what begins so, whatever characters it has.",
			run: func(x *exchange) {
				s, prefix := x.connect(), x.name("")+";a,b=@"
				s.enter(prefix + "1")
				s.enter(prefix + "2")
				s.enter(x.name(""))
				for _, escape := range []func(string) string{phpEscape, unescaped} {
					x.do(call{method: "GET", path: "/channels", params: []param{{"filter_by_prefix", prefix}}, escape: escape}).says("the list", `{"channels":{"`+prefix+`1":{},"`+prefix+`2":{}}}`)
				}
			}},
		{Name: "user_count", Feature: Channels, Rule: "info=user_count counts users, with a prefix of presence channels.",
			run: func(x *exchange) {
				a, a2, b, prefix := x.connect(), x.connect(), x.connect(), x.name("presence-")
				a.join(prefix+"1", userA)
				a2.join(prefix+"1", userA)
				b.join(prefix+"2", userB)
				a.join(prefix+"2", userA)
				x.get("/channels", param{"filter_by_prefix", prefix}, param{"info", "user_count"}).says("the list", `{"channels":{"`+prefix+`1":{"user_count":1},"`+prefix+`2":{"user_count":2}}}`)
			}},
		{Name: "user_count without a prefix", Feature: Channels, Rule: "info=user_count without a prefix of presence channels is 400.",
			run: func(x *exchange) {
				x.get("/channels", param{"info", "user_count"}).is("without a prefix", 400)
				x.get("/channels", param{"info", "user_count"}, param{"filter_by_prefix", "private-"}).is("another prefix", 400)
			}},
		{Name: "unsigned", Feature: Channels, Rule: "GET requests are signed too.",
			run: func(x *exchange) {
				x.do(call{method: "GET", path: "/channels", after: with("auth_signature", "0")}).is("the answer", 401)
				x.do(call{method: "GET", path: "/channels", after: with("filter_by_prefix", "a")}).is("a parameter that is not signed", 401)
			}},
	}
}

func channelCases() []Case {
	path := func(channel string) string { return "/channels/" + channel }
	return []Case{
		{Name: "vacant", Feature: Channels, Rule: `A channel that nobody is in is 200 with "occupied":false.`,
			run: func(x *exchange) {
				var info struct{ Occupied *bool }
				x.get(path(x.name(""))).is("a vacant channel", 200).into(&info)
				if info.Occupied == nil || *info.Occupied {
					x.failf("occupied is %s", jsonOf(info))
				}
			}},
		{Name: "occupied", Feature: Channels, Rule: `A channel that somebody is in has "occupied":true.`,
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")+"=@,.;"
				s.enter(channel)
				x.get(path(channel)).says("the channel", `{"occupied":true}`)
			}},
		{Name: "counts", Feature: Channels, Rule: "user_count has the users of a presence channel, subscription_count the sockets.",
			run: func(x *exchange) {
				a, a2, channel, public := x.connect(), x.connect(), x.name("presence-"), x.name("")
				a.join(channel, userA)
				a2.join(channel, userA)
				x.get(path(channel), param{"info", "user_count"}).says("user_count", `{"occupied":true,"user_count":1}`)
				x.get(path(channel), param{"info", "subscription_count,user_count"}).says("both", `{"occupied":true,"user_count":1,"subscription_count":2}`)
				a.enter(public)
				x.get(path(public), param{"info", "subscription_count"}).says("a public channel", `{"occupied":true,"subscription_count":1}`)
			}},
		{Name: "what does not apply", Feature: Channels, Rule: "user_count of a channel without users, cache of one without a cache, is 400.",
			run: func(x *exchange) {
				x.get(path(x.name("")), param{"info", "user_count"}).is("user_count", 400)
				x.get(path(x.name("private-")), param{"info", "user_count"}).is("user_count", 400)
				x.get(path(x.name("")), param{"info", "cache"}).is("cache", 400)
			}},
		{Name: "users", Feature: Channels, Rule: "GET users has each user of a presence channel once, ids as strings.",
			run: func(x *exchange) {
				a, a2, b, channel := x.connect(), x.connect(), x.connect(), x.name("presence-")
				x.get(path(channel)+"/users").says("nobody", `{"users":[]}`)
				a.join(channel, userA)
				a2.join(channel, userA)
				b.join(channel, `{"user_id":"10"}`)
				var got struct{ Users []struct{ ID string } }
				x.get(path(channel)+"/users").is("users", 200).into(&got)
				seen := map[string]bool{}
				for _, u := range got.Users {
					seen[u.ID] = true
				}
				if len(got.Users) != 2 || !seen["A"] || !seen["10"] {
					x.failf("the users are %s", fmt.Sprint(got.Users))
				}
			}},
		{Name: "users of other channels", Feature: Channels, Rule: "GET users of a channel that is no presence channel is 400.",
			run: func(x *exchange) {
				for _, prefix := range []string{"", "private-", "cache-"} {
					x.get(path(x.name(prefix))+"/users").is(prefix, 400)
				}
			}},
	}
}
