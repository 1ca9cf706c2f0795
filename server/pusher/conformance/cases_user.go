package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// signIn sends pusher:signin for this user_data.
func (s *socket) signIn(userData string) {
	s.send("pusher:signin", map[string]string{"auth": s.app.Key + ":" + mac(s.app.Secret, s.id+"::user::"+userData), "user_data": userData})
}

// signedIn checks signin_success.
func (s *socket) signedIn(f frame, userData string) {
	var ok struct {
		UserData *string `json:"user_data"`
	}
	if s.object(f, &ok); ok.UserData == nil || *ok.UserData != userData {
		s.x.failf("got %s, want user_data %q", f, userData)
	}
}

// user opens a socket that is signed in as id and watches others.
func (x *exchange) user(id string, watchlist ...string) *socket {
	s := x.connect()
	data := map[string]any{"id": id, "user_info": map[string]string{"name": "N" + id}}
	if len(watchlist) > 0 {
		data["watchlist"] = watchlist
	}
	s.signIn(jsonOf(data))
	s.read("pusher:signin_success")
	return s
}

func signinCases() []Case {
	return []Case{
		{Name: "success", Feature: Signin, basic: true,
			Rule: "A signature of socket_id::user::user_data is answered with pusher:signin_success, an object whose user_data is the string as it was sent.",
			run: func(x *exchange) {
				s, data := x.connect(), `{"id":"`+x.name("")+`", "user_info":{"name":"ü"}}`
				s.signIn(data)
				s.signedIn(s.sign("pusher:signin_success"), data)
			}},
		{Name: "bad signatures", Feature: Signin, Rule: "A wrong signature is answered with pusher:error; whether the connection goes on is not documented.",
			run: func(x *exchange) {
				data := `{"id":"` + x.name("") + `"}`
				for what, auth := range map[string]func(s *socket) string{
					"no signature":                  func(*socket) string { return "" },
					"a channel's signature":         func(s *socket) string { return s.app.Key + ":" + mac(s.app.Secret, s.id+":"+data) },
					"a signature of another socket": func(s *socket) string { return s.app.Key + ":" + mac(s.app.Secret, "1.1::user::"+data) },
					"another key":                   func(s *socket) string { return "another:" + mac(s.app.Secret, s.id+"::user::"+data) },
				} {
					s := x.connect()
					s.send("pusher:signin", map[string]string{"auth": auth(s), "user_data": data})
					if f := s.next("pusher:error"); f.Event != "pusher:error" {
						x.failf("%s: got %s", what, f)
					}
				}
			}},
		{Name: "bad user_data", Feature: Signin, Rule: "user_data must be a JSON object with id, a string that is not empty.",
			run: func(x *exchange) {
				for _, data := range []string{"", "x", "[]", "{}", `{"id":""}`, `{"id":[1]}`, `{"id":null}`} {
					s := x.connect()
					s.signIn(data)
					if f := s.next("pusher:error"); f.Event != "pusher:error" {
						x.failf("user_data %q: got %s", data, f)
					}
				}
			}},
		{Name: "as somebody else", Feature: Signin, Rule: "Who is signed in cannot sign in as another.",
			run: func(x *exchange) {
				s := x.user(x.name(""))
				s.signIn(`{"id":"` + x.name("") + `"}`)
				if f := s.next("pusher:error"); f.Event != "pusher:error" {
					x.failf("got %s", f)
				}
			}},
		{Name: "presence without channel_data", Feature: Signin,
			Rule: "Who is signed in may enter a presence channel without channel_data, as the user of the sign-in with its user_info.",
			run: func(x *exchange) {
				id, channel := x.name(""), x.name("presence-")
				s := x.user(id)
				s.ask(channel, s.auth(channel, ""), "")
				s.here(s.joined(channel), map[string]string{id: `{"name":"N` + id + `"}`})
			}},
	}
}

func userCases() []Case {
	return []Case{
		{Name: "to all sockets of the user", Feature: Signin,
			Rule: "The channel #server-to-user-ID is confirmed without a signature for who is signed in as ID; events published there reach all the user's sockets and nobody else.",
			run: func(x *exchange) {
				id := x.name("")
				a, a2, b := x.user(id), x.user(id), x.user(x.name(""))
				for _, s := range []*socket{a, a2} {
					s.enter("#server-to-user-" + id)
				}
				x.publish("#server-to-user-"+id, "e", "x")
				for _, s := range []*socket{a, a2} {
					s.event("#server-to-user-"+id, "e", "x")
				}
				b.silence("the event is for another")
			}},
		{Name: "not for others", Feature: Signin, Rule: "Nobody enters the channel of another user, nor without a sign-in.",
			run: func(x *exchange) {
				id := x.name("")
				other, stranger := x.user(x.name("")), x.connect()
				for what, s := range map[string]*socket{"another user": other, "a stranger": stranger} {
					s.ask("#server-to-user-"+id, "", "")
					s.refused(what)
					s.ask("#server-to-user-"+id, s.auth("#server-to-user-"+id, ""), "")
					s.refused(what + " with a signature")
				}
			}},
		{Name: "other # channels", Feature: Signin, Rule: "Names that begin with # are reserved.",
			run: func(x *exchange) {
				s := x.user("1")
				for _, channel := range []string{"#other", "#server-to-user-", "#"} {
					s.ask(channel, "", "")
					s.refused(channel)
				}
			}},
	}
}

