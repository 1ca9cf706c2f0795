package conformance

import (
	"strings"
)

func messageCases() []Case {
	each := func(messages ...string) func(x *exchange) {
		return func(x *exchange) {
			s, channel := x.connect(), x.name("")
			s.enter(channel)
			for _, m := range messages {
				s.say(m)
				s.refused(m)
			}
			x.publish(channel, "after", "x")
			s.event(channel, "after", "x")
		}
	}
	const rule = "Each is answered with pusher:error in band, and the connection goes on."
	return []Case{
		{Name: "not JSON", Feature: Core, Rule: rule, run: each("", "{", "x", `{"event":"pusher:ping"`, `{"event":NaN}`, "{}}", "\x00")},
		{Name: "not an object", Feature: Core, Rule: rule, run: each("[]", "null", "5", `"x"`, "true", `[{"event":"pusher:ping"}]`)},
		{Name: "no event", Feature: Core, Rule: rule, run: each("{}", `{"event":""}`, `{"event":5}`, `{"event":null}`, `{"event":["pusher:ping"]}`, `{"data":{}}`)},
		{Name: "unknown event", Feature: Core, Rule: "An event that clients do not send is answered in band or not at all, and the connection goes on.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				for _, event := range []string{"unknown", "pusher:unknown", "pusher_internal:member_added", "pusher:connection_established"} {
					s.say(`{"event":"` + event + `","channel":"` + channel + `","data":"{}"}`)
					for _, f := range s.drain() {
						var c complaint
						if s.object(f, &c); f.Event != "pusher:error" {
							x.failf("%s is answered with %s", event, f)
						}
					}
				}
			}},
		{Name: "wrong types in subscribe", Feature: Core, Rule: rule,
			run: each(`{"event":"pusher:subscribe"}`, `{"event":"pusher:subscribe","data":null}`, `{"event":"pusher:subscribe","data":"a"}`, `{"event":"pusher:subscribe","data":[]}`,
				`{"event":"pusher:subscribe","data":{}}`, `{"event":"pusher:subscribe","data":{"channel":7}}`, `{"event":"pusher:subscribe","data":{"channel":null}}`,
				`{"event":"pusher:subscribe","data":{"channel":{"a":1}}}`, `{"event":"pusher:subscribe","data":{"channel":"private-a","auth":7}}`,
				`{"event":"pusher:subscribe","data":{"channel":"presence-a","auth":"a:b","channel_data":{"user_id":"1"}}}`)},
		{Name: "wrong types in unsubscribe", Feature: Core, Rule: rule,
			run: each(`{"event":"pusher:unsubscribe"}`, `{"event":"pusher:unsubscribe","data":[]}`, `{"event":"pusher:unsubscribe","data":{"channel":7}}`, `{"event":"pusher:unsubscribe","data":{}}`)},
		{Name: "deep nesting", Feature: Core, Rule: "7,000 levels of arrays are answered, in band or with a close code, and the server goes on.",
			run: func(x *exchange) {
				s := x.connect()
				s.say(`{"event":"unknown","data":` + strings.Repeat("[", 7000) + strings.Repeat("]", 7000) + `}`)
				s.rejected("deep nesting")
				x.connect().silence("the server goes on")
			}},
		{Name: "unknown fields", Feature: Core, Rule: "Fields that are not known are no mistake.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.say(`{"event":"pusher:subscribe","extra":[1],"data":{"channel":"` + channel + `","filter":{"a":1}}}`)
				s.succeeded(channel)
			}},
	}
}

// cut checks that the server ends the connection for these bytes with a close frame
// with one of the codes, and still serves others.
func cut(b []byte, codes ...int) func(x *exchange) {
	return func(x *exchange) {
		s := x.connect()
		s.bytes(b)
		s.closedWith(codes...)
		x.connect().silence("the server goes on")
	}
}

