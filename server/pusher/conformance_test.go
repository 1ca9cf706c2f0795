package pusher_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
)

// These tests see the program as a stranger does: raw frames on a socket, signed
// requests over HTTP. They compare every frame as bytes.

func TestConformanceHandshakeRefusals(t *testing.T) {
	h := newHarness(t)
	h.dial(t, "/app/small?protocol=7", nil).read() // the one socket that fits
	from := func(origin string) http.Header { return http.Header{"Origin": {origin}} }
	for path, test := range map[string]struct {
		code   int
		header http.Header
	}{
		"/app/nobody?protocol=7":          {4001, nil},
		"/app/disabled?protocol=7":        {4003, nil},
		"/app/small?protocol=7":           {4004, nil},
		"/nowhere?protocol=7":             {4005, nil},
		"/app/" + docKey + "?protocol=x":  {4006, nil},
		"/app/" + docKey + "?protocol=99": {4007, nil},
		"/app/" + docKey + "?protocol=4":  {4007, nil},
		"/app/" + docKey:                  {4008, nil},
		"/app/picky?protocol=7":           {4009, from("https://evil.example")},
	} {
		t.Run(fmt.Sprint(test.code, path), func(t *testing.T) {
			r := h.dial(t, path, test.header)
			// data must be an object, with a number as code.
			var frame struct {
				Event string
				Data  struct {
					Code    int
					Message string
				}
			}
			first := r.read()
			if err := json.Unmarshal([]byte(first), &frame); err != nil || frame.Event != "pusher:error" || frame.Data.Code != test.code || frame.Data.Message == "" {
				t.Errorf("%s: %v", first, err)
			}
			r.expectClose(test.code)
		})
	}
	if first := h.dial(t, "/app/picky?protocol=7", from("https://crm.example")).read(); !established.MatchString(first) {
		t.Errorf("a listed origin: %s", first)
	}
	for _, protocol := range []string{"5", "6", "7"} {
		if first := h.dial(t, "/app/"+docKey+"?protocol="+protocol, nil).read(); !established.MatchString(first) {
			t.Errorf("protocol %s: %s", protocol, first)
		}
	}
}

func TestConformancePublic(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	if a.id == b.id {
		t.Fatal("two sockets have one id")
	}
	a.subscribe("a", "", "")
	a.expect(succeeded("a"))
	b.subscribe("a", "", "")
	b.expect(succeeded("a"))

	h.publish(t, `{"name":"e","channels":["a","elsewhere"],"data":"{\"some\":\"ü \\u0001 </b>\"}"}`)
	const event = `{"event":"e","channel":"a","data":"{\"some\":\"ü \\u0001 </b>\"}"}`
	a.expect(event)
	b.expect(event)
	h.publish(t, `{"name":"plain","channel":"a","data":""}`)
	a.expect(`{"event":"plain","channel":"a","data":""}`)
	b.expect(`{"event":"plain","channel":"a","data":""}`)

	// The socket that caused an event does not get it.
	h.publish(t, `{"name":"mine","channel":"a","data":"x","socket_id":"`+a.id+`"}`)
	b.expect(`{"event":"mine","channel":"a","data":"x"}`)
	a.silence()

	// Subscribed twice, notified once.
	a.subscribe("a", "", "")
	a.expect(succeeded("a"))
	h.publish(t, `{"name":"once","channel":"a","data":"x"}`)
	a.expect(`{"event":"once","channel":"a","data":"x"}`)
	a.silence()

	a.unsubscribe("a")
	a.silence()
	h.publish(t, `{"name":"late","channel":"a","data":"x"}`)
	a.silence()
}

func TestConformancePrivate(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	const channel = "private-z"
	refused := []string{
		`{"event":"pusher:error","data":{"code":4009,"message":"Auth value for subscription to private-z is invalid"}}`,
		`{"event":"pusher:subscription_error","channel":"private-z","data":{"type":"AuthError","error":"Auth value for subscription to private-z is invalid","status":401}}`,
	}
	const data = `{"last_event_id":"17"}`
	for name, try := range map[string]struct{ auth, data string }{
		"no auth":            {"", ""},
		"another's":          {h.connect(t).auth(channel, ""), ""},
		"of another channel": {a.auth("private-y", ""), ""},
		"another key":        {"other:" + strings.TrimPrefix(a.auth(channel, ""), docKey+":"), ""},
		"data not signed":    {a.auth(channel, ""), data},
		"signed data gone":   {a.auth(channel, data), ""},
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			a.subscribe(channel, try.auth, try.data)
			a.expect(refused...)
		})
	}
	a.t = t
	h.publish(t, `{"name":"e","channel":"private-z","data":"x"}`)
	a.silence() // it never entered
	a.subscribe(channel, a.auth(channel, data), data)
	a.expect(succeeded(channel))
	h.publish(t, `{"name":"e","channel":"private-z","data":"x"}`)
	a.expect(`{"event":"e","channel":"private-z","data":"x"}`)
}

