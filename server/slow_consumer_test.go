package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// A client that does not read is closed as a slow consumer, and the others do not
// notice.
func TestSlowConsumer(t *testing.T) {
	logged := new(testwait.Output)
	h := start(t, server.Options{
		QueueBytes: 256 << 10, Linger: 200 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(logged, nil)),
	})
	slow := h.dial(t)
	slowSession := receive(t, h.sessions, "session")
	quick := h.dial(t)
	quickSession := receive(t, h.sessions, "session")
	const size = 8000
	frame := text(strings.Repeat("x", size))
	cut := false
	for deadline := time.Now().Add(testwait.Long); !cut; {
		if time.Now().After(deadline) {
			t.Fatal("whatever is sent fits a queue of 256 KiB")
		}
		slowSession.Queue(frame)
		quickSession.Queue(frame)
		if got := read(t, quick); len(got) != size {
			t.Fatalf("the quick one got %d bytes", len(got))
		}
		select {
		case r := <-h.closed:
			if cut = true; r != server.SlowConsumer {
				t.Errorf("cut as %s", r)
			}
		default:
		}
	}
	// What the slow client can still read is whole frames, in order, to the end.
	for {
		_, b, err := slow.ReadMessage()
		if err != nil {
			break
		}
		if s := string(b); len(s) != size && s != "bye: slow_consumer" {
			t.Fatalf("a frame of %d bytes", len(s))
		}
	}
	h.stop()
	if n := h.Stats().Ended[server.SlowConsumer]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

// A slow consumer that reads after all is told why it was closed.
func TestSlowConsumerIsTold(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 256 << 10, Linger: testwait.Long})
	ws := h.dial(t)
	s := receive(t, h.sessions, "session")
	frame := text(strings.Repeat("x", 8000))
	for n := 0; h.Connz()[0].QueuedBytes < 250<<10; n++ {
		if n == 10_000 {
			t.Fatal("never full")
		}
		s.Queue(frame)
	}
	for range 10_000 {
		s.Queue(frame)
	}
	messages, code, why := readClose(t, ws)
	if code != 4100 || why != "slow_consumer" || messages[len(messages)-1] != "bye: slow_consumer" {
		t.Errorf("closed with %d %q after %q", code, why, messages[len(messages)-1])
	}
}

// A peer that is slow but reads within the limits gets everything in order.
func TestDrainHandsBack(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 32 << 20})
	ws := h.dial(t)
	s := receive(t, h.sessions, "session")
	const n = 3000 // 9 MB: more than the kernel takes at once
	tail := strings.Repeat("y", 3000)
	for round := range 3 {
		for i := range n {
			s.Queue(text(strconv.Itoa(i) + tail))
		}
		for i := range n {
			if got := read(t, ws); got != strconv.Itoa(i)+tail {
				t.Fatalf("round %d, message %d is %.10q...", round, i, got)
			}
		}
	}
	if c := h.Connz(); len(c) != 1 || c[0].Channels != 3 || c[0].ID != "echo" || c[0].Remote != "198.51.100.7" {
		t.Errorf("connz: %+v", c)
	}
}

func TestStop(t *testing.T) {
	h := start(t, server.Options{DrainWindow: 50 * time.Millisecond})
	var clients []*websocket.Conn
	for range 20 {
		clients = append(clients, h.dial(t))
	}
	go h.stop()
	for _, ws := range clients {
		messages, code, _ := readClose(t, ws)
		if code != 4100 || len(messages) != 1 || messages[0] != "bye: stopping" {
			t.Errorf("told %q %d", messages, code)
		}
	}
	h.stop()
	_, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.http.URL, "http"), nil)
	if err == nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a stopped server answers %v %v", answer, err)
	}
	if st := h.Stats(); st.Open != 0 || st.Accepted != 20 || st.Ended[server.Stopping] != 20 {
		t.Errorf("stats: %+v", st)
	}
}

func TestPerAddress(t *testing.T) {
	h := start(t, server.Options{PerAddress: 2})
	a := h.dial(t)
	h.dial(t)
	if messages, code, _ := readClose(t, h.dial(t)); code != 4100 || messages[0] != "bye: address_full" {
		t.Errorf("the third was told %q %d", messages, code)
	}
	receive(t, h.closed, "end of the third")
	_ = a.Close()
	until(t, "end of the first", func() bool { return h.Stats().Open == 1 })
	if err := echoes(h.dial(t)); err != nil {
		t.Errorf("there is room again, but: %v", err)
	}
}

