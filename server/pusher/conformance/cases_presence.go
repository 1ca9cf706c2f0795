package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// roster is the member list that a joining member of a presence channel gets.
type roster struct {
	Presence struct {
		IDs   []string                   `json:"ids"`
		Hash  map[string]json.RawMessage `json:"hash"`
		Count int                        `json:"count"`
	} `json:"presence"`
}

// join enters a presence channel and returns its roster, which must be consistent.
func (s *socket) join(channel, channelData string) roster {
	s.ask(channel, s.auth(channel, channelData), channelData)
	return s.joined(channel)
}

func (s *socket) joined(channel string) roster {
	f := s.read("pusher_internal:subscription_succeeded")
	var r roster
	if err := json.Unmarshal([]byte(s.text(f)), &r); err != nil || f.Channel != channel {
		s.x.failf("got %s, %v; want the roster of %s", f, err, channel)
	}
	if p := r.Presence; p.Count != len(p.IDs) || p.Count != len(p.Hash) {
		s.x.failf("count, ids and hash do not agree: %s", f)
	}
	return r
}

// here expects exactly these members, with the info of each as JSON.
func (s *socket) here(r roster, want map[string]string) {
	for id, info := range want {
		got, in := r.Presence.Hash[id]
		if !in || !slices.Contains(r.Presence.IDs, id) || !sameJSON(string(got), info) {
			s.x.failf("the roster %s does not have %s as %s", jsonOf(r), id, info)
		}
	}
	if len(want) != r.Presence.Count {
		s.x.failf("the roster %s has %d members, want %d", jsonOf(r), r.Presence.Count, len(want))
	}
}

// member expects member_added or member_removed of this user.
func (s *socket) member(event, channel, id, info string) {
	f := s.read("pusher_internal:" + event)
	var m struct {
		ID   json.RawMessage `json:"user_id"`
		Info json.RawMessage `json:"user_info"`
	}
	if err := json.Unmarshal([]byte(s.text(f)), &m); err != nil || f.Channel != channel || string(m.ID) != jsonOf(id) {
		s.x.failf("got %s, %v; want %s of the user %q on %s", f, err, event, id, channel)
	}
	if info != "" && !sameJSON(string(m.Info), info) {
		s.x.failf("got %s, want user_info %s", f, info)
	}
}

const (
	userA = `{"user_id":"A","user_info":{"name":"NA"}}`
	userB = `{"user_id":"B","user_info":{"name":"NB"}}`
	infoA = `{"name":"NA"}`
	infoB = `{"name":"NB"}`
)

func presenceCases() []Case {
	return []Case{
		{Name: "join", Feature: Core,
			Rule: "A joiner gets the roster with itself in it as a string: ids, hash and count; events arrive.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("presence-")
				s.here(s.join(channel, userA), map[string]string{"A": infoA})
				x.publish(channel, "e", "x")
				s.event(channel, "e", "x")
			}},
		{Name: "member_added", Feature: Core, Rule: "The others get member_added as a string; the joiner gets none of itself.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				b.here(b.join(channel, userB), map[string]string{"A": infoA, "B": infoB})
				a.member("member_added", channel, "B", infoB)
				b.silence("nobody is told of its own coming")
			}},
		{Name: "member_removed", Feature: Core, Rule: "Unsubscribing is told to the others as member_removed.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				b.join(channel, userB)
				a.member("member_added", channel, "B", infoB)
				b.leave(channel)
				a.member("member_removed", channel, "B", "")
				b.silence("who left hears nothing")
				a.here(a.again(channel, userA), map[string]string{"A": infoA})
			}},
		{Name: "connection gone", Feature: Core, Rule: "A connection that ends, with a close frame or without, leaves all its channels at once.",
			run: func(x *exchange) {
				a, channel := x.connect(), x.name("presence-")
				a.join(channel, userA)
				for _, polite := range []bool{true, false} {
					b := x.connect()
					b.join(channel, userB)
					a.member("member_added", channel, "B", infoB)
					if polite {
						b.bytes(rawFrame{first: final(opClose), payload: []byte{0x03, 0xE8}}.encode())
						b.closedWith(1000)
					}
					_ = b.w.conn.Close()
					a.member("member_removed", channel, "B", "")
				}
			}},
		{Name: "bad signatures", Feature: Core, Rule: "The signature must cover channel_data; nobody is added without.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				for what, try := range map[string]struct{ auth, data string }{
					"no signature":                 {"", userB},
					"a signature of other data":    {b.auth(channel, userA), userB},
					"a signature without the data": {b.auth(channel, ""), userB},
				} {
					b.ask(channel, try.auth, try.data)
					b.refused(what)
				}
				a.silence("nobody came")
			}},
		{Name: "no channel_data", Feature: Core, Rule: "Without channel_data and without a signed-in user nobody is added.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("presence-")
				for _, data := range []string{"", "{}", `{"user_info":{}}`, `{"user_id":""}`, `{"user_id":null}`, `{"user_id":[1]}`, "[]", "x"} {
					s.ask(channel, s.auth(channel, data), data)
					s.refused("channel_data " + data)
				}
			}},
	}
}