func TestConformancePresence(t *testing.T) {
	h := newHarness(t)
	const channel = "presence-r"
	join := func(r *raw, data string) { r.subscribe(channel, r.auth(channel, data), data) }
	quoted := func(s string) string { text, _ := json.Marshal(s); return string(text) }
	roster := func(data string) string {
		return `{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":` + quoted(data) + `}`
	}
	member := func(event, data string) string {
		return `{"event":"pusher_internal:` + event + `","channel":"presence-r","data":` + quoted(data) + `}`
	}
	a, b, b2 := h.connect(t), h.connect(t), h.connect(t)
	join(a, `{"user_id":"A","user_info":{"name":"NA"}}`)
	a.expect(roster(`{"presence":{"ids":["A"],"hash":{"A":{"name":"NA"}},"count":1}}`))

	// A numeric id becomes a string.
	join(b, `{"user_id":10,"user_info":{"name":"NB"}}`)
	b.expect(roster(`{"presence":{"ids":["A","10"],"hash":{"A":{"name":"NA"},"10":{"name":"NB"}},"count":2}}`))
	a.expect(member("member_added", `{"user_id":"10","user_info":{"name":"NB"}}`))
	b.silence() // nobody is told about themselves

	// The same user on another socket causes no event, and keeps the first user_info.
	join(b2, `{"user_id":"10","user_info":{"name":"other"}}`)
	b2.expect(roster(`{"presence":{"ids":["A","10"],"hash":{"A":{"name":"NA"},"10":{"name":"NB"}},"count":2}}`))
	a.silence()
	b.silence()
	b.unsubscribe(channel)
	b.silence()
	a.silence()
	if err := b2.ws.Close(); err != nil { // leaves without a close frame
		t.Fatal(err)
	}
	a.expect(member("member_removed", `{"user_id":"10"}`))

	// A member without user_info, and an invalid member.
	join(b, `{"user_id":"C"}`)
	b.expect(roster(`{"presence":{"ids":["A","C"],"hash":{"A":{"name":"NA"},"C":null},"count":2}}`))
	a.expect(member("member_added", `{"user_id":"C"}`))
	b.unsubscribe(channel)
	a.expect(member("member_removed", `{"user_id":"C"}`))
	for _, data := range []string{"", "{}", `{"user_id":""}`, `{"user_id":1.5}`, `[]`, "x", `{"user_id":"` + strings.Repeat("x", 129) + `"}`} {
		join(b, data)
		for _, event := range []string{"pusher:error", "pusher:subscription_error"} {
			if got := b.read(); !strings.HasPrefix(got, `{"event":"`+event+`"`) {
				t.Errorf("channel_data %s: %s, want %s", data, got, event)
			}
		}
	}
	a.silence()
}

