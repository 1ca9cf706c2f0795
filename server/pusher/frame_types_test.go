package pusher_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWrongTypes puts every type of JSON into every field of every message: a wrong
// type is refused with the field's name, null counts as absent, and the connection goes
// on.
func TestWrongTypes(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	values := map[string]string{
		"null": `null`, "a boolean": `true`, "a number": `5`, "a number ": `1.5e300`, "a number  ": `-0`,
		"a string": `"news"`, "an array": `[]`, "an array ": `["news"]`, "an object": `{}`, "an object ": `{"channel":"news"}`,
	}
	for field, test := range map[string]struct {
		message string // %s is the field's value
		takes   string // the type that is accepted; others are refused
		names   string // the beginning of a refusal, which names the field
		absent  string // the answer to null
	}{
		"event":                {`{"event":%s}`, "a string", "The message: event may not be ", "The message has no event"},
		"channel":              {`{"event":"client-x","channel":%s,"data":{}}`, "a string", "The message: channel may not be ", "Client event rejected: The name is empty"},
		"subscribe: data":      {`{"event":"pusher:subscribe","data":%s}`, "an object", "pusher:subscribe: data is not a JSON object", "pusher:subscribe: data is not a JSON object"},
		"subscribe: channel":   {`{"event":"pusher:subscribe","data":{"channel":%s}}`, "a string", "pusher:subscribe: data: channel may not be ", "pusher:subscribe: data.channel is missing"},
		"subscribe: auth":      {`{"event":"pusher:subscribe","data":{"channel":"private-x","auth":%s}}`, "a string", "pusher:subscribe: data: auth may not be ", "Auth value for subscription to private-x is invalid"},
		"channel_data":         {`{"event":"pusher:subscribe","data":{"channel":"private-x","channel_data":%s}}`, "a string", "pusher:subscribe: data: channel_data may not be ", "Auth value for subscription to private-x is invalid"},
		"unsubscribe: data":    {`{"event":"pusher:unsubscribe","data":%s}`, "an object", "pusher:unsubscribe: data is not a JSON object", "pusher:unsubscribe: data is not a JSON object"},
		"unsubscribe: channel": {`{"event":"pusher:unsubscribe","data":{"channel":%s}}`, "a string", "pusher:unsubscribe: data: channel may not be ", "pusher:unsubscribe: data.channel is missing"},
		"signin: data":         {`{"event":"pusher:signin","data":%s}`, "an object", "pusher:signin: data is not a JSON object", "pusher:signin: data is not a JSON object"},
		"signin: auth":         {`{"event":"pusher:signin","data":{"auth":%s,"user_data":"{}"}}`, "a string", "pusher:signin: data: auth may not be ", "Auth value for sign-in is invalid"},
		"signin: user_data":    {`{"event":"pusher:signin","data":{"auth":"","user_data":%s}}`, "a string", "pusher:signin: data: user_data may not be ", "pusher:signin: data.user_data is missing"},
	} {
		for kind, value := range values {
			t.Run(field+" "+kind, func(t *testing.T) {
				a.t = t
				kind = strings.TrimSpace(kind)
				a.send(fmt.Sprintf(test.message, value))
				a.send(`{"event":"pusher:ping"}`)
				var answers []string
				for answer := a.read(); answer != pongText; answer = a.read() {
					answers = append(answers, answer)
				}
				all := strings.Join(answers, "\n")
				switch {
				case kind == "null":
					if !strings.Contains(all, test.absent) {
						t.Errorf("%s", all)
					}
				case kind == test.takes:
					if strings.Contains(all, test.names) {
						t.Errorf("refused: %s", all)
					}
				default:
					want := test.names
					if strings.HasSuffix(want, " may not be ") {
						want += kind
					}
					if all != errorSays(4310, want) {
						t.Errorf("%s, want %s", all, want)
					}
				}
			})
		}
	}
	// The data of pings, pongs and client events may be anything.
	a.t = t
	b := h.connect(t)
	a.enter("private-any")
	b.enter("private-any")
	for _, value := range []string{`null`, `true`, `5`, `"x"`, `[1]`, `{"a":{}}`} {
		a.send(`{"event":"pusher:ping","channel":"x","data":` + value + `}`)
		a.expect(pongText)
		a.send(`{"event":"pusher:pong","data":` + value + `}`)
		event := `{"event":"client-x","channel":"private-any","data":` + value + `}`
		a.send(event)
		b.expect(event)
	}
	a.send(`{"event":"client-x","channel":"private-any"}`)
	b.expect(`{"event":"client-x","channel":"private-any","data":null}`)
	a.silence()
}

