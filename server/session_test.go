package server_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
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

	"chatcast/server"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

func text(s string) []byte {
	return server.Frame(append(make([]byte, server.HeaderRoom), s...))
}

// echo is a dialect that says everything back, and how it was closed.
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
func (e *echo) Farewell(r server.Reason) server.Farewell {
	return server.Farewell{Frame: text("bye: " + string(r)), Code: 4100, Message: string(r)}
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
		case <-time.After(patience):
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
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func receive[T any](t *testing.T, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
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

// readClose reads to the close frame and returns the messages before it.
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
	if err := ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "done"), time.Now().Add(patience)); err != nil {
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

// masked is a client's frame.
func masked(first byte, payload string) []byte {
	b := []byte{first, 0x80 | byte(min(len(payload), 126))}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// What is wrong below any dialect has an answer of the WebSocket protocol, and
// what was said before still arrives.
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

// A socket that is told to go gets everything: what was queued, the reason, the
// close frame - even when it has sent things that nobody will read.
func TestCloseLosesNothing(t *testing.T) {
	h := start(t, server.Options{})
	ws := h.dial(t)
	s := receive(t, h.sessions, "session")
	big := strings.Repeat("z", 300_000)
	s.Queue(text(big))
	s.Queue(text("last"))
	s.Close(server.Farewell{Reason: "tired", Frame: text("bye"), Code: 4009, Message: "tired of you"})
	s.Close(server.Farewell{Reason: "twice", Code: 4010})
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

// One who does not read is cut by name, and the others do not notice.
func TestSlowConsumer(t *testing.T) {
	logged := new(lockedBuffer)
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
	for n := 0; !cut; n++ {
		if n == 10_000 {
			t.Fatal("80 MB fit a queue of 256 KiB")
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
	// What the slow one can still read is whole frames, in order, to the end.
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

// A consumer that is slow and then reads after all is told why it was cut.
func TestSlowConsumerIsTold(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 256 << 10, Linger: patience})
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
	receive(t, h.closed, "end of the first")
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

// A fault of ours in one socket's message ends that socket, and says so.
func TestPanic(t *testing.T) {
	logged := new(lockedBuffer)
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

// Trace shows frames in and out, without signatures.
func TestTrace(t *testing.T) {
	logged := new(lockedBuffer)
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

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TLS connections have no descriptor to write to: they take the other way.
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
	_ = ws.SetReadDeadline(time.Now().Add(patience))
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

// Everything at once, for the race detector: queues, closes, and peers that go.
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
					s.Close(server.Farewell{Reason: "hammered", Code: 4009, Message: "x"})
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