func TestConformanceClientEvents(t *testing.T) {
	h := newHarness(t)
	a, b, outsider := h.connect(t), h.connect(t), h.connect(t)
	a.enter("private-c")
	b.enter("private-c")
	a.send(`{"event":"client-typing","channel":"private-c","data":{"h":1}}`)
	b.expect(`{"event":"client-typing","channel":"private-c","data":{"h":1}}`) // an object stays an object
	a.send(`{"event":"client-typing","channel":"private-c","data":"text"}`)
	b.expect(`{"event":"client-typing","channel":"private-c","data":"text"}`)
	a.silence() // no echo

	rejected := func(why string) string {
		return `{"event":"pusher:error","data":{"code":4301,"message":"` + why + `"}}`
	}
	outsider.send(`{"event":"client-typing","channel":"private-c","data":{}}`)
	outsider.expect(rejected("Client event rejected: the connection is not subscribed to private-c"))
	outsider.subscribe("public", "", "")
	outsider.expect(succeeded("public"))
	outsider.send(`{"event":"client-typing","channel":"public","data":{}}`)
	outsider.expect(rejected("Client event rejected: only private and presence channels have them"))
	b.silence()

	const channel = "presence-c"
	for id, r := range map[string]*raw{"A": a, "B": b} {
		data := `{"user_id":"` + id + `"}`
		r.subscribe(channel, r.auth(channel, data), data)
		for !strings.Contains(r.read(), "subscription_succeeded") {
		}
	}
	b.send(`{"event":"client-typing","channel":"presence-c","data":{"h":1},"user_id":"forged"}`)
	for {
		got := a.read() // maybe member_added first, depending on the order of arrival
		if strings.Contains(got, "member_added") {
			continue
		}
		if want := `{"event":"client-typing","channel":"presence-c","data":{"h":1},"user_id":"B"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		break
	}

	// Ten a second pass; any more come back as an error, and the socket stays.
	c := h.connect(t)
	c.enter("private-c")
	for range 30 {
		c.send(`{"event":"client-x","channel":"private-c","data":{}}`)
	}
	c.expect(rejected("Client event rejected due to rate limit"))
}

func TestConformanceNonsense(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	for _, message := range []string{
		`{`, `[]`, `null`, `5`, `"x"`, ``, `{}`, `{"event":5}`, `{"event":"unknown"}`, `{"event":"pusher:subscribe"}`,
		`{"event":"pusher:subscribe","data":"a"}`, `{"event":"pusher:subscribe","data":{}}`, `{"event":"pusher:subscribe","data":{"channel":7}}`,
		`{"event":"pusher:unsubscribe","data":[]}`, `{"event":"client-x"}`, `{"event":"pusher:signin","data":{}}`,
	} {
		a.send(message)
		if got := a.read(); !strings.HasPrefix(got, `{"event":"pusher:error","data":{"code":4`) {
			t.Errorf("%s: %s", message, got)
		}
	}
	for _, channel := range []string{"a b", "é", strings.Repeat("x", 201), "#server-to-user-1", "#other"} {
		a.subscribe(channel, "", "")
		for _, event := range []string{"pusher:error", "pusher:subscription_error"} {
			if got := a.read(); !strings.HasPrefix(got, `{"event":"`+event+`"`) {
				t.Errorf("channel %s: %s, want %s", channel, got, event)
			}
		}
	}
	a.silence() // none of it ended the connection

	for name, test := range map[string]struct {
		kind int
		data string
		code int
	}{
		"binary":      {websocket.BinaryMessage, "x", 1003},
		"not UTF-8":   {websocket.TextMessage, "\xff", 1007},
		"over 16 KiB": {websocket.TextMessage, strings.Repeat(" ", 16<<10+1), 1009},
	} {
		t.Run(name, func(t *testing.T) {
			r := h.connect(t)
			r.t = t
			if err := r.ws.WriteMessage(test.kind, []byte(test.data)); err != nil {
				t.Fatal(err)
			}
			r.expectClose(test.code)
		})
	}
}

// What the page of ChatApp's documentation does: get a signature, subscribe, listen.
// And what happens when access is withdrawn.
func TestConformanceAuthorized(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	const channel, presence = line, "presence-v1.companies.2224"
	auth, _ := h.authorize(t, a, token, channel)
	a.subscribe(channel, auth, "")
	a.expect(succeeded(channel))
	presenceAuth, data := h.authorize(t, a, "Bearer "+token, presence)
	a.subscribe(presence, presenceAuth, data)
	a.expect(`{"event":"pusher_internal:subscription_succeeded","channel":"presence-v1.companies.2224","data":` +
		`"{\"presence\":{\"ids\":[\"685\"],\"hash\":{\"685\":{\"id\":685,\"name\":\"Mr. \\u003cChannels\\u003e\"}},\"count\":1}}"}`)

	h.withdraw("685", channel)
	withdrawn := func(message string) string {
		return `{"event":"pusher:subscription_error","channel":"` + channel + `","data":{"type":"AuthError","error":"` + message + `","status":403}}`
	}
	a.expect(withdrawn("Access to the channel was withdrawn"))
	if err := h.engine.Publish(t.Context(), broadcasting.Event{App: "3", Channel: channel, Name: "e", Data: "x"}); err != nil {
		t.Fatal(err)
	}
	a.silence()
	a.subscribe(channel, auth, "") // the old signature is no longer valid
	a.expect(`{"event":"pusher:error","data":{"code":4009,"message":"Access to `+channel+` was withdrawn"}}`,
		withdrawn("Access to "+channel+" was withdrawn"))
	auth, _ = h.authorize(t, a, token, channel) // allowed again
	a.subscribe(channel, auth, "")
	a.expect(succeeded(channel))

	h.disconnect("685")
	a.expect(`{"event":"pusher:error","data":{"code":4009,"message":"The user is no longer allowed to be here"}}`)
	a.expectClose(4009)
}

func TestConformanceLimitsAndEnd(t *testing.T) {
	h := newHarness(t)
	small := h.dial(t, "/app/small?protocol=7", nil)
	small.read()
	for _, channel := range []string{"a", "b"} {
		small.subscribe(channel, "", "")
		small.expect(succeeded(channel))
	}
	small.subscribe("c", "", "")
	small.expect(`{"event":"pusher:error","data":{"code":4312,"message":"At most 2 channels are allowed on one connection"}}`,
		`{"event":"pusher:subscription_error","channel":"c","data":{"type":"LimitReached","error":"At most 2 channels are allowed on one connection","status":429}}`)

	a := h.connect(t)
	ended := make(chan struct{})
	go func() { defer close(ended); h.stop() }()
	a.expect(`{"event":"pusher:error","data":{"code":4100,"message":"The server restarts, please come back in a second"}}`)
	a.expectClose(4100)
	small.expect(`{"event":"pusher:error","data":{"code":4100,"message":"The server restarts, please come back in a second"}}`)
	small.expectClose(4100)
	<-ended
}

// Events of one publisher arrive in order, each exactly once.
func TestConformanceOrder(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	a.enter("private-o")
	b.enter("private-o")
	for i := range 200 {
		h.publish(t, fmt.Sprintf(`{"name":"e","channel":"private-o","data":"%d"}`, i))
	}
	for _, r := range []*raw{a, b} {
		for i := range 200 {
			r.expect(fmt.Sprintf(`{"event":"e","channel":"private-o","data":"%d"}`, i))
		}
		r.silence()
	}
}
