package pusher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// xhrPeer is a client of the fallback transports without any knowledge of the protocol.
type xhrPeer struct {
	t    *testing.T
	url  string // of the session
	id   string
	from string // origin of its page
}

func (h *harness) xhr(t *testing.T, key, session string) *xhrPeer {
	return &xhrPeer{t: t, url: h.url + "/pusher/app/" + key + "/417/" + session}
}

const xhrQuery = "?protocol=7&client=js&version=8.6.0&t=1795640000000&n=1"

// post returns the status and body of an answer that ends.
func (x *xhrPeer) post(path, body string) string {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testwait.Long)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url+path, strings.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if x.from != "" {
		req.Header.Set("Origin", x.from)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		x.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, answer)
}

func (x *xhrPeer) poll() string { x.t.Helper(); return x.post("/xhr"+xhrQuery, "") }

// send sends messages as pusher-js does.
func (x *xhrPeer) send(messages ...string) {
	x.t.Helper()
	body, _ := json.Marshal(messages)
	if got := x.post("/xhr_send?t=1795640000000&n=2", string(body)); got != "204 " {
		x.t.Fatalf("sending %s: %s", body, got)
	}
}

// lines returns a polling answer with these messages.
func lines(messages ...string) string {
	var b strings.Builder
	b.WriteString("a")
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(messages)
	return b.String()
}

var xhrEstablished = regexp.MustCompile(`^200 o\na\["\{\\"event\\":\\"pusher:connection_established\\",\\"data\\":\\"\{\\\\\\"socket_id\\\\\\":\\\\\\"(\d+\.\d+)\\\\\\",\\\\\\"activity_timeout\\\\\\":120\}\\"\}"\]\n$`)

func (x *xhrPeer) connect() *xhrPeer {
	x.t.Helper()
	first := x.poll()
	match := xhrEstablished.FindStringSubmatch(first)
	if match == nil {
		x.t.Fatalf("the first answer is %q", first)
	}
	x.id = match[1]
	return x
}

func TestXHRConversation(t *testing.T) {
	h := newHarness(t)
	a := h.xhr(t, docKey, "session1").connect()
	ws := h.connect(t)
	join := func(id, channel, data string) string {
		auth := (&raw{id: id}).auth(channel, data)
		text, _ := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": channel, "auth": auth, "channel_data": data}})
		return string(text)
	}
	ws.send(join(ws.id, "presence-r", `{"user_id":"w"}`))
	ws.read()
	a.send(join(a.id, "presence-r", `{"user_id":"x"}`), join(a.id, "private-in", ""), `{"event":"pusher:ping"}`, `nonsense`)
	want := "200 " + lines(
		`{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":"{\"presence\":{\"ids\":[\"w\",\"x\"],\"hash\":{\"w\":null,\"x\":null},\"count\":2}}"}`,
		succeeded("private-in"), `{"event":"pusher:pong","data":"{}"}`, errorSays(4310, "The message is not valid JSON"))
	if got := a.poll(); got != want {
		t.Fatalf("the answers are\n%s want\n%s", got, want)
	}
	ws.expect(`{"event":"pusher_internal:member_added","channel":"presence-r","data":"{\"user_id\":\"x\"}"}`)
	a.send(`{"event":"client-wave","channel":"presence-r","data":{"hands":2}}`)
	ws.expect(`{"event":"client-wave","channel":"presence-r","data":{"hands":2},"user_id":"x"}`)
	h.publish(t, `{"name":"mine","channel":"private-in","data":"x","socket_id":"`+a.id+`"}`)
	h.publish(t, `{"name":"e","channel":"private-in","data":"y"}`)
	if got := a.poll(); got != "200 "+lines(`{"event":"e","channel":"private-in","data":"y"}`) {
		t.Errorf("the event came as %s", got)
	}
	// A proxy may remove the prefix; it is still the same session.
	stripped := &xhrPeer{t: t, url: strings.Replace(a.url, "/pusher/", "/", 1)}
	stripped.send(`{"event":"pusher:ping"}`)
	if got := stripped.poll(); got != "200 "+lines(`{"event":"pusher:pong","data":"{}"}`) {
		t.Errorf("without the prefix: %s", got)
	}
	// A session of another app with the same name is another session.
	other := h.xhr(t, "small", "session1").connect()
	other.send(`{"event":"pusher:ping"}`)
	if got := other.poll(); got != "200 "+lines(`{"event":"pusher:pong","data":"{}"}`) {
		t.Errorf("the other session: %s", got)
	}
}

