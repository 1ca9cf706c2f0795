package server_test

import (
	"runtime"
	"strings"
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
