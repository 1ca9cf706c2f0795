package server_test

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// Until the last socket has ended, new ones are told to come back later, by a close
// frame: a handshake that fails would be taken for a broken network.
func TestDrainTellsNewcomers(t *testing.T) {
	h := start(t, server.Options{DrainLinger: testwait.Long, Linger: testwait.Long})
	last := h.dial(t)
	stopped := make(chan struct{})
	go func() { defer close(stopped); h.stop() }()
	for !h.IsStopping() {
		runtime.Gosched()
	}
	for range 3 {
		messages, code, why := readClose(t, h.dial(t))
		if code != 4100 || why != "stopping" || len(messages) != 1 {
			t.Errorf("a new socket is told %d %q after %q", code, why, messages)
		}
	}
	readClose(t, last) // and answers
	<-stopped
	_, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.http.URL, "http"), nil)
	if err == nil || res == nil || res.StatusCode != 503 {
		t.Errorf("after the end a socket gets %v, %v", res, err)
	}
}

// A peer that does not answer holds up the end no longer than DrainLinger.
func TestDrainCutsWhoDoesNotAnswer(t *testing.T) {
	h := start(t, server.Options{DrainLinger: 20 * time.Millisecond, Linger: time.Hour})
	ws := h.dial(t)
	receive(t, h.sessions, "session")
	h.stop()
	if _, code, why := readClose(t, ws); code != 4100 || why != "stopping" { // all the same, it can read why
		t.Errorf("told %d %q", code, why)
	}
}

// Where other nodes serve, sockets are told to come back at once (the dialect's word is
// moved), slowly, and are served until then. When the others have gone, the rest are told
// to come back later.
func TestDrainMovesSockets(t *testing.T) {
	var successor atomic.Int64
	successor.Store(int64(server.Serving))
	h := start(t, server.Options{
		MovesPerSecond: 20, DrainLinger: testwait.Long, Linger: testwait.Long,
		Successor: func() server.Successor { return server.Successor(successor.Load()) },
	})
	const sockets = 10
	told := make(chan string, sockets)
	for range sockets {
		ws := h.dial(t)
		go func() {
			_, _, err := ws.ReadMessage() // the close frame
			for err == nil {
				_, _, err = ws.ReadMessage() // and answers
			}
			var closed *websocket.CloseError
			errors.As(err, &closed)
			if closed == nil {
				closed = &websocket.CloseError{Text: err.Error()}
			}
			told <- closed.Text
		}()
	}
	began := time.Now()
	stopped := make(chan struct{})
	go func() { defer close(stopped); h.stop() }()
	if why := receive(t, told, "a socket that moves"); why != "moved" {
		t.Errorf("the first one is told %q", why)
	}
	if left := len(h.Connz()); left < 2 {
		t.Errorf("%d sockets are left after the first one", left)
	}
	successor.Store(int64(server.Nobody))
	last := ""
	for range sockets - 1 {
		last = receive(t, told, "a socket that moves")
	}
	if last != "stopping" {
		t.Errorf("when the others have gone, the last one is told %q", last)
	}
	<-stopped
	if took := time.Since(began); took < 400*time.Millisecond { // nine pauses of 50 ms
		t.Errorf("ten sockets moved within %v", took)
	}
}

// The next process that waits for this one gets the sockets at once.
func TestDrainToTheNextProcess(t *testing.T) {
	h := start(t, server.Options{
		MovesPerSecond: 1, DrainLinger: testwait.Long, Linger: testwait.Long,
		Successor: func() server.Successor { return server.Waiting },
	})
	ws := h.dial(t)
	go h.stop()
	if _, _, why := readClose(t, ws); why != "moved" {
		t.Errorf("the socket is told %q", why)
	}
}

// Limits change under open sockets, and how many sockets an address has is still known.
func TestSetLimits(t *testing.T) {
	h := start(t, server.Options{})
	first := h.dial(t)
	h.SetLimits(server.Limits{PerAddress: 1, MessageBytes: 10})
	second := h.dial(t) // the first one is not counted, because there was no limit
	if _, code, _ := readClose(t, h.dial(t)); code != 4100 {
		t.Errorf("one too many is told %d", code)
	}
	if err := second.WriteMessage(websocket.TextMessage, []byte("eleven bytes")); err != nil {
		t.Fatal(err)
	}
	if _, code, _ := readClose(t, second); code != websocket.CloseMessageTooBig {
		t.Errorf("a message over the limit is told %d", code)
	}
	h.SetLimits(server.Limits{})
	_ = first.Close()
	for range 3 {
		if err := h.dial(t).WriteMessage(websocket.TextMessage, []byte("eleven bytes")); err != nil {
			t.Error(err)
		}
	}
}
