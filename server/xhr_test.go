package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"chatcast/channels/testwait"
	"chatcast/server"
)

func TestXHRPolling(t *testing.T) {
	h := startXHR(t, server.Options{Linger: testwait.Long})
	first := h.post("/a/xhr", "")
	for name, want := range map[string]string{
		"Content-Type":      "application/javascript; charset=UTF-8",
		"X-Accel-Buffering": "no",
		"Cache-Control":     "no-store, no-cache, no-transform, must-revalidate, max-age=0",
	} {
		if got := first.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if body, err := io.ReadAll(first.Body); err != nil || string(body) != "o\n" {
		t.Fatalf("the first answer is %q, %v", body, err)
	}
	if c := h.Connz(); len(c) != 1 || c[0].Transport != "xhr_polling" || c[0].Remote != "198.51.100.7" || c[0].ID != "echo" {
		t.Errorf("the session is listed as %+v", c)
	}
	h.asks("/a/xhr_send", `["one","t\"w<o\u2028üñ😀"]`, "204 ")
	h.asks("/a/xhr_send", `["three"]`, "204 ")
	h.asks("/a/xhr", "", `200 a["one","t\"w<o\u2028üñ😀","three"]`+"\n")
	session := receive(t, h.sessions, "session")
	session.Queue(text("queued"))
	session.Close(server.Disconnect{Reason: "told", Code: 4200, Message: `come "back"`})
	if r := receive(t, h.closed, "end"); r != "told" {
		t.Errorf("ended as %s", r)
	}
	session.Queue(text("too late"))
	h.asks("/a/xhr_send", `["too late"]`, "404 there is no such session\n")
	h.asks("/a/xhr", "", `200 a["queued"]`+"\n"+`c[4200,"come \"back\""]`+"\n")
	until(t, "end of the session", func() bool { return h.Stats().Ended["told"] == 1 && h.Stats().Open == 0 })
	h.asks("/a/xhr", "", "200 o\n")                                                     // a new session
	receive(t, h.sessions, "session").Close(server.Disconnect{Reason: server.PeerGone}) // else the end of the test would wait for its client
}

func TestXHRStreaming(t *testing.T) {
	h := startXHR(t, server.Options{})
	s := h.stream("a")
	s.says("o")
	for _, m := range []string{"one", "", "two"} {
		h.asks("/a/xhr_send", fmt.Sprintf("[%q]", m), "204 ")
		s.says(fmt.Sprintf("a[%q]", m)) // at once
	}
	if c := h.Connz(); len(c) != 1 || c[0].Transport != "xhr_streaming" {
		t.Errorf("the session is listed as %+v", c)
	}
	// Nobody may read along, and a refused request changes nothing.
	h.asks("/a/xhr", "", "200 c[2010,\"Another connection still open\"]\n")
	h.asks("/a/xhr_send", `["still mine"]`, "204 ")
	s.says(`a["still mine"]`)
	// The client asks for a sign of life; its answer to ours has no answer.
	h.asks("/a/xhr_send", `[]`, "204 ")
	s.says("h")
	h.asks("/a/xhr_send", `[]`, "204 ")
	h.asks("/a/xhr_send", `["next"]`, "204 ")
	s.says(`a["next"]`)
	// A broken answer ends the session at once.
	_ = s.body.Close()
	if r := receive(t, h.closed, "end"); r != server.PeerGone {
		t.Errorf("ended as %s", r)
	}
	until(t, "end of the session", func() bool { return h.Stats().Open == 0 })
	h.asks("/a/xhr_send", `["x"]`, "404 there is no such session\n")
}

func TestXHRSendFaults(t *testing.T) {
	h := startXHR(t, server.Options{MessageBytes: 100, Linger: testwait.Long})
	h.asks("/a/xhr", "", "200 o\n")
	const noArray = "400 the body must be a JSON array of strings\n"
	for body, want := range map[string]string{
		"":                                     noArray,
		"null":                                 noArray,
		"{}":                                   noArray,
		`"text"`:                               noArray,
		"[1]":                                  noArray,
		"[null]":                               noArray,
		`["a",{}]`:                             noArray,
		`["a"`:                                 noArray,
		`["a"]["b"]`:                           noArray,
		"[\"\xff\"]":                           "400 the body is not valid UTF-8\n",
		`["` + strings.Repeat("x", 800):        "413 the message is too large\n",
		strings.Repeat(" ", 798) + "[]":        "204 ",
		strings.Repeat(" ", 799) + "[]":        "413 the message is too large\n",
		`["` + strings.Repeat("x", 100) + `"]`: "204 ",
	} {
		h.asks("/a/xhr_send", body, want)
		h.asks("/b/xhr_send", `[]`, "404 there is no such session\n")
	}
	if got := h.ask("/a/xhr", ""); got != "200 a[\""+strings.Repeat("x", 100)+"\"]\n" {
		t.Errorf("of all that, %q came back", got)
	}
	h.asks("/a/xhr", strings.Repeat("x", 4097), "413 A receiving request has no body.\n")
	h.asks("/a/xhr_send", `["before","`+strings.Repeat("x", 101)+`","after"]`, "413 the message is too large\n")
	if r := receive(t, h.closed, "end"); r != server.TooLarge {
		t.Errorf("ended as %s", r)
	}
	h.asks("/a/xhr", "", "200 a[\"before\"]\nc[1009,\"The message is too large\"]\n")

	h.asks("/p/xhr", "", "200 o\n")
	h.asks("/p/xhr_send", `["panic"]`, "204 ")
	h.asks("/p/xhr", "", "200 c[1011,\"Internal error\"]\n")
	if r := receive(t, h.closed, "end"); r != server.Internal {
		t.Errorf("ended as %s", r)
	}
}

// A stream ends after the first line that exceeds what pusher-js wants in one answer,
// in its own count, and the next frames come in the next answer.
func TestXHRStreamHandsOver(t *testing.T) {
	const most = 256 * 1024 // HTTPRequest.isBufferTooLong
	h := startXHR(t, server.Options{QueueBytes: 8 << 20})
	h.asks("/a/xhr", "", "200 o\n")
	session := receive(t, h.sessions, "session")
	const messages = 2000
	for i := range messages {
		session.Queue(text(fmt.Sprintf("%d %s", i, strings.Repeat("ü€😀\"x", i%100))))
	}
	next, answers := 0, 0
	for ; next < messages; answers++ {
		s := h.stream("a")
		read := 2049
		for next < messages && read <= most {
			line := s.line()
			read += len(utf16.Encode([]rune(line))) + 1
			var list []string
			if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "a")), &list); err != nil {
				t.Fatalf("%.100q: %v", line, err)
			}
			for _, m := range list {
				if want := fmt.Sprintf("%d %s", next, strings.Repeat("ü€😀\"x", next%100)); m != want {
					t.Fatalf("message %d is %.100q", next, m)
				}
				next++
			}
		}
		if read > most {
			s.ends()
		} else {
			_ = s.body.Close()
		}
	}
	if answers < 3 {
		t.Errorf("only %d answers", answers)
	}
}

