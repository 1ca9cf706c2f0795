package server

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/broadcasting"
)

// socket is the server's view of a client's connection, whatever the transport.
type socket interface {
	Close(Disconnect)
	cut(Reason) // ends a socket whose client cannot be told anything more
	disconnectFor(Reason) Disconnect
	base() *connBase
	ready()                // announces a frame that is about to be queued; called with connBase.mu held
	ask()                  // asks for a sign of life
	absent(now int64) bool // reports whether the client has stayed away too long
	conn() Conn
}

var (
	_ socket = (*Session)(nil)
	_ socket = (*HTTPSession)(nil)
)

// connBase is the state that the server keeps for each socket.
type connBase struct {
	// static
	srv    *Server
	self   socket // the socket that embeds this connBase
	remote string
	began  time.Time
	trace  bool
	pings  bool // pinged at fixed times, see HTTPRules.Pings

	pingEvery, pongTimeout time.Duration // see WebSocketRules and HTTPRules

	// guarded by srv.mu
	listed  bool
	network netip.Prefix // that it is counted as; zero: it is not counted

	lastRead atomic.Int64 // ms since srv.epoch

	heldSince int64 // owned by the goroutine of Message: when its pauses began, or it was pinged last; 0: no pause

	// owned by the keepalive loop, in ms since srv.epoch
	asked    int64 // when the unanswered ping was sent, 0: none
	answered int64 // when the last answer came, or when the socket began

	mu sync.Mutex
	// guarded by mu
	h   Handler // nil until open has returned
	id  string  // the dialect's id of the socket, for the log
	out queue

	onRoom  []func() // called when out is nearly empty, see Room
	refused int      // bytes of the largest frame that QueueIfRoom refused since there was room
}

func (m *connBase) base() *connBase { return m }

// Remote returns the client's address, without port.
func (m *connBase) Remote() string { return m.remote }

// heard records a sign of life.
func (m *connBase) heard() { m.lastRead.Store(m.srv.now()) }

// Queue queues one complete frame made by Frame. The frame is shared from now on and
// must not change. Queue never blocks; for a WebSocket it allocates nothing. A closing
// socket gets no more frames; a socket whose queue is full is closed as SlowConsumer.
// An empty queue takes a frame of any size.
func (m *connBase) Queue(frame []byte) { m.queue(frame, nil) }

// queue is Queue, for a frame with a mark if mark is not nil.
func (m *connBase) queue(frame []byte, mark *broadcasting.Mark) {
	if m.trace {
		m.traced("frame out", Payload(frame))
	}
	full := false
	m.mu.Lock()
	switch {
	case m.out.closing:
	case m.out.full(frame, m.srv.limits().QueueBytes):
		full = true
	default:
		m.push(frame)
		if m.out.mark == nil {
			m.out.mark = mark
		}
	}
	m.mu.Unlock()
	if full {
		m.self.Close(m.disconnectFor(SlowConsumer))
	}
}

// push queues a frame whether or not there is room. The caller holds mu.
func (m *connBase) push(frame []byte) {
	m.self.ready()
	m.out.push(frame)
}

// opened records the handler that open returned, and reports whether the socket is
// already closing.
func (m *connBase) opened(h Handler) (closing bool) {
	id := h.Info().ID
	m.mu.Lock()
	defer m.mu.Unlock()
	m.h, m.id = h, id
	return m.out.closing
}

func (m *connBase) handler() Handler {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.h
}

// disconnectFor returns how a socket ends for r: from the table of RFC 6455 codes or,
// for other reasons, from the dialect.
func (m *connBase) disconnectFor(r Reason) Disconnect {
	d, ours := disconnects[r]
	if h := m.handler(); !ours && h != nil {
		d = h.Disconnect(r)
	}
	d.Reason = r
	return d
}

// describe returns the part of Conn that all sockets have in common.
func (m *connBase) describe(transport string) Conn {
	m.mu.Lock()
	h, queuedBytes, queuedFrames := m.h, m.out.bytes, len(m.out.frames)
	m.mu.Unlock()
	return Conn{
		Info: h.Info(), Remote: m.remote, Transport: transport,
		AgeSeconds:  time.Since(m.began).Seconds(),
		IdleSeconds: float64(m.srv.now()-m.lastRead.Load()) / 1000,
		QueuedBytes: queuedBytes, QueuedFrames: queuedFrames,
	}
}

// traced logs a frame. Callers of Queue may hold locks, so traced does not call the
// dialect.
func (m *connBase) traced(direction string, text []byte) {
	m.mu.Lock()
	id := m.id
	m.mu.Unlock()
	m.srv.opt.Log.Log(context.Background(), LevelTrace, direction, "socket", id, "frame", redact(text))
}
