package conformance

import (
	"strings"
	"time"
)

func handshakeCases() []Case {
	greeting := func(protocol string) func(x *exchange) {
		return func(x *exchange) {
			s := x.dial("/app/" + x.target.Key + "?protocol=" + protocol)
			s.greeted(s.read("pusher:connection_established"))
		}
	}
	return []Case{
		{Name: "connection_established", Feature: Core, basic: true,
			Rule: "The first message is pusher:connection_established, whose data is a string with socket_id (digits, a dot, digits) and an activity_timeout over 0.",
			run: func(x *exchange) {
				s := x.connect()
				x.notef("activity_timeout %v", s.activity)
			}},
		{Name: "socket ids cannot be guessed", Feature: Core,
			Rule: "No two sockets share either half of their socket_id, so an id is neither a clock nor a counter.",
			run: func(x *exchange) {
				halves := map[string]bool{}
				for range 5 {
					for _, half := range strings.Split(x.connect().id, ".") {
						if halves[half] {
							x.failf("%s came twice", half)
						}
						halves[half] = true
					}
				}
			}},
		{Name: "protocol 7", Feature: Core, Rule: "Protocol 7 is spoken.", run: greeting("7")},
		{Name: "protocol 6", Feature: Core, Rule: "Protocol 6 is spoken.", run: greeting("6")},
		{Name: "protocol 5", Feature: Core, Rule: "Protocol 5 is spoken.", run: greeting("5")},
		{Name: "query without flash", Feature: Core,
			Rule: "client and version are information, and flash is not needed.",
			run: func(x *exchange) {
				s := x.dial("/app/" + x.target.Key + "?client=other-1&version=0.0.1&protocol=7&kit_unknown=%20")
				s.greeted(s.read("pusher:connection_established"))
			}},
		{Name: "end by the client", Feature: Core,
			Rule: "A client's close frame is answered with a close frame.",
			run: func(x *exchange) {
				s := x.connect()
				s.bytes(rawFrame{first: final(opClose), payload: []byte{0x03, 0xE8}}.encode())
				s.closedWith(1000)
			}},
	}
}

// refusedWith is a handshake that must end in a close frame with this code, with or
// without an error in band before.
func refusedWith(code int, path func(t Target) string) func(x *exchange) {
	return func(x *exchange) {
		s := x.dial(path(x.target))
		told := false
		for {
			f, err := s.await()
			if err != nil {
				end, cut := err.(*closed)
				if !cut {
					x.failf("waited for a close frame: %v", err)
				}
				if end.code != code || end.reason == "" {
					x.failf("%v; want a close frame with %d and a reason", end, code)
				}
				if told {
					x.notef("pusher:error, then close")
				}
				return
			}
			var c complaint
			if f.Event != "pusher:error" || told {
				x.failf("got %s, want a close frame with %d", f, code)
			}
			// pusher-js breaks when the first message is an error without a number.
			if s.object(f, &c); c.Code == nil || *c.Code != code || c.Message == nil || *c.Message == "" {
				x.failf("%s: want code %d and a message", f, code)
			}
			told = true
		}
	}
}