func TestXHRSlowConsumer(t *testing.T) {
	h := startXHR(t, server.Options{QueueBytes: 1000, Linger: testwait.Long})
	h.asks("/a/xhr", "", "200 o\n")
	session := receive(t, h.sessions, "session")
	session.Queue(text(strings.Repeat("x", 2000))) // an empty queue accepts it
	h.asks("/a/xhr", "", "200 a[\""+strings.Repeat("x", 2000)+"\"]\n")
	for range 12 {
		session.Queue(text(strings.Repeat("x", 98)))
	}
	if r := receive(t, h.closed, "end"); r != server.SlowConsumer {
		t.Errorf("ended as %s", r)
	}
	h.asks("/a/xhr", "", "200 a[\"bye: slow_consumer\"]\nc[4100,\"slow_consumer\"]\n")
}

func TestXHRAddressLimit(t *testing.T) {
	h := startXHR(t, server.Options{PerAddress: 1})
	h.asks("/a/xhr", "", "200 o\n")
	h.asks("/b/xhr", "", "200 o\na[\"bye: address_full\"]\nc[4100,\"address_full\"]\n")
	h.asks("/a/xhr_send", `["still here"]`, "204 ")
	h.asks("/a/xhr", "", "200 a[\"still here\"]\n")
	receive(t, h.sessions, "session").Close(server.Disconnect{Reason: server.PeerGone})
	until(t, "end of the refused one", func() bool { return h.Stats().Ended[server.AddressFull] == 1 && h.Stats().Open == 0 })
}

// A session without a name lasts for one answer.
func TestXHRRefused(t *testing.T) {
	h := startXHR(t, server.Options{})
	go func() {
		(<-h.sessions).Close(server.Disconnect{Reason: "no", Frame: text("no"), Code: 4001, Message: "never"})
	}()
	h.asks("//xhr_streaming", "", "200 "+strings.Repeat("h", 2048)+"\no\na[\"no\"]\nc[4001,\"never\"]\n")
	h.asks("//xhr_send", "[]", "404 there is no such session\n")
}

func TestXHRDrain(t *testing.T) {
	h := startXHR(t, server.Options{Linger: 100 * time.Millisecond})
	s := h.stream("s")
	s.says("o")
	polled := make(chan string, 1)
	h.asks("/p/xhr", "", "200 o\n")
	h.asks("/between/xhr", "", "200 o\n")
	go func() { polled <- h.ask("/p/xhr", "") }()
	h.stop()
	s.says(`a["bye: stopping"]`, `c[4100,"stopping"]`)
	s.ends()
	for range 3 {
		if r := receive(t, h.closed, "end"); r != server.Stopping {
			t.Errorf("ended as %s", r)
		}
	}
	switch got := receive(t, polled, "answer"); got {
	case "200 a[\"bye: stopping\"]\nc[4100,\"stopping\"]\n", "503 the server stops\n": // it may come too late
	default:
		t.Errorf("who polls gets %q", got)
	}
	res := h.post("/new/xhr", "")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("a new session is answered %d %v", res.StatusCode, res.Header)
	}
	if st := h.Stats(); st.Open != 0 || st.Ended[server.Stopping] != 3 {
		t.Errorf("at the end there are %+v", st)
	}
}
