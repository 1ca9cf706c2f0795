package conformance

import (
	"fmt"
	"strings"
)

// two subscribes two sockets to a new channel with this prefix.
func (x *exchange) two(prefix string) (a, b *socket, channel string) {
	a, b, channel = x.connect(), x.connect(), x.name(prefix)
	if strings.HasPrefix(prefix, "presence-") {
		a.join(channel, userA)
		b.join(channel, userB)
		a.member("member_added", channel, "B", infoB)
		return a, b, channel
	}
	a.enter(channel)
	b.enter(channel)
	return a, b, channel
}

// client sends a client event, with data as it is on the wire.
func (s *socket) client(channel, event, data string) {
	s.say(`{"event":` + jsonOf(event) + `,"channel":` + jsonOf(channel) + `,"data":` + data + `}`)
}

// relayed expects a client event with data as it was sent, and with its sender.
func (s *socket) relayed(f frame, channel, event, data, user string) {
	if f.Event != event || f.Channel != channel || !sameJSON(string(f.Data), data) || string(f.UserID) != user {
		s.x.failf("got %s, want %s on %s with data %s and user_id %s", f, event, channel, data, user)
	}
}

func clientEventCases() []Case {
	return []Case{
		{Name: "private channel", Feature: ClientEvents, basic: true,
			Rule: "A client event reaches the others of a private channel, data as it was sent: an object stays an object, a string a string.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-")
				a.client(channel, "client-typing", `{"h":1}`)
				b.relayed(b.sign("client-typing"), channel, "client-typing", `{"h":1}`, "")
				a.client(channel, "client-typing", `"text"`)
				b.relayed(b.read("client-typing"), channel, "client-typing", `"text"`, "")
			}},
		{Name: "no echo", Feature: ClientEvents, Rule: "The sender does not get its own event.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-")
				a.client(channel, "client-typing", "{}")
				b.read("client-typing")
				a.silence("nobody hears their own event")
			}},
		{Name: "presence channel", Feature: ClientEvents,
			Rule: "On presence channels the event has the sender's user_id, from the signed channel_data and not from the message.",
			run: func(x *exchange) {
				a, b, channel := x.two("presence-")
				a.client(channel, "client-typing", "{}")
				b.relayed(b.read("client-typing"), channel, "client-typing", "{}", `"A"`)
				b.say(`{"event":"client-typing","channel":"` + channel + `","data":{},"user_id":"forged"}`)
				a.relayed(a.read("client-typing"), channel, "client-typing", "{}", `"B"`)
			}},
		{Name: "only for members", Feature: ClientEvents, Rule: "Who is not subscribed, or no longer, cannot send; the attempt is answered in band or not at all.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-")
				x.connect().trySend(x, channel)
				b.silence("the sender is no subscriber")
				a.leave(channel)
				a.trySend(x, channel)
				b.silence("the sender has left")
			}},
		{Name: "not on public channels", Feature: ClientEvents, Rule: "Public channels have no client events.",
			run: func(x *exchange) {
				a, b, channel := x.two("")
				a.trySend(x, channel)
				b.silence("the channel is public")
			}},
		{Name: "encrypted channel", Feature: ClientEvents, Rule: "The protocol does not forbid them on encrypted channels: they are relayed or refused in band.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-encrypted-")
				a.client(channel, "client-typing", `{"h":1}`)
				refused := len(a.drain()) > 0
				x.notef("refused: %v", refused)
				if !refused {
					b.relayed(b.read("client-typing"), channel, "client-typing", `{"h":1}`, "")
				}
			}},
		{Name: "switched off", Feature: ClientEvents, needs: needsQuiet, Rule: "An app without client events relays none, and says so in band.",
			run: func(x *exchange) {
				app := x.target.App
				app.Key = x.target.QuietKey
				s := x.connectTo(app)
				s.client(x.name("private-"), "client-typing", "{}")
				s.refused("a client event")
			}},
	}
}

// trySend sends an event that must not arrive, and checks that every answer is an
// error.
func (s *socket) trySend(x *exchange, channel string) {
	s.client(channel, "client-forbidden", "{}")
	for _, f := range s.drain() {
		if f.Event != "pusher:error" {
			x.failf("got %s", f)
		}
		var c complaint
		s.object(f, &c)
	}
}

func clientLimitCases() []Case {
	return []Case{
		{Name: "rate", Feature: ClientEvents,
			Rule: "Of 30 events at once, 10 arrive; the others are answered in band with pusher:error 4301, and the connection goes on.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-")
				for i := range 30 {
					a.client(channel, "client-burst", fmt.Sprint(i))
				}
				rejected := 0
				for _, f := range a.drain() {
					var c complaint
					if s := a; f.Event == "pusher:error" {
						if s.object(f, &c); c.Code == nil || *c.Code != 4301 {
							x.failf("got %s, want code 4301", f)
						}
						rejected++
					}
				}
				for i := range 30 - rejected {
					b.relayed(b.read("client-burst"), channel, "client-burst", fmt.Sprint(i), "")
				}
				b.silence("the others were rejected")
				// A second or two may have passed while the burst was written.
				if rejected < 1 {
					x.failf("30 events at once were all taken")
				}
				x.notef("%d of 30 arrived", 30-rejected)
			}},
		{Name: "data of 9,999, 10,000, 10,001 bytes", Feature: ClientEvents, Rule: "data has at most 10,000 bytes; more is refused in band.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-")
				quoted := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
				for _, n := range []int{9999, 10_000} {
					a.client(channel, "client-e", quoted(n))
					b.relayed(b.read("client-e"), channel, "client-e", quoted(n), "")
				}
				a.client(channel, "client-e", quoted(10_003)) // over the limit with or without its quotes
				a.refused("data of 10,001 bytes")
				b.silence("it was refused")
			}},
		{Name: "name of 199, 200, 201 bytes", Feature: ClientEvents, Rule: "The name has at most 200 bytes.",
			run: func(x *exchange) {
				a, b, channel := x.two("private-")
				for _, n := range []int{199, 200} {
					name := "client-" + strings.Repeat("n", n-7)
					a.client(channel, name, "{}")
					b.read(name)
				}
				a.client(channel, "client-"+strings.Repeat("n", 201-7), "{}")
				a.refused("a name of 201 bytes")
				b.silence("it was refused")
			}},
		{Name: "wrong types", Feature: ClientEvents, Rule: "A channel that is no string or absent is answered in band.",
			run: func(x *exchange) {
				s := x.connect()
				for _, message := range []string{`{"event":"client-e","data":{}}`, `{"event":"client-e","channel":7,"data":{}}`, `{"event":"client-e","channel":["a"],"data":{}}`} {
					s.say(message)
					s.refused(message)
				}
			}},
	}
}