func refusalCases() []Case {
	app := func(query string) func(t Target) string {
		return func(t Target) string { return "/app/" + t.Key + query }
	}
	const rule = "The close frame has the code and a reason; a pusher:error before it is an object with the same code."
	return []Case{
		{Name: "no protocol: 4008", Feature: Core, Rule: rule, run: refusedWith(4008, app(""))},
		{Name: "protocol=x: 4006", Feature: Core, Rule: rule, run: refusedWith(4006, app("?protocol=x"))},
		{Name: "protocol=3: 4007", Feature: Core, Rule: rule, run: refusedWith(4007, app("?protocol=3"))},
		{Name: "protocol=99: 4007", Feature: Core, Rule: rule, run: refusedWith(4007, app("?protocol=99"))},
		{Name: "unknown key: 4001", Feature: Core, Rule: rule,
			run: refusedWith(4001, func(Target) string { return "/app/there-is-no-such-key" + clientQuery })},
		{Name: "unknown path: 4005", Feature: Core, Rule: rule,
			run: refusedWith(4005, func(Target) string { return "/there/is/no/such/path" + clientQuery })},
		{Name: "disabled app: 4003", Feature: Core, needs: needsDisabled, Rule: rule,
			run: refusedWith(4003, func(t Target) string { return "/app/" + t.DisabledKey + clientQuery })},
		{Name: "connection quota: 4004", Feature: Core, needs: needsSmall, Rule: rule,
			run: func(x *exchange) {
				s := x.dial("/app/" + x.target.SmallKey + clientQuery)
				s.greeted(s.read("pusher:connection_established"))
				refusedWith(4004, func(t Target) string { return "/app/" + t.SmallKey + clientQuery })(x)
			}},
	}
}

func pingCases() []Case {
	control := func(payload string) func(x *exchange) {
		return func(x *exchange) {
			s := x.connect()
			s.bytes(rawFrame{first: final(opPing), payload: []byte(payload)}.encode())
			op, got, err := s.w.next(x.patience)
			if err != nil || op != opPong || string(got) != payload {
				x.failf("opcode %d, %d bytes, %v; want a pong with the ping's %d bytes", op, len(got), err, len(payload))
			}
		}
	}
	return []Case{
		{Name: "pusher:ping", Feature: Core,
			Rule: "pusher:ping is answered with pusher:pong, with data {} or \"{}\" or none, also when the ping has no data.",
			run: func(x *exchange) {
				s := x.connect()
				for _, ping := range []string{`{"event":"pusher:ping","data":{}}`, `{"event":"pusher:ping"}`, `{"event":"pusher:ping","data":"{}"}`} {
					s.say(ping)
					if f := s.read("pusher:pong"); len(f.Data) > 0 && string(f.Data) != "{}" && string(f.Data) != `"{}"` {
						x.failf("%s is answered with %s", ping, f)
					}
				}
			}},
		{Name: "pusher:pong", Feature: Core, Rule: "A pusher:pong nobody asked for is no mistake.",
			run: func(x *exchange) {
				s := x.connect()
				s.say(`{"event":"pusher:pong","data":{}}`)
				s.silence("a pong needs no answer")
			}},
		{Name: "ping frame", Feature: Core, Rule: "A ping of the WebSocket protocol is answered with a pong.", run: control("")},
		{Name: "ping frame of 125 bytes", Feature: Core, Rule: "The pong has the ping's bytes, up to 125.", run: control(strings.Repeat("p", 125))},
		{Name: "pong frame", Feature: Core, Rule: "A pong frame nobody asked for is no mistake.",
			run: func(x *exchange) {
				s := x.connect()
				s.bytes(rawFrame{first: final(opPong), payload: []byte("here")}.encode())
				s.silence("a pong needs no answer")
			}},
		{Name: "silence", Feature: Core, needs: needsPingWait,
			Rule: "A socket that is silent, also one without a channel, is asked for a sign of life, in pusher:ping or a ping frame, and then closed with 4201.",
			run: func(x *exchange) {
				s := x.connect()
				_ = s.w.conn.SetReadDeadline(time.Now().Add(x.target.PingWait))
				first, _, err := s.w.readFrame()
				if op := first & 0xF; err != nil || op != opPing && op != opText {
					x.failf("opcode %d, %v; want a ping", op, err)
				}
				_ = s.w.conn.SetReadDeadline(time.Now().Add(x.target.PingWait))
				for {
					first, payload, err := s.w.readFrame()
					switch {
					case err != nil:
						x.failf("the end of a silent socket: %v", err)
					case first&0xF == opClose:
						if end := closeOf(payload); end.code != 4201 {
							x.failf("%v; want 4201", end)
						}
						return
					}
				}
			}},
	}
}
