package conformance

import (
	"errors"
	"fmt"
	"strings"
)

func publicCases() []Case {
	return []Case{
		{Name: "subscribe", Feature: Core,
			Rule: `A subscription is confirmed with subscription_succeeded, the channel, and the string "{}" as data, with "auth":"" and without auth.`,
			run: func(x *exchange) {
				s, a, b := x.connect(), x.name(""), x.name("")
				s.enter(a)
				s.send("pusher:subscribe", map[string]string{"channel": b})
				s.succeeded(b)
			}},
		{Name: "event", Feature: Core,
			Rule: "An event arrives with its channel and its data as the string that was published, JSON or not, to every subscriber.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("")
				a.enter(channel)
				b.enter(channel)
				for _, data := range []string{`{"some":"data"}`, "plain", "", "7", `"quoted"`, "null", "ü \u0001 </b> \u2028 😀 \\ \"\n"} {
					x.publish(channel, "some event", data)
					a.event(channel, "some event", data)
					b.event(channel, "some event", data)
				}
			}},
		{Name: "other channels", Feature: Core, Rule: "Who is not subscribed gets nothing.",
			run: func(x *exchange) {
				s, mine, other := x.connect(), x.name(""), x.name("")
				s.enter(mine)
				x.publish(other, "e", "x")
				x.publish(mine, "after", "x")
				s.event(mine, "after", "x")
			}},
		{Name: "unsubscribe", Feature: Core, Rule: "Unsubscribing has no answer and ends the delivery; subscribing again begins it.",
			run: func(x *exchange) {
				s, channel, other := x.connect(), x.name(""), x.name("")
				s.enter(channel)
				s.enter(other)
				s.leave(channel)
				s.silence("unsubscribing has no answer")
				x.publish(channel, "lost", "x")
				x.publish(other, "after", "x")
				s.event(other, "after", "x")
				s.enter(channel)
				x.publish(channel, "again", "x")
				s.event(channel, "again", "x")
			}},
		{Name: "unsubscribe without a subscription", Feature: Core, Rule: "Unsubscribing from what one is not subscribed to is no mistake.",
			run: func(x *exchange) {
				s := x.connect()
				s.leave(x.name(""))
				s.silence("it is as it should be already")
			}},
		{Name: "subscribe twice", Feature: Core, Rule: "Who is subscribed already gets each event once.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				s.ask(channel, "", "")
				for _, f := range s.drain() {
					x.notef("the second is answered with %s", f.Event)
				}
				x.publish(channel, "e", "x")
				x.publish(channel, "after", "x")
				s.event(channel, "e", "x")
				s.event(channel, "after", "x")
			}},
		{Name: "subscribe, unsubscribe, subscribe", Feature: Core, Rule: "Messages of one socket are done in their order.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.ask(channel, "", "")
				s.leave(channel)
				s.ask(channel, "", "")
				s.succeeded(channel)
				s.succeeded(channel)
				x.publish(channel, "e", "x")
				s.event(channel, "e", "x")
				s.silence("the event was published once")
			}},
		{Name: "order", Feature: Core, Rule: "Events of one publisher arrive in their order, none lost, none twice.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				for i := range 50 {
					x.publish(channel, "e", fmt.Sprint(i))
				}
				for i := range 50 {
					s.event(channel, "e", fmt.Sprint(i))
				}
			}},
		{Name: "many channels", Feature: Core, Rule: "A connection may have many channels.",
			run: func(x *exchange) {
				s, name := x.connect(), x.name("")
				for i := range 200 {
					s.enter(fmt.Sprint(name, i))
				}
			}},
		{Name: "10,000 subscribes", Feature: Core, Rule: "Each is answered, with success or a refusal in band, until the connection is over some limit and is closed with a code that lets it come back.",
			run: func(x *exchange) { x.subscribeUntil(10_000) }},
		{Name: "prefixes end with a dash", Feature: Core,
			Rule: "privateer, presence and x-private- are public channels.",
			run: func(x *exchange) {
				s := x.connect()
				for _, prefix := range []string{"privateer", "presence", "private", "cached", "x-private-", "Private-"} {
					s.enter(x.name(prefix))
				}
			}},
		{Name: "socket that does not read", Feature: Core, Rule: "A subscriber that never reads does not hold the others up.",
			run: func(x *exchange) {
				s, idle, channel := x.connect(), x.connect(), x.name("")
				idle.enter(channel)
				s.enter(channel)
				data := strings.Repeat("x", 9000)
				for range 100 {
					x.publish(channel, "e", data)
					s.event(channel, "e", data)
				}
			}},
	}
}