// TestXHRAdmission: a refused client is told as on a socket, and leaves nothing behind.
func TestXHRAdmission(t *testing.T) {
	h := newHarness(t)
	prelude := strings.Repeat("h", 2048) + "\n"
	refused := func(code int, message string) string {
		return "o\n" + lines(errorSays(code, message)) + fmt.Sprintf("c[%d,%q]\n", code, message)
	}
	for name, c := range map[string]struct {
		key, query, origin string
		want               string
	}{
		"unknown app":     {"nobody", "?protocol=7", "", refused(4001, "The application does not exist")},
		"disabled app":    {"disabled", "?protocol=7", "", refused(4003, "The application is disabled")},
		"no version":      {docKey, "", "", refused(4008, "No protocol version was supplied")},
		"bad version":     {docKey, "?protocol=x", "", refused(4006, "The protocol version is not a number")},
		"another version": {docKey, "?protocol=8", "", refused(4007, "The protocol version is not supported: 5, 6 and 7 are")},
		"another origin":  {"picky", "?protocol=7", "https://evil.example", refused(4009, "This origin may not connect to the application")},
	} {
		t.Run(name, func(t *testing.T) {
			x := h.xhr(t, c.key, "session2")
			x.from = c.origin
			if got := x.post("/xhr"+c.query, ""); got != "200 "+c.want {
				t.Errorf("polling: %s\nwant %s", got, c.want)
			}
			if got := x.post("/xhr_streaming"+c.query, ""); got != "200 "+prelude+c.want {
				t.Errorf("streaming: %s\nwant %s", got, c.want)
			}
			if got := x.post("/xhr_send", "[]"); got != "404 there is no such session\n" {
				t.Errorf("sending: %s", got)
			}
		})
	}
	mine := h.xhr(t, "picky", "session3")
	mine.from = "https://crm.example"
	mine.connect()
	strange := h.xhr(t, "picky", "session3")
	strange.from = "https://evil.example"
	if got := strange.poll(); got != "200 "+refused(4009, "This origin may not connect to the application") {
		t.Errorf("a strange page gets %s", got)
	}
	mine.send(`{"event":"pusher:ping"}`)
	if got := mine.poll(); got != "200 "+lines(`{"event":"pusher:pong","data":"{}"}`) {
		t.Errorf("the page itself: %s", got)
	}
	for _, path := range []string{"short77", "has.a.dot", "has%20space", strings.Repeat("x", 65), "ünïcödéd"} {
		for _, kind := range []string{"/xhr" + xhrQuery, "/xhr_streaming" + xhrQuery, "/xhr_send"} {
			if got := h.xhr(t, docKey, path).post(kind, "[]"); !strings.HasPrefix(got, "404 a session is named") {
				t.Errorf("%s%s: %s", path, kind, got)
			}
		}
	}
}

// The app's limit of sockets includes sessions over HTTP, and they free their places.
func TestXHRAppFull(t *testing.T) {
	h := newHarness(t)
	first := h.xhr(t, "small", "session4").connect()
	full := "200 o\n" + lines(errorSays(4004, "The application is over its connection quota")) + "c[4004,\"The application is over its connection quota\"]\n"
	if got := h.xhr(t, "small", "session5").poll(); got != full {
		t.Errorf("the second session gets %s", got)
	}
	ctx, leave := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, first.url+"/xhr_streaming"+xhrQuery, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	_ = res.Body.Close()
	for end := time.Now().Add(testwait.Long); ; runtime.Gosched() {
		if got := h.xhr(t, "small", "session6").poll(); got != full {
			break // there is room again
		}
		if time.Now().After(end) {
			t.Fatal("the first one has left, but the app is full")
		}
	}
}

// The rates are those of sockets: what is sent beyond the burst waits, and is not lost.
func TestXHRBeyondTheBurst(t *testing.T) {
	h := newHarness(t, func(o *setup) { o.pusher.MessageBurst, o.pusher.MessagesPerSecond = 10, 100 })
	x := h.xhr(t, docKey, "session7").connect()
	messages, answers := make([]string, 30), make([]string, 30)
	for i := range messages {
		channel := "news-" + strconv.Itoa(i)
		messages[i], answers[i] = `{"event":"pusher:subscribe","data":{"channel":"`+channel+`"}}`, succeeded(channel)
	}
	began := time.Now()
	x.send(messages...)
	if d := time.Since(began); d < 190*time.Millisecond {
		t.Errorf("20 messages too many took %s, at 100 in a second", d)
	}
	if got := x.poll(); got != "200 "+lines(answers...) {
		t.Errorf("the answers are %s", got)
	}
}
