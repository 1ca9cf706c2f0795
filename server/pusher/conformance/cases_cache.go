package conformance

import (
	"encoding/json"
	"strings"
)

// cachePrefixes are the prefixes of cache channels.
var cachePrefixes = []string{"cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-"}

// visit enters a cache channel, with channel_data if it is a presence channel.
func (s *socket) visit(channel string) {
	if strings.HasPrefix(channel, "presence-") {
		s.join(channel, `{"user_id":"`+s.id+`"}`)
		return
	}
	s.enter(channel)
}

func cacheCases() []Case {
	cases := []Case{{Name: "cache_miss", Feature: Cache, basic: true,
		Rule: "Who subscribes to an empty cache channel gets pusher:cache_miss with the channel, after subscription_succeeded.",
		run: func(x *exchange) {
			s, channel := x.connect(), x.name("cache-")
			s.enter(channel)
			s.missed(s.sign("pusher:cache_miss"), channel)
		}}}
	for _, prefix := range cachePrefixes {
		feature := Cache
		cases = append(cases, Case{Name: prefix + ": miss and hit", Feature: feature,
			Rule: "The last event follows subscription_succeeded as an ordinary event, for every later subscriber; before there is one, cache_miss.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name(prefix)
				a.visit(channel)
				a.missed(a.read("pusher:cache_miss"), channel)
				x.publish(channel, "first", "1")
				x.publish(channel, "second", `{"n":2}`)
				a.event(channel, "first", "1")
				a.event(channel, "second", `{"n":2}`)
				b.visit(channel)
				b.event(channel, "second", `{"n":2}`)
				b.silence("only the last event is kept")
			}})
	}
	return append(cases, []Case{
		{Name: "published before anybody came", Feature: Cache, Rule: "An event is kept also when nobody is subscribed.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("cache-")
				x.publish(channel, "e", "x")
				s.enter(channel)
				s.event(channel, "e", "x")
			}},
		{Name: "kept when all left", Feature: Cache, Rule: "The event is kept when the last subscriber leaves.",
			run: func(x *exchange) {
				a, channel := x.connect(), x.name("cache-")
				a.enter(channel)
				a.missed(a.read("pusher:cache_miss"), channel)
				x.publish(channel, "e", "x")
				a.event(channel, "e", "x")
				a.leave(channel)
				a.enter(channel)
				a.event(channel, "e", "x")
			}},
		{Name: "excluded socket", Feature: Cache, Rule: "An event that spared a socket is kept for all, also for that one.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("cache-")
				x.post(map[string]string{"name": "e", "channel": channel, "data": "x", "socket_id": s.id}).is("publishing", 200)
				s.enter(channel)
				s.event(channel, "e", "x")
			}},
		{Name: "client events are not kept", Feature: Cache, Rule: "Only what is published over HTTP is kept.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("private-cache-")
				a.enter(channel)
				a.missed(a.read("pusher:cache_miss"), channel)
				b.enter(channel)
				b.missed(b.read("pusher:cache_miss"), channel)
				a.say(`{"event":"client-e","channel":"` + channel + `","data":{}}`)
				b.read("client-e")
				c := x.connect()
				c.enter(channel)
				c.missed(c.read("pusher:cache_miss"), channel)
			}},
		{Name: "bad signature", Feature: Cache, Rule: "private-cache- and presence-cache- channels need a signature.",
			run: func(x *exchange) {
				s := x.connect()
				for _, prefix := range cachePrefixes[1:] {
					channel := x.name(prefix)
					x.publish(channel, "e", "secret")
					s.ask(channel, "", userA)
					s.refused("no signature on " + prefix)
				}
			}},
		{Name: "info=cache", Feature: Cache, Rule: "GET channel with info=cache has data and ttl (1 to 1,800 s) of the kept event, and null without one.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("cache-")
				s.enter(channel)
				s.missed(s.read("pusher:cache_miss"), channel)
				var info struct {
					Cache *struct {
						Data string
						TTL  float64
					}
				}
				x.get("/channels/"+channel, param{"info", "cache"}).is("info=cache", 200).into(&info)
				if info.Cache != nil {
					x.failf("an empty cache is %s", jsonOf(info))
				}
				x.publish(channel, "e", "kept")
				x.get("/channels/"+channel, param{"info", "cache"}).is("info=cache", 200).into(&info)
				if info.Cache == nil || info.Cache.Data != "kept" || info.Cache.TTL < 1 || info.Cache.TTL > 1800 {
					x.failf("the cache is %s", jsonOf(info))
				}
				x.notef("ttl %v s", info.Cache.TTL)
			}},
	}...)
}

// missed checks a cache_miss.
func (s *socket) missed(f frame, channel string) {
	if f.Channel != channel || len(f.Data) > 0 && !json.Valid(f.Data) {
		s.x.failf("got %s, want cache_miss of %s", f, channel)
	}
}

func countCases() []Case {
	return []Case{
		{Name: "subscribing", Feature: SubscriptionCount, basic: true,
			Rule: "Subscribers get subscription_count as a string, with how many subscriptions the channel has, when it changes.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("")
				a.counts, b.counts = true, true
				a.enter(channel)
				a.counted(a.sign("pusher_internal:subscription_count"), channel)
				b.enter(channel)
				a.count(channel, 2)
				b.count(channel, 2)
			}},
		{Name: "unsubscribing", Feature: SubscriptionCount, Rule: "Also when somebody leaves, or is gone.",
			run: func(x *exchange) {
				a, b, c, channel := x.connect(), x.connect(), x.connect(), x.name("private-")
				a.enter(channel)
				b.enter(channel)
				c.enter(channel)
				a.drain()
				a.counts = true
				b.leave(channel)
				a.count(channel, 2)
				_ = c.w.conn.Close()
				a.count(channel, 1)
			}},
		{Name: "not on presence channels", Feature: SubscriptionCount, Rule: "Presence channels have member events instead.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("presence-")
				s.counts = true
				s.join(channel, userA)
				s.silence("presence channels are not counted")
			}},
	}
}

// count waits until the server reports this many subscriptions. A server may leave out
// counts that are already outdated.
func (s *socket) count(channel string, want int) {
	for s.counted(s.read("pusher_internal:subscription_count"), channel) != want {
	}
}

func (s *socket) counted(f frame, channel string) int {
	var c struct {
		N *int `json:"subscription_count"`
	}
	if err := json.Unmarshal([]byte(s.text(f)), &c); err != nil || f.Channel != channel || c.N == nil || *c.N < 1 {
		s.x.failf("got %s, want the count of %s", f, channel)
	}
	return *c.N
}