// TestFieldsGivenTwice names a field of a message twice, which is refused. The data of a
// client event is its users' own.
func TestFieldsGivenTwice(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	for message, why := range map[string]string{
		`{"event":"pusher:ping","event":"pusher:subscribe","data":{"channel":"news"}}`:        "The message: event is given twice",
		`{"event":"client-x","channel":"private-a","Channel":"private-b","data":{}}`:          "The message: channel is given twice",
		`{"event":"pusher:subscribe","data":{"channel":"news","ch\u0061nnel":"private-any"}}`: "pusher:subscribe: data: channel is given twice",
		`{"event":"pusher:signin","data":{"auth":"","user_data":"{}","auth":"x"}}`:            "pusher:signin: data: auth is given twice",
	} {
		a.send(message)
		a.expect(errorSays(4310, why))
	}
	a.enter("private-any")
	b.enter("private-any")
	event := `{"event":"client-x","channel":"private-any","data":{"event":1,"event":{"a":1,"a":2}}}`
	a.send(event)
	b.expect(event)
	a.silence()
}

// The limits of a message's parts: one below, at, one above.
func TestLimits(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	for n := 199; n <= 201; n++ {
		name := strings.Repeat("c", n)
		a.subscribe(name, "", "")
		if n > 200 {
			a.expect(errorSays(4311, "The name is longer than 200 bytes"), subscriptionErrorSays(name[:200]+"...", "ChannelError", "The name is longer than 200 bytes", 400))
		} else {
			a.expect(succeeded(name))
		}
	}
	a.enter("private-l")
	b.enter("private-l")
	send := func(event, data string) string {
		text := fmt.Sprintf(`{"event":%q,"channel":"private-l","data":%s}`, event, data)
		a.send(text)
		return text
	}
	for n := 199; n <= 201; n++ {
		text := send("client-"+strings.Repeat("e", n-7), "1")
		if n > 200 {
			a.expect(errorSays(4301, "Client event rejected: its name is over 200 bytes"))
		} else {
			b.expect(text)
		}
	}
	for n := 9_999; n <= 10_001; n++ {
		text := send("client-x", `"`+strings.Repeat("d", n-2)+`"`)
		if n > 10_000 {
			a.expect(errorSays(4301, "Client event rejected: its data is over 10000 bytes"))
		} else {
			b.expect(text)
		}
	}
	b.silence()
	const channel = "presence-l"
	in := func(data, why string) {
		t.Helper()
		r := h.connect(t)
		r.subscribe(channel, r.auth(channel, data), data)
		if why != "" {
			r.expect(errorSays(4314, why), subscriptionErrorSays(channel, "ChannelError", why, 400))
		} else if got := r.read(); !strings.Contains(got, "subscription_succeeded") {
			t.Errorf("%.50s: %s", data, got)
		}
		_ = r.ws.Close()
	}
	for _, n := range []int{127, 128} {
		in(`{"user_id":"`+strings.Repeat("u", n)+`"}`, "")
		in(`{"user_id":"`+strings.Repeat("ü", n)+`"}`, "")
	}
	const idRule = "channel_data: user_id must have 1 to 128 characters, none of them a control character"
	in(`{"user_id":"`+strings.Repeat("u", 129)+`"}`, idRule)
	in(`{"user_id":"`+strings.Repeat("ü", 129)+`"}`, idRule)
	for _, n := range []int{1023, 1024} {
		in(`{"user_id":"A","user_info":"`+strings.Repeat("i", n-3)+`"}`, "")
	}
	in(`{"user_id":"A","user_info":"`+strings.Repeat("i", 1022)+`"}`, "channel_data: user_id and user_info have 1025 bytes, at most 1024 are allowed")
}