// again leaves and joins, which is how to see the roster.
func (s *socket) again(channel, channelData string) roster {
	s.leave(channel)
	return s.join(channel, channelData)
}

func memberCases() []Case {
	return []Case{
		{Name: "number as user_id", Feature: Core, Rule: "A number as user_id is taken, and is a string from there on.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				b.here(b.join(channel, `{"user_id":10,"user_info":{"name":"NB"}}`), map[string]string{"A": infoA, "10": infoB})
				a.member("member_added", channel, "10", infoB)
				b.leave(channel)
				a.member("member_removed", channel, "10", "")
			}},
		{Name: "one user on two sockets", Feature: Core,
			Rule: "ids are unique and count is of users; the second socket is not told as member_added, and only the last one's leaving as member_removed.",
			run: func(x *exchange) {
				a, b, b2, channel := x.connect(), x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				b.join(channel, userB)
				a.member("member_added", channel, "B", infoB)
				b2.here(b2.join(channel, userB), map[string]string{"A": infoA, "B": infoB})
				a.silence("the user is here already")
				b.leave(channel)
				b.silence("unsubscribing has no answer")
				a.silence("the user is here still")
				b2.leave(channel)
				a.member("member_removed", channel, "B", "")
			}},
		{Name: "user_info stays", Feature: Core, Rule: "user_info is what the user's first socket said, until the last one left.",
			run: func(x *exchange) {
				a, a2, b, channel := x.connect(), x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				other := `{"user_id":"A","user_info":{"name":"other"}}`
				a2.here(a2.join(channel, other), map[string]string{"A": infoA})
				b.here(b.join(channel, userB), map[string]string{"A": infoA, "B": infoB})
			}},
		{Name: "no user_info", Feature: Core, Rule: "user_info may be absent.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				r := b.join(channel, `{"user_id":"C"}`)
				if info := string(r.Presence.Hash["C"]); r.Presence.Count != 2 || info != "null" && info != "{}" && info != `""` {
					x.failf("the roster is %s", jsonOf(r))
				}
				a.member("member_added", channel, "C", "")
			}},
		{Name: "succeeded before events", Feature: Core,
			Rule: "A joiner gets its roster before any member event, and both together make the true list.",
			run: func(x *exchange) {
				channel := x.name("presence-")
				var all []*socket
				for i := range 10 {
					s := x.connect()
					data := fmt.Sprintf(`{"user_id":"U%d"}`, i)
					s.ask(channel, s.auth(channel, data), data)
					all = append(all, s)
				}
				for _, s := range all {
					seen := map[string]bool{}
					for _, id := range s.joined(channel).Presence.IDs {
						seen[id] = true
					}
					for len(seen) < len(all) {
						var m struct {
							ID string `json:"user_id"`
						}
						f := s.read("pusher_internal:member_added")
						if err := json.Unmarshal([]byte(s.text(f)), &m); err != nil || seen[m.ID] {
							x.failf("%s came though the user was here already", f)
						}
						seen[m.ID] = true
					}
				}
			}},
		{Name: "100 members, not 101", Feature: Core, Rule: "A presence channel has at most 100 members; the next is refused in band.",
			run: func(x *exchange) {
				channel := x.name("presence-")
				for i := range 100 {
					x.connect().join(channel, fmt.Sprintf(`{"user_id":"U%d"}`, i))
				}
				s, data := x.connect(), `{"user_id":"U100"}`
				s.ask(channel, s.auth(channel, data), data)
				s.refused("the 101st member")
				if r := s.join(channel, `{"user_id":"U99"}`); r.Presence.Count != 100 {
					x.failf("count is %d", r.Presence.Count)
				}
			}},
		{Name: "user_id of 127, 128, 129 bytes", Feature: Core, Rule: "user_id has at most 128 characters.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("presence-")
				for _, n := range []int{127, 128} {
					id := strings.Repeat("u", n)
					s.here(s.again(channel, `{"user_id":"`+id+`","user_info":1}`), map[string]string{id: "1"})
				}
				s.leave(channel)
				data := `{"user_id":"` + strings.Repeat("u", 129) + `"}`
				s.ask(channel, s.auth(channel, data), data)
				s.refused("a user_id of 129 characters")
			}},
		{Name: "user object of 1 KB", Feature: Core, Rule: "user_info of 1,000 bytes is taken, of 1,100 refused: the limit is 1 KB.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("presence-")
				info := func(n int) string { return `"` + strings.Repeat("i", n-2) + `"` }
				s.join(channel, `{"user_id":"A","user_info":`+info(1000)+`}`)
				s.leave(channel)
				data := `{"user_id":"A","user_info":` + info(1100) + `}`
				s.ask(channel, s.auth(channel, data), data)
				s.refused("user_info of 1,100 bytes")
			}},
	}
}
