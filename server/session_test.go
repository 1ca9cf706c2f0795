package server_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/server"
)

func TestEcho(t *testing.T) {
	h := start(t, server.Options{})
	ws := h.dial(t)
	for _, s := range []string{"", "a", strings.Repeat("b", 125), strings.Repeat("c", 126), strings.Repeat("ü", 8000)} {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, ws); got != s {
			t.Fatalf("%d bytes came back as %d", len(s), len(got))
		}
	}
	if err := ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "done"), time.Now().Add(testwait.Long)); err != nil {
		t.Fatal(err)
	}
	if _, code, _ := readClose(t, ws); code != 1000 {
		t.Errorf("our close was answered with %d", code)
	}
	if r := receive(t, h.closed, "end"); r != server.PeerClosed {
		t.Errorf("ended as %s", r)
	}
}

func TestFragmentsAndControlFramesBetween(t *testing.T) {
	h := start(t, server.Options{})
	ws := h.dial(t)
	pong := make(chan string, 1)
	ws.SetPongHandler(func(s string) error { pong <- s; return nil })
	raw := ws.NetConn()
	for _, f := range [][]byte{masked(0x01, "he"), masked(0x89, "p"), masked(0x00, "l"), masked(0x80, "lo")} {
		if _, err := raw.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, ws); got != "hello" {
		t.Errorf("got %q", got)
	}
	if got := receive(t, pong, "pong"); got != "p" {
		t.Errorf("pong says %q", got)
	}
}

// masked returns a frame as a client sends it.
func masked(first byte, payload string) []byte {
	b := []byte{first, 0x80 | byte(min(len(payload), 126))}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// A roster or an event may be larger than the queue: its reader is not a slow consumer.
func TestFrameLargerThanTheQueue(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 1 << 10})
	ws := h.dial(t)
	session := receive(t, h.sessions, "session")
	for _, n := range []int{1 << 10, 8 << 10, 1 << 20} {
		for c := h.Connz(); c[0].QueuedBytes > 0; c = h.Connz() {
			runtime.Gosched() // the peer may have it before it counts as written
		}
		session.Queue(text(strings.Repeat("x", n)))
		if got := read(t, ws); len(got) != n {
			t.Fatalf("%d bytes came as %d: %.40q", n, len(got), got)
		}
	}
}

// Errors below any dialect are answered in the WebSocket protocol, and everything
// queued before still arrives.
func TestBadFrames(t *testing.T) {
	for name, c := range map[string]struct {
		frame  []byte
		code   int
		reason server.Reason
	}{
		"binary":                  {masked(0x82, "x"), 1003, server.NotText},
		"invalid UTF-8":           {masked(0x81, "\xff"), 1007, server.BadUTF8},
		"half a character":        {masked(0x81, "\xc3"), 1007, server.BadUTF8},
		"too large":               {masked(0x81, strings.Repeat("x", 20_000)), 1009, server.TooLarge},
		"unmasked":                {[]byte{0x81, 1, 'x'}, 1002, server.ProtocolError},
		"reserved bit":            {masked(0xC1, "x"), 1002, server.ProtocolError},
		"unknown opcode":          {masked(0x83, "x"), 1002, server.ProtocolError},
		"continuation of nothing": {masked(0x80, "x"), 1002, server.ProtocolError},
		"long control frame":      {masked(0x89, strings.Repeat("x", 126)), 1002, server.ProtocolError},
		"fragmented ping":         {masked(0x09, "x"), 1002, server.ProtocolError},
		"bad close code":          {masked(0x88, "\x00\x01"), 1002, server.ProtocolError},
		"length beyond all":       {append([]byte{0x81, 0xFF}, bytes.Repeat([]byte{0xFF}, 12)...), 1002, server.ProtocolError},
		"huge and never sent":     {[]byte{0x81, 0xFF, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, server.PeerGone},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, server.Options{})
			ws := h.dial(t)
			if _, err := ws.NetConn().Write(append(masked(0x81, "first"), c.frame...)); err != nil {
				t.Fatal(err)
			}
			if got := read(t, ws); got != "first" {
				t.Errorf("before: %q", got)
			}
			if c.code == 0 {
				_ = ws.Close()
			} else if rest, code, why := readClose(t, ws); code != c.code || why == "" || len(rest) > 0 {
				t.Errorf("closed with %d %q after %q, want %d", code, why, rest, c.code)
			}
			if r := receive(t, h.closed, "end"); r != c.reason {
				t.Errorf("ended as %s, want %s", r, c.reason)
			}
			h.stop()
			if n := h.Stats().Ended[c.reason]; n != 1 {
				t.Errorf("counted %d of %s", n, c.reason)
			}
		})
	}
}

// A closed socket gets everything: the queued frames, the reason, the close frame. That
// holds even if it has sent messages that nobody will read.
func TestCloseLosesNothing(t *testing.T) {
	h := start(t, server.Options{})
	ws := h.dial(t)
	s := receive(t, h.sessions, "session")
	big := strings.Repeat("z", 300_000)
	s.Queue(text(big))
	s.Queue(text("last"))
	s.Close(server.Disconnect{Reason: "tired", Frame: text("bye"), Code: 4009, Message: "tired of you"})
	s.Close(server.Disconnect{Reason: "twice", Code: 4010})
	s.Queue(text("too late"))
	for range 200 {
		if err := ws.WriteMessage(websocket.TextMessage, []byte("unread")); err != nil {
			t.Fatal(err)
		}
	}
	messages, code, why := readClose(t, ws)
	if len(messages) != 3 || messages[0] != big || messages[1] != "last" || messages[2] != "bye" {
		t.Errorf("%d messages came", len(messages))
	}
	if code != 4009 || why != "tired of you" {
		t.Errorf("closed with %d %q", code, why)
	}
	if r := receive(t, h.closed, "end"); r != "tired" {
		t.Errorf("ended as %s", r)
	}
}
