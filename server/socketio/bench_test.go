package socketio

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server"
)

// The costs of a client of Socket.IO beside those of a WebSocket that is subscribed without
// a protocol of its own between it and the engine, as one of Pusher is.

// plain is a WebSocket without a protocol.
type plain struct{ conn *broadcasting.Conn }

func (plain) Message([]byte)                             {}
func (plain) Idle()                                      {}
func (plain) Disconnect(server.Reason) server.Disconnect { return server.Disconnect{} }
func (p plain) Closed(server.Reason)                     { p.conn.Close() }
func (plain) Info() server.Info                          { return server.Info{} }

// plainDialect encodes events as they are.
type plainDialect struct{ dialect }

func (plainDialect) Event(ev broadcasting.Event) []byte { return textFrame(ev.Data) }

// acceptPlain accepts WebSockets that are in a channel at once.
func (h *host) acceptPlain(channel string) http.HandlerFunc {
	name, err := channels.Parse(channel)
	if err != nil {
		h.t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		_ = h.sockets.Accept(w, r, "", func(s *server.Session) server.Handler {
			conn, err := h.engine.Connect(broadcasting.Peer{App: "1", ID: randomID(), Out: s, Dialect: plainDialect{}})
			if err == nil {
				err = conn.Subscribe(r.Context(), broadcasting.SubscribeRequest{Name: name, MaxChannels: 1})
			}
			if err != nil {
				h.t.Error(err)
			}
			s.Queue(textFrame("0"))
			return plain{conn}
		})
	}
}

// rawSocket opens a WebSocket that costs its client next to nothing, and sends frames when
// the first message has come. It returns when as many messages as frames have come then.
func rawSocket(tb testing.TB, address, path string, texts ...string) net.Conn {
	c, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	in := bufio.NewReaderSize(c, 1024)
	read := func() {
		var head [2]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			tb.Fatal(err)
		}
		n := int64(head[1])
		if n == 126 {
			_, _ = io.ReadFull(in, head[:])
			n = int64(head[0])<<8 | int64(head[1])
		}
		if _, err := io.CopyN(io.Discard, in, n); err != nil {
			tb.Fatal(err)
		}
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatal(res, err)
	}
	read()
	for _, text := range texts {
		if _, err := c.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)); err != nil {
			tb.Fatal(err)
		}
		read()
	}
	return c
}

// crowd opens n WebSockets of a kind in the shop.
func crowd(tb testing.TB, kind string, n int) (h *host, conns []net.Conn) {
	h = run(tb)
	address, path, texts := h.web.Listener.Addr().String(), ioPath+transportWebSocket, []string{"40/shop," + good}
	if kind == "plain" {
		web := &http.Server{Handler: h.acceptPlain(line("shop"))}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		go func() { _ = web.Serve(l) }()
		tb.Cleanup(func() { _ = web.Close() })
		address, path, texts = l.Addr().String(), "/", nil
	}
	for range n {
		conns = append(conns, rawSocket(tb, address, path, texts...))
	}
	until(tb, "all subscriptions", func() bool { return h.engine.Stats().Sockets == n })
	tb.Cleanup(func() {
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return h, conns
}

// perSocket returns the memory of a WebSocket that is in one channel, with that of its client.
func perSocket(tb testing.TB, kind string, n int) float64 {
	memory := func() uint64 {
		for range 4 { // each one halves the stacks that are too large
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := memory()
	h, conns := crowd(tb, kind, n)
	until(tb, "replays that are over", func() bool { return kind == "plain" || h.engine.Stats().Resumed == uint64(n) })
	used := (float64(memory()) - float64(before)) / float64(n) // less than nothing, if others have let go of more
	for _, c := range conns {
		_ = c.Close()
	}
	until(tb, "the end", func() bool { return h.sockets.Stats().Open == 0 })
	return used
}

// An idle client of Socket.IO takes little more than an idle WebSocket.
func TestIdleMemory(t *testing.T) {
	plain, io := perSocket(t, "plain", 1000), perSocket(t, "socketio", 1000)
	if t.Logf("a plain WebSocket has %.0f bytes, one of Socket.IO %.0f", plain, io); io > 14_000 || io > 2*plain {
		t.Errorf("an idle client of Socket.IO has %.0f bytes, a plain WebSocket %.0f", io, plain)
	}
}

// BenchmarkIdle reports the memory of a WebSocket that is in one channel, with that of its
// client.
func BenchmarkIdle(b *testing.B) {
	for _, kind := range []string{"plain", "socketio"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(perSocket(b, kind, 1000), "B/socket")
			}
		})
	}
}

// BenchmarkFanOut brings an event of 900 bytes to 1,000 WebSockets.
func BenchmarkFanOut(b *testing.B) {
	for _, kind := range []string{"plain", "socketio"} {
		b.Run(kind, func(b *testing.B) {
			const n = 1000
			h, conns := crowd(b, kind, n)
			var arrived atomic.Int64
			for _, c := range conns {
				go func() {
					buf := make([]byte, 8<<10)
					for {
						k, err := c.Read(buf)
						for _, x := range buf[:k] {
							if x == '~' { // one in each event
								arrived.Add(1)
							}
						}
						if err != nil {
							return
						}
					}
				}()
			}
			data := strings.Repeat("x", 899) + "~"
			b.ReportAllocs()
			for b.Loop() {
				want := arrived.Load() + n
				h.sayLive("shop", data)
				for arrived.Load() < want {
					runtime.Gosched()
				}
			}
		})
	}
}
