package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/server"
)

func text(s string) []byte {
	return server.Frame(append(make([]byte, server.HeaderRoom), s...))
}

// echo is a dialect that repeats every message, and records how it was closed.
type echo struct {
	s      *server.Session
	closed chan server.Reason
}

func (e *echo) Message(b []byte) {
	if string(b) == "panic" {
		panic("as asked")
	}
	e.s.Queue(text(string(b)))
}
func (e *echo) Idle()                  { e.s.Queue(text("still there?")) }
func (e *echo) Info() server.Info      { return server.Info{ID: "echo", Channels: 3} }
func (e *echo) Closed(r server.Reason) { e.closed <- r }
func (e *echo) Disconnect(r server.Reason) server.Disconnect {
	return server.Disconnect{Frame: text("bye: " + string(r)), Code: 4100, Message: string(r)}
}

// host is a running Server of echoes.
type host struct {
	*server.Server
	http     *httptest.Server
	sessions chan *server.Session
	closed   chan server.Reason
	stop     func()
}

func start(t *testing.T, o server.Options) *host {
	t.Helper()
	h := &host{Server: server.New(o), sessions: make(chan *server.Session, 100), closed: make(chan server.Reason, 100)}
	h.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = h.Accept(w, r, "198.51.100.7", func(s *server.Session) server.Handler {
			h.sessions <- s
			return &echo{s, h.closed}
		})
	}))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(testwait.Long):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(func() { h.stop(); h.http.Close() })
	return h
}

func (h *host) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	ws, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.http.URL, "http"), nil)
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, answer)
	}
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func receive[T any](t *testing.T, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(testwait.Long):
		t.Fatalf("no %s", what)
	}
	return v
}

func read(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_, b, err := ws.ReadMessage()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(b)
}

// readClose reads up to the close frame and returns the messages before it.
func readClose(t *testing.T, ws *websocket.Conn) (messages []string, code int, reason string) {
	t.Helper()
	for {
		_, b, err := ws.ReadMessage()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return messages, closed.Code, closed.Text
		case err != nil:
			t.Fatalf("no close frame: %v", err)
		}
		messages = append(messages, string(b))
	}
}
