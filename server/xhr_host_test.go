package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// xhrEcho is a dialect that repeats every message of a session over HTTP.
type xhrEcho struct {
	s      *server.HTTPSession
	closed chan server.Reason
}

func (e *xhrEcho) Message(b []byte) {
	if string(b) == "panic" {
		panic("as asked")
	}
	e.s.Queue(text(string(b)))
}
func (e *xhrEcho) Idle()                  { e.s.Queue(text("still there?")) }
func (e *xhrEcho) Info() server.Info      { return server.Info{ID: "echo", Channels: 3} }
func (e *xhrEcho) Closed(r server.Reason) { e.closed <- r }
func (e *xhrEcho) Disconnect(r server.Reason) server.Disconnect {
	return server.Disconnect{Frame: text("bye: " + string(r)), Code: 4100, Message: string(r)}
}

// xhrHost is a running Server of echoes over HTTP: /NAME/xhr, /NAME/xhr_streaming
// and /NAME/xhr_send.
type xhrHost struct {
	t testing.TB
	*server.Server
	remote   string // of every client
	http     *server.HTTPSessions
	url      string
	sessions chan *server.HTTPSession
	closed   chan server.Reason
	stop     func()
	pause    time.Duration // after each message; 0: none
}

func (h *xhrHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, kind, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if kind == "xhr_send" {
		h.http.Send(w, r, name)
		return
	}
	by := server.ReceiveRequest{Session: name, Remote: h.remote, Streaming: kind == "xhr_streaming"}
	h.http.Receive(w, r, by, func(s *server.HTTPSession) server.Handler {
		h.sessions <- s
		e := &xhrEcho{s, h.closed}
		if h.pause > 0 {
			return paced{e, h.pause}
		}
		return e
	})
}

// runXHR runs a server without a port.
func runXHR(t testing.TB, o server.Options) *xhrHost {
	h := &xhrHost{t: t, Server: server.New(o), remote: "198.51.100.7", sessions: make(chan *server.HTTPSession, 100), closed: make(chan server.Reason, 100)}
	h.http = server.NewHTTPSessions(h.Server, server.SockJS{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return h
}

func startXHR(t *testing.T, o server.Options) *xhrHost {
	t.Helper()
	if o.Absence == 0 {
		o.Absence = time.Minute // the machine may be slow
	}
	h := runXHR(t, o)
	web := httptest.NewServer(h)
	h.url = web.URL
	t.Cleanup(func() { h.stop(); web.Close() })
	return h
}

// post sends a request; the body of the response is still open.
func (h *xhrHost) post(path, body string) *http.Response {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testwait.Long)
	h.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatalf("POST %s: %v", path, err)
	}
	h.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// ask sends a request and returns the whole answer: status and body.
func (h *xhrHost) ask(path, body string) string {
	h.t.Helper()
	res := h.post(path, body)
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatalf("POST %s: %v", path, err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, answer)
}

func (h *xhrHost) asks(path, body, want string) {
	h.t.Helper()
	if got := h.ask(path, body); got != want {
		h.t.Errorf("POST %s %.80q: %.200q, want %.200q", path, body, got, want)
	}
}

// stream is a streaming answer, read line by line.
type stream struct {
	t testing.TB
	*bufio.Reader
	body io.Closer
}

func (h *xhrHost) stream(name string) *stream {
	h.t.Helper()
	res := h.post("/"+name+"/xhr_streaming", "")
	s := &stream{h.t, bufio.NewReader(res.Body), res.Body}
	s.says(strings.Repeat("h", 2048))
	return s
}

func (s *stream) line() string {
	s.t.Helper()
	line, err := s.ReadString('\n')
	if err != nil {
		s.t.Fatalf("after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (s *stream) says(want ...string) {
	s.t.Helper()
	for _, w := range want {
		if got := s.line(); got != w {
			s.t.Fatalf("the line is %.200q, want %.200q", got, w)
		}
	}
}

func (s *stream) ends() {
	s.t.Helper()
	if rest, err := io.ReadAll(s); err != nil || len(rest) > 0 {
		s.t.Errorf("the answer does not end: %.200q, %v", rest, err)
	}
}

// until waits for a condition that no event announces.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(testwait.Long); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}
