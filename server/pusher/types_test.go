package pusher_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWrongTypes puts every type of JSON into every field of every message: what is
// not what belongs there is refused with its name, null is as good as absent, and
// the connection goes on.
func TestWrongTypes(t *testing.T) {
	h := newHouse(t)
	a := h.connect(t)
	values := map[string]string{
		"null": `null`, "a boolean": `true`, "a number": `5`, "a number ": `1.5e300`, "a number  ": `-0`,
		"a string": `"news"`, "an array": `[]`, "an array ": `["news"]`, "an object": `{}`, "an object ": `{"channel":"news"}`,
	}
	for field, test := range map[string]struct {
		message string // %s is the field's value
		takes   string // the type that belongs there; others are refused
		names   string // how a refusal begins that names the field
		absent  string // how null is answered
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
	// The data of pings, pongs and client events is anything.
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
	a.silence()
}