// subscribeUntil subscribes to n channels, a hundred at a time, or until the server
// refuses more.
func (x *exchange) subscribeUntil(n int) {
	s, name, taken := x.connect(), x.name(""), 0
	for i := range n {
		s.ask(fmt.Sprint(name, "-", i), "", "")
		if i%100 != 99 {
			continue
		}
		for answered := 0; answered < 100; {
			f, err := s.await()
			var end *closed
			switch {
			case errors.As(err, &end) && end.code >= 4100 && end.code < 4300:
				x.notef("%d taken, then %v", taken, end)
				x.connect().silence("the server goes on")
				return
			case err != nil:
				x.failf("after %d subscriptions: %v", taken, err)
			case f.Event == "pusher_internal:subscription_succeeded":
				taken++
				answered++
			case f.Event == "pusher:error":
				answered++
			case f.Event != "pusher:subscription_error":
				x.failf("got %s", f)
			}
		}
	}
	x.notef("%d taken", taken)
	for _, f := range s.drain() {
		if f.Event != "pusher:subscription_error" { // it may come after the last pusher:error
			x.failf("got %s, and all is answered", f)
		}
	}
}

func privateCases() []Case {
	const data = `{"last_event_id":"17"}`
	return []Case{
		{Name: "subscribe", Feature: Core, Rule: "A signature of socket_id:channel lets a socket in; events arrive.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-")
				s.enter(channel)
				x.publish(channel, "e", "x")
				s.event(channel, "e", "x")
				s.leave(channel)
				s.silence("unsubscribing has no answer")
			}},
		{Name: "channel_data is signed", Feature: Core, Rule: "On private channels too, the signature covers channel_data when there is any.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-")
				s.ask(channel, s.auth(channel, data), data)
				s.succeeded(channel)
			}},
		{Name: "bad signatures", Feature: Core,
			Rule: "A subscription whose signature is wrong is answered with a pusher:error in band, an object; the connection goes on, and nothing is delivered.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-")
				good := s.auth(channel, "")
				_, signature, _ := strings.Cut(good, ":")
				for what, try := range map[string]struct{ auth, data string }{
					"no signature":                     {"", ""},
					"a signature of another socket":    {x.connect().auth(channel, ""), ""},
					"a signature of another channel":   {s.auth(channel+"x", ""), ""},
					"the signature of another key":     {"another-key:" + signature, ""},
					"a signature without a key":        {signature, ""},
					"a signature cut short":            {good[:len(good)-1], ""},
					"a signature by another secret":    {s.app.Key + ":" + mac("another secret", s.id+":"+channel), ""},
					"channel_data that is not signed":  {good, data},
					"signed channel_data that is gone": {s.auth(channel, data), ""},
				} {
					s.ask(channel, try.auth, try.data)
					s.refused(what)
				}
				x.publish(channel, "e", "x")
				s.enter(channel)
				x.publish(channel, "after", "x")
				s.event(channel, "after", "x")
			}},
		{Name: "bad signature: subscription_error", Feature: Core,
			Rule: "pusher:subscription_error with the channel, type AuthError and a status goes beside pusher:error, for Echo's error().",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-")
				s.ask(channel, "", "")
				for _, f := range s.drain() {
					var told struct {
						Type   string
						Error  string
						Status int
					}
					if f.Event == "pusher:subscription_error" {
						if s.object(f, &told); f.Channel != channel || told.Type != "AuthError" || told.Error == "" || told.Status < 400 {
							x.failf("got %s", f)
						}
						return
					}
				}
				x.failf("no pusher:subscription_error came")
			}},
		{Name: "signature of another app", Feature: Core, needs: needsOther, Rule: "The key and secret of another app let nobody in.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-")
				s.ask(channel, x.target.Other.Key+":"+mac(x.target.Other.Secret, s.id+":"+channel), "")
				s.refused("another app's signature")
			}},
		{Name: "apps are apart", Feature: Core, needs: needsOther, Rule: "A channel of one app is not that of another with the same name.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connectTo(x.target.Other), x.name("")
				a.enter(channel)
				b.enter(channel)
				x.publish(channel, "e", "x")
				a.event(channel, "e", "x")
				x.do(call{app: x.target.Other, method: "POST", path: "/events", body: jsonOf(map[string]string{"name": "own", "channel": channel, "data": "x"})}).is("publishing", 200)
				b.event(channel, "own", "x")
			}},
	}
}

func encryptedCases() []Case {
	const secret = `{"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","ciphertext":"RXZlcnlib2R5IGVsc2Ugc2VlcyBub2lzZQ=="}`
	return []Case{
		{Name: "relay", Feature: Encrypted, basic: true,
			Rule: "private-encrypted- channels are signed like private ones, and what is published arrives as it was.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-encrypted-")
				s.enter(channel)
				x.publish(channel, "e", secret)
				s.event(channel, "e", secret)
			}},
		{Name: "bad signature", Feature: Encrypted, Rule: "Without a signature nobody gets in.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("private-encrypted-")
				s.ask(channel, "", "")
				s.refused("no signature")
			}},
	}
}