// watch expects watchlist_events about these users, in one or more messages.
func (s *socket) watch(f frame, name string, ids ...string) {
	left := slices.Clone(ids)
	for {
		var told struct {
			Events []struct {
				Name    string
				UserIDs []string `json:"user_ids"`
			}
		}
		if f.Event != "pusher_internal:watchlist_events" {
			s.x.failf("got %s, want watchlist_events about %v", f, left)
		}
		text := f.Data
		if len(text) > 0 && text[0] == '"' {
			text = json.RawMessage(s.text(f)) // pusher-js accepts a string, too
		}
		if err := json.Unmarshal(text, &told); err != nil || len(told.Events) == 0 {
			s.x.failf("got %s, %v", f, err)
		}
		for _, e := range told.Events {
			for _, id := range e.UserIDs {
				i := slices.Index(left, id)
				if e.Name != name || i < 0 {
					s.x.failf("got %s, want %s of %v", f, name, left)
				}
				left = slices.Delete(left, i, i+1)
			}
		}
		if len(left) == 0 {
			return
		}
		f = s.next("watchlist_events")
	}
}

func watchlistCases() []Case {
	return []Case{
		{Name: "online and offline", Feature: Watchlist, basic: true,
			Rule: "Who watches a user hears online in data.events when the user's first socket signs in, offline when the last one is gone.",
			run: func(x *exchange) {
				id, friend := x.name(""), x.name("")
				s := x.user(id, friend)
				a := x.user(friend)
				s.watch(s.sign("pusher_internal:watchlist_events"), "online", friend)
				b := x.user(friend)
				s.silence("the friend is online already")
				_ = a.w.conn.Close()
				b.silence("the other socket stays")
				s.silence("the friend is online still")
				_ = b.w.conn.Close()
				s.watch(s.next("watchlist_events"), "offline", friend)
			}},
		{Name: "already online", Feature: Watchlist, Rule: "At the sign-in, those of the watchlist who are online are told, no others.",
			run: func(x *exchange) {
				here, away, stranger := x.name(""), x.name(""), x.name("")
				x.user(here)
				x.user(stranger)
				s := x.user(x.name(""), here, away)
				s.watch(s.next("watchlist_events"), "online", here)
				s.silence("nobody else is here")
			}},
		{Name: "watched by nobody", Feature: Watchlist, Rule: "Who does not watch hears nothing.",
			run: func(x *exchange) {
				s := x.user(x.name(""))
				x.user(x.name(""))
				s.silence("there is no watchlist")
			}},
		{Name: "99, 100, 101 users", Feature: Watchlist, Rule: "Of more than 100 the first 100 are watched; signin_success comes, and pusher:error 4302.",
			run: func(x *exchange) {
				first, last := x.name(""), x.name("")
				x.user(first)
				x.user(last)
				for _, n := range []int{99, 100, 101} {
					list := []string{first}
					for i := range n - 2 {
						list = append(list, fmt.Sprint(first, i))
					}
					s := x.user(x.name(""), append(list, last)...)
					s.watchedOf(n, first, last)
				}
			}},
	}
}

// watchedOf checks the messages after a sign-in with n watched users, of whom the first
// and the last are online.
func (s *socket) watchedOf(n int, first, last string) {
	told := map[string]bool{}
	for _, f := range s.drain() {
		var c complaint
		if f.Event == "pusher:error" {
			if s.object(f, &c); c.Code == nil || *c.Code != 4302 {
				s.x.failf("got %s, want 4302", f)
			}
			told["error"] = true
			continue
		}
		for _, id := range []string{first, last} {
			told[id] = told[id] || strings.Contains(f.raw, id+`"`)
		}
	}
	if !told[first] || told[last] != (n <= 100) || told["error"] != (n > 100) {
		s.x.failf("with %d users: first told %v, last told %v, error 4302 %v", n, told[first], told[last], told["error"])
	}
}

func terminateCases() []Case {
	terminate := func(x *exchange, id string) *answer {
		return x.do(call{method: "POST", path: "/users/" + id + "/terminate_connections", body: "{}"})
	}
	return []Case{
		{Name: "all sockets of the user", Feature: Terminate, basic: true,
			Rule: "All sockets that are signed in as the user end with 4009, so that they do not come back; others stay.",
			run: func(x *exchange) {
				terminate(x, x.name("")).exists("a user who is not here") // before the sign-in, which may be missing, too
				id := x.name("")
				a, a2, b, c := x.user(id), x.user(id), x.user(x.name("")), x.connect()
				terminate(x, id).says("terminate_connections", "{}")
				a.closedWith(4009)
				a2.closedWith(4009)
				b.silence("it is another user")
				c.silence("it is nobody")
			}},
		{Name: "unsigned", Feature: Terminate, Rule: "Without a signature nobody is sent away.",
			run: func(x *exchange) {
				id := x.name("")
				s := x.user(id)
				x.do(call{method: "POST", path: "/users/" + id + "/terminate_connections", body: "{}", after: with("auth_signature", "0")}).is("no signature", 401)
				s.silence("the request was refused")
			}},
	}
}

func authTimeoutCases() []Case {
	return []Case{
		{Name: "who proves no user is closed", Feature: AuthTimeout, needs: needsTimeout, basic: true,
			Rule: "A socket that has neither signed in nor entered a private or presence channel in time is closed with 4009; those that have stay.",
			run: func(x *exchange) {
				app := x.target.Timeout
				private, presence, user := x.connectTo(app), x.connectTo(app), x.connectTo(app)
				private.enter(x.name("private-"))
				presence.join(x.name("presence-"), userA)
				user.signIn(`{"id":"` + x.name("") + `"}`)
				user.read("pusher:signin_success")
				public := x.connectTo(app)
				public.enter(x.name(""))
				x.patience *= 10
				public.closedWith(4009)
				private.silence("it is subscribed to a private channel")
				presence.silence("it is subscribed to a presence channel")
				user.silence("it is signed in")
			}},
	}
}