func frameCases() []Case {
	ping := []byte(`{"event":"pusher:ping","data":{}}`)
	bad := func(f rawFrame) []byte { return f.encode() }
	const rule = "RFC 6455 forbids it: the connection is closed with this code."
	return append(fragmentCases(ping), []Case{
		{Name: "binary: 1003", Feature: Core, Rule: "Binary frames are not part of the protocol: 1003, or an answer in band.",
			run: func(x *exchange) {
				s := x.connect()
				s.bytes(bad(rawFrame{first: final(opBinary), payload: []byte(`{"event":"pusher:unknown"}`)}))
				s.rejected("a binary frame")
			}},
		{Name: "reserved bits: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opText) | 0x40, payload: ping}), 1002)},
		{Name: "other reserved bits: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opText) | 0x10, payload: ping}), 1002)},
		{Name: "not masked: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opText), unmasked: true, payload: ping}), 1002)},
		{Name: "unknown opcode: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(0x3), payload: ping}), 1002)},
		{Name: "unknown control frame: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(0xB)}), 1002)},
		{Name: "ping of 126 bytes: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opPing), payload: make([]byte, 126)}), 1002)},
		{Name: "ping in fragments: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: opPing, payload: []byte("p")}), 1002)},
		{Name: "continuation of nothing: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opContinuation), payload: ping}), 1002)},
		{Name: "message inside a message: 1002", Feature: Core, Rule: rule,
			run: cut(append(bad(rawFrame{first: opText, payload: []byte("{")}), bad(rawFrame{first: final(opText), payload: ping})...), 1002)},
		{Name: "not UTF-8: 1007", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opText), payload: []byte("{\"event\":\"\xff\"}")}), 1007)},
		{Name: "close frame of one byte", Feature: Core, Rule: "Half a close code is answered with a close frame: 1002, or an empty one.",
			run: cut(bad(rawFrame{first: final(opClose), payload: []byte{3}}), 1002, 1005)},
		{Name: "close code 1005: 1002", Feature: Core, Rule: rule, run: cut(bad(rawFrame{first: final(opClose), payload: []byte{0x03, 0xED}}), 1002)},
		{Name: "length of 2^63: a close frame", Feature: Core, Rule: "A length with the highest bit, which RFC 6455 forbids, ends the connection with 1002 or 1009 before it is waited for.",
			run: cut([]byte{final(opText), 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1002, 1009)},
		{Name: "message over the limit", Feature: Core, Rule: "A message of 4 MiB is answered in band, or closed with 1009, and the server goes on.",
			run: func(x *exchange) {
				s := x.connect()
				// The server may close in the middle, so writing may fail.
				_ = s.w.write(bad(rawFrame{first: final(opText), payload: make([]byte, 4<<20)}), x.patience)
				s.rejected("a message of 4 MiB")
				x.connect().silence("the server goes on")
			}},
	}...)
}

// fragmentCases are messages that look strange but are allowed.
func fragmentCases(ping []byte) []Case {
	return []Case{
		{Name: "fragments", Feature: Core, Rule: "A message may come in fragments, also empty ones, with a ping between them.",
			run: func(x *exchange) {
				s := x.connect()
				for _, f := range []rawFrame{{first: opText, payload: ping[:3]}, {first: final(opPing), payload: []byte("p")},
					{first: opContinuation}, {first: opContinuation, payload: ping[3:10]}, {first: final(opContinuation), payload: ping[10:]}} {
					s.bytes(f.encode())
				}
				s.read("pusher:pong")
			}},
		{Name: "a frame per byte", Feature: Core, Rule: "Each byte may be a frame of its own.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				text := `{"event":"pusher:subscribe","data":{"channel":"` + channel + `","note":"ü"}}`
				for i := range len(text) {
					f := rawFrame{first: opContinuation, payload: []byte{text[i]}}
					if i == 0 {
						f.first = opText
					}
					if i == len(text)-1 {
						f.first |= 0x80
					}
					s.bytes(f.encode())
				}
				s.succeeded(channel)
			}},
		{Name: "a packet per byte", Feature: Core, Rule: "Each byte of a frame may come alone.",
			run: func(x *exchange) {
				s := x.connect()
				for _, b := range (rawFrame{first: final(opText), payload: ping}).encode() {
					s.bytes([]byte{b})
				}
				s.read("pusher:pong")
			}},
		{Name: "many messages in a packet", Feature: Core, Rule: "Many messages may come at once; each is answered, in order.",
			run: func(x *exchange) {
				s := x.connect()
				var all []byte
				for range 50 {
					all = append(all, rawFrame{first: final(opText), payload: ping}.encode()...)
				}
				s.bytes(all)
				for range 50 {
					s.read("pusher:pong")
				}
			}},
		{Name: "offer of compression", Feature: Core, Rule: "A client that offers permessage-deflate is served; frames are compressed only when the server agreed to it.",
			run: func(x *exchange) {
				w, err := dialWire(x.target.URL+"/app/"+x.target.Key+clientQuery, map[string][]string{"Sec-Websocket-Extensions": {"permessage-deflate; client_max_window_bits"}}, x.patience)
				if err != nil {
					x.failf("connecting: %v", err)
				}
				defer func() { _ = w.conn.Close() }()
				if _, _, err := w.readFrame(); err != nil && w.extensions == "" {
					x.failf("the greeting: %v", err)
				}
				x.notef("agreed: %q", w.extensions)
			}},
	}
}
