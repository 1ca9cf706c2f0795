package multiwa

import (
	"encoding/json"
	"testing"
)

// FuzzMessage checks that no message breaks the parsers, and that answers are JSON with the
// request's id unchanged.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"subscribe","payload":{"profileId":"p","events":["message.received"],"lastEventId":"17"},"requestId":"r1"}`,
		`{"type":"unsubscribe","requestId":1.5e3}`, `{"type":"ping","requestId":-0}`, `{"type":5}`, `[]`, `{`, `{"type":"subscribe","payload":[]}`,
		`{"type":"subscribe","payload":{"sessionId":7,"events":[null,"*"]}}`, `{"requestId":{"a":1},"type":"x"}`, "{\"type\":\"\u2028<\",\"requestId\":\"\\u2028\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMessage(text)
		if err == nil {
			_, _ = parseSubscribe(m.Payload)
			_, _ = parseUnsubscribe(m.Payload)
		} else {
			m.Type = err.Error()
		}
		var answer struct {
			Type      string
			RequestID json.RawMessage
			Payload   struct{ Error *string }
		}
		for _, p := range payloads(t, errorFrame(m.Type, m.RequestID)) {
			if err := json.Unmarshal([]byte(p), &answer); err != nil || answer.Type != "error" || answer.Payload.Error == nil {
				t.Fatalf("the answer to %q is %s: %v", text, p, err)
			}
		}
		if m.RequestID != nil && !sameJSON(answer.RequestID, m.RequestID) {
			t.Errorf("the id %s comes back as %s", m.RequestID, answer.RequestID)
		}
	})
}

// FuzzJoin checks that nothing that a client of Socket.IO sends breaks the parser, and that what
// is refused has a text.
func FuzzJoin(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `"p"`, `7`, `[]`, `{`, `{"profileId":"p","events":["*"],"lastEventId":"17"}`, `{"sessionId":"p","events":null}`, `{"profileId":7}`,
		`{"profileId":"p","events":["x"]}`, `{"profileId":"p","lastEventId":-1}`, `{"token":"k","pid":"x","offset":"1.1"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		switch r, err := parseJoin(text); {
		case err != nil && err.Error() == "":
			t.Errorf("%q is refused without a text", text)
		case err == nil && r.want&^(1<<len(names)-1) != 0:
			t.Errorf("%q selects %b", text, r.want)
		}
	})
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
}