func echoes(ws *websocket.Conn) error {
	if err := ws.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		return err
	}
	_, _, err := ws.ReadMessage()
	return err
}

// A panic of ours in one socket's message ends only that socket, and tells it so.
func TestPanic(t *testing.T) {
	logged := new(testwait.Output)
	h := start(t, server.Options{Log: slog.New(slog.NewTextHandler(logged, nil))})
	bystander, ws := h.dial(t), h.dial(t)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("panic")); err != nil {
		t.Fatal(err)
	}
	if _, code, why := readClose(t, ws); code != 1011 || why != "Internal error" {
		t.Errorf("closed with %d %q", code, why)
	}
	if r := receive(t, h.closed, "end"); r != server.Internal {
		t.Errorf("ended as %s", r)
	}
	if err := echoes(bystander); err != nil {
		t.Error(err)
	}
	if !strings.Contains(logged.String(), "as asked") {
		t.Error("the panic is not in the log")
	}
}

func TestNoHandshake(t *testing.T) {
	h := start(t, server.Options{})
	answer, err := http.Get(h.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest || h.Stats().Accepted != 0 {
		t.Errorf("a plain request is answered %d", answer.StatusCode)
	}
}

// The trace level shows frames in and out, without signatures.
func TestTrace(t *testing.T) {
	logged := new(testwait.Output)
	h := start(t, server.Options{Log: slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: server.LevelTrace}))})
	secret := strings.Repeat("0123456789abcdef", 4)
	ws := h.dial(t)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("auth KEY:"+secret)); err != nil {
		t.Fatal(err)
	}
	read(t, ws)
	h.stop()
	log := logged.String()
	for _, want := range []string{"frame in", "frame out", "KEY:***"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in %s", want, log)
		}
	}
	if strings.Contains(log, secret) {
		t.Error("the signature is in the log")
	}
}

// TLS connections have no usable descriptor: they are written through net.Conn.
func TestTLS(t *testing.T) {
	s := server.New(server.Options{})
	closed := make(chan server.Reason, 1)
	hs := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = s.Accept(w, r, "198.51.100.7", func(session *server.Session) server.Handler { return &echo{session, closed} })
	}))
	defer hs.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	dialer := websocket.Dialer{TLSClientConfig: hs.Client().Transport.(*http.Transport).TLSClientConfig}
	ws, _, err := dialer.Dial("wss"+strings.TrimPrefix(hs.URL, "https"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	for range 100 {
		if err := echoes(ws); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if messages, code, _ := readClose(t, ws); code != 4100 || len(messages) != 1 {
		t.Errorf("told %q %d", messages, code)
	}
	_ = ws.Close()
	if err := receive(t, ended, "end of Run"); err != nil {
		t.Error(err)
	}
	if r := <-closed; r != server.Stopping {
		t.Errorf("ended as %s", r)
	}
}

// Everything at once, for the race detector: queues, closes, and peers that leave.
func TestHammer(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 64 << 10, Linger: 50 * time.Millisecond, PongTimeout: 20 * time.Millisecond, ActivityTimeout: 20 * time.Millisecond})
	var wg sync.WaitGroup
	frame := text(strings.Repeat("h", 2000))
	for i := range 40 {
		ws := h.dial(t)
		s := receive(t, h.sessions, "session")
		for range 2 {
			wg.Go(func() {
				for range 200 {
					s.Queue(frame)
				}
				if i%4 == 0 {
					s.Close(server.Disconnect{Reason: "hammered", Code: 4009, Message: "x"})
				}
			})
		}
		wg.Go(func() {
			switch i % 3 {
			case 0:
				_, _ = io.Copy(io.Discard, ws.NetConn())
			case 1:
				_ = ws.Close()
			}
		})
		wg.Go(func() { _, _ = h.Connz(), h.Stats() })
	}
	for range 40 {
		receive(t, h.closed, "end")
	}
	wg.Wait()
	h.stop()
	if n := h.Stats().Open; n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}
