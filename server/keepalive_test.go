package server_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/server"
)

// pipe is a ResponseWriter that hijacks to one end of a connection in memory, so that
// the whole test follows synctest's clock.
type pipe struct {
	http.ResponseWriter
	end net.Conn
}

func (p pipe) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.end, bufio.NewReadWriter(bufio.NewReader(p.end), bufio.NewWriter(p.end)), nil
}

// quiet is a server under synctest's clock, with one socket. act is the client's
// reaction to a frame, given its opcode.
func quiet(t *testing.T, act func(ws *websocket.Conn, kind int) error) (closed chan server.Reason, frames chan string, stop func()) {
	return quietWith(t, &server.WebSocketRules{}, act)
}

// quietWith is quiet with rules for the socket.
func quietWith(t *testing.T, rules *server.WebSocketRules, act func(ws *websocket.Conn, kind int) error) (closed chan server.Reason, frames chan string, stop func()) {
	s := server.New(server.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	near, far := net.Pipe()
	closed = make(chan server.Reason, 1)
	go func() {
		r, err := http.ReadRequest(bufio.NewReader(near))
		if err != nil {
			t.Error(err)
			return
		}
		if err := s.AcceptWith(pipe{end: near}, r, "", rules, func(session *server.Session) server.Handler {
			return &echo{session, closed}
		}); err != nil {
			t.Error(err)
		}
	}()
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return far, nil }}
	ws, _, err := dialer.Dial("ws://x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	frames = make(chan string, 1000)
	note := func(kind int, name string) error {
		frames <- name
		return act(ws, kind)
	}
	ws.SetPingHandler(func(string) error { return note(websocket.PingMessage, "ping") })
	go func() {
		for {
			_, b, err := ws.ReadMessage()
			if err != nil {
				_ = far.Close()
				return
			}
			if string(b) == "I live" {
				continue // the echo
			}
			if err := note(websocket.TextMessage, string(b)); err != nil {
				return
			}
		}
	}()
	return closed, frames, func() {
		cancel()
		_ = far.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestSilentSocketIsPingedThenClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed, frames, stop := quiet(t, func(*websocket.Conn, int) error { return nil })
		defer stop()
		began := time.Now()
		time.Sleep(119 * time.Second)
		synctest.Wait()
		if len(frames) > 0 {
			t.Fatalf("after 119 s: %q", <-frames)
		}
		if r := <-closed; r != server.Silent {
			t.Errorf("closed as %s", r)
		}
		synctest.Wait()
		for _, want := range []string{"ping", "still there?", "bye: silent"} {
			if got := <-frames; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if took := time.Since(began); took < 150*time.Second || took > 155*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

// Either sign of life counts: a pong frame, or any message.
func TestAnsweringSocketStays(t *testing.T) {
	for name, answer := range map[string]func(ws *websocket.Conn, kind int) error{
		"pong frames only": func(ws *websocket.Conn, kind int) error {
			if kind != websocket.PingMessage {
				return nil
			}
			return ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second))
		},
		"messages only": func(ws *websocket.Conn, kind int) error {
			if kind != websocket.TextMessage {
				return nil
			}
			return ws.WriteMessage(websocket.TextMessage, []byte("I live"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed, frames, stop := quiet(t, answer)
				defer stop()
				time.Sleep(time.Hour)
				synctest.Wait()
				select {
				case r := <-closed:
					t.Errorf("closed as %s", r)
				default:
				}
				if n := len(frames); n < 2*25 || n > 2*31 {
					t.Errorf("%d pings of both kinds in an hour", n)
				}
			})
		})
	}
}

// TestFixedPings checks that a socket with rules of its own is pinged at its own interval,
// although it sends all the time, and closed at its own time limit.
func TestFixedPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := &server.WebSocketRules{PingEvery: 30 * time.Second, PongTimeout: 30 * time.Second}
		var dead atomic.Bool // the client answers nothing any more
		closed, frames, stop := quietWith(t, rules, func(ws *websocket.Conn, kind int) error {
			if kind != websocket.PingMessage || dead.Load() {
				return nil
			}
			return ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second))
		})
		defer stop()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := len(frames); n < 2*18 || n > 2*20 { // each with a message of the dialect
			t.Errorf("%d pings of both kinds in ten minutes", n)
		}
		dead.Store(true)
		began := time.Now()
		if r := <-closed; r != server.Silent {
			t.Errorf("closed as %s", r)
		}
		if took := time.Since(began); took < 30*time.Second || took > 62*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}
