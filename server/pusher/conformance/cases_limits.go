package conformance

import (
	"fmt"
	"strings"
)

func nameCases() []Case {
	return []Case{
		{Name: "characters", Feature: Core, Rule: "Channel names have letters, digits and _ - = @ , . ; and each of them is carried.",
			run: func(x *exchange) {
				s := x.connect()
				for _, c := range []string{"_", "-", "=", "@", ",", ".", ";", "aZ09_-=@,.;"} {
					channel := x.name("") + c
					s.enter(channel)
					x.publish(channel, "e", "x")
					s.event(channel, "e", "x")
				}
			}},
		{Name: "other characters", Feature: Core, Rule: "Every other character is refused in band, and by the HTTP API with 400.",
			run: func(x *exchange) {
				s := x.connect()
				for _, c := range []string{" ", "é", "/", "*", "+", ":", "!", "\"", "\n", "\x00", "a#", "😀"} {
					channel := x.name("") + c
					s.ask(channel, "", "")
					s.refused(fmt.Sprintf("the character %q", c))
					x.post(map[string]string{"name": "e", "channel": channel, "data": "x"}).is(fmt.Sprintf("publishing with %q", c), 400)
				}
			}},
		{Name: "164 characters", Feature: Core, Rule: "A name of 164 characters, the documented limit, is taken.",
			run: func(x *exchange) { x.named(164) }},
		{Name: "199, 200, 201 characters", Feature: Core, Rule: "Names have at most 200 characters, the limit of the server libraries.",
			run: func(x *exchange) {
				x.named(199)
				x.named(200)
				s, channel := x.connect(), x.name("")
				channel += strings.Repeat("x", 201-len(channel))
				s.ask(channel, "", "")
				s.refused("201 characters")
				x.post(map[string]string{"name": "e", "channel": channel, "data": "x"}).is("publishing", 400)
			}},
		{Name: "empty name", Feature: Core, Rule: "The empty name is refused, in band and with 400.",
			run: func(x *exchange) {
				s := x.connect()
				s.ask("", "", "")
				s.refused("the empty name")
				x.post(map[string]string{"name": "e", "channel": "", "data": "x"}).is("publishing", 400)
			}},
		{Name: "a megabyte of name", Feature: Core, Rule: "A name of a megabyte is refused: in band or with a close code over the socket, with 400 or 413 over HTTP.",
			run: func(x *exchange) {
				channel := strings.Repeat("x", 1<<20)
				s := x.connect()
				s.ask(channel, "", "")
				s.rejected("a message of a megabyte")
				x.do(call{method: "POST", path: "/events", endless: true, body: jsonOf(map[string]string{"name": "e", "channel": channel, "data": "x"})}).is("publishing", 400, 413)
				x.connect().silence("the server goes on")
			}},
	}
}

// named subscribes to a channel whose name has n characters and gets an event there.
func (x *exchange) named(n int) {
	s, channel := x.connect(), x.name("")
	channel += strings.Repeat("x", n-len(channel))
	s.enter(channel)
	x.publish(channel, "e", "x")
	s.event(channel, "e", "x")
}

// rejected expects pusher:error in band or the end of the connection with a code.
func (s *socket) rejected(what string) {
	f, err := s.await()
	if err == nil && f.Event == "pusher:error" {
		var c complaint
		s.object(f, &c)
		s.x.notef("in band")
		return
	}
	end, is := err.(*closed)
	if !is || end.code == 1006 {
		s.x.failf("%s: got %s, %v; want pusher:error or a close frame", what, f, err)
	}
	s.x.notef("closed with %d", end.code)
}

func eventLimitCases() []Case {
	post := func(x *exchange, name, data string, channels ...string) *answer {
		return x.post(map[string]any{"name": name, "data": data, "channels": channels})
	}
	return []Case{
		{Name: "data of 9,999, 10,000, 10,001 bytes", Feature: Core, Rule: "data has at most 10,000 bytes, of text and not of its JSON; more is 413.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				for _, data := range []string{strings.Repeat("x", 9999), strings.Repeat("x", 10_000), strings.Repeat("é", 5000), strings.Repeat("\x01", 10_000)} {
					x.publish(channel, "e", data)
					s.event(channel, "e", data)
				}
				post(x, "e", strings.Repeat("x", 10_001), channel).is("10,001 bytes", 413)
				post(x, "e", strings.Repeat("é", 5000)+"x", channel).is("10,001 bytes", 413)
				s.silence("it was refused")
			}},
		{Name: "a megabyte of data", Feature: Core, Rule: "A body of megabytes is 413, or the server hangs up while it is sent; and goes on.",
			run: func(x *exchange) {
				body := jsonOf(map[string]string{"name": "e", "channel": x.name(""), "data": strings.Repeat("x", 3<<20)})
				x.do(call{method: "POST", path: "/events", endless: true, body: body}).is("3 MiB", 413)
				x.publish(x.name(""), "e", "x")
			}},
		{Name: "99, 100, 101 channels", Feature: Core, Rule: "An event goes to at most 100 channels; more is 400.",
			run: func(x *exchange) {
				s, name := x.connect(), x.name("")
				var channels []string
				for i := range 101 {
					channels = append(channels, fmt.Sprint(name, "-", i))
				}
				s.enter(channels[99])
				post(x, "e", "x", channels[:99]...).is("99 channels", 200)
				post(x, "hundred", "x", channels[:100]...).is("100 channels", 200)
				s.event(channels[99], "hundred", "x")
				post(x, "e", "x", channels...).is("101 channels", 400, 413)
				s.silence("it was refused")
			}},
		{Name: "name of 199, 200, 201 bytes", Feature: Core, Rule: "The name has at most 200 bytes; more is 400.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				for _, n := range []int{199, 200} {
					x.publish(channel, strings.Repeat("n", n), "x")
					s.event(channel, strings.Repeat("n", n), "x")
				}
				post(x, strings.Repeat("n", 201), "x", channel).is("201 bytes", 400)
			}},
		{Name: "reserved names", Feature: Core, Rule: "Nobody publishes what looks like the protocol's own: pusher: and pusher_internal: are 400.",
			run: func(x *exchange) {
				for _, name := range []string{"pusher:error", "pusher_internal:member_added"} {
					post(x, name, "x", x.name("")).is(name, 400)
				}
			}},
	}
}
