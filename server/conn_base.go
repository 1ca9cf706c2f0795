package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// socket is what the server sees of a client's connection, whatever carries it.
type socket interface {
	Close(Disconnect)
	disconnectFor(Reason) Disconnect
	base() *connBase
	ready()                // a frame will be queued now; called with connBase.mu held
	ask()                  // asks for a sign of life
	absent(now int64) bool // says whether the client has stayed away too long
	conn() Conn
}

var (
	_ socket = (*Session)(nil)
	_ socket = (*HTTPSession)(nil)
)

// connBase is what the server keeps of each socket.
type connBase struct {
	// static
	srv    *Server
	self   socket // the one of which this is the base
	remote string
	began  time.Time
	trace  bool
	pings  bool // it is asked every Options.Heartbeat, see HTTPRules.Pings

	// guarded by srv.mu
	listed bool

	lastRead atomic.Int64 // ms since srv.epoch

	// owned by the keepalive loop, ms since srv.epoch
	asked    int64 // of the unanswered question, 0: none
	answered int64 // of the last answer, or the beginning

	mu sync.Mutex
	// guarded by mu
	h   Handler // nil until open has returned
	id  string  // the dialect's, for the log
	out queue
}

func (m *connBase) base() *connBase { return m }

// Remote is the client's address, without port.
func (m *connBase) Remote() string { return m.remote }

// heard notes a sign of life.
func (m *connBase) heard() { m.lastRead.Store(m.srv.now()) }

// Queue hands over one complete frame of Frame, which is shared from now on and
// must not change. It never blocks; for a WebSocket it allocates nothing. A socket
// that is closing gets no more; one whose queue is full is cut as SlowConsumer. An
// empty queue takes a frame of any size.
func (m *connBase) Queue(frame []byte) {
	if m.trace {
		m.traced("frame out", Payload(frame))
	}
	full := false
	m.mu.Lock()
	switch {
	case m.out.closing:
	case m.out.full(frame, m.srv.opt.QueueBytes):
		full = true
	default:
		m.push(frame)
	}
	m.mu.Unlock()
	if full {
		m.self.Close(m.disconnectFor(SlowConsumer))
	}
}

// push needs mu.
func (m *connBase) push(frame []byte) {
	m.self.ready()
	m.out.push(frame)
}

// opened notes the handler that open returned, and says whether the socket is
// closing already.
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

// disconnectFor asks the dialect for what concerns it, and answers the rest itself.
func (m *connBase) disconnectFor(r Reason) Disconnect {
	d, ours := disconnects[r]
	if h := m.handler(); !ours && h != nil {
		d = h.Disconnect(r)
	}
	d.Reason = r
	return d
}

// describe returns what every socket has to show.
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

// traced logs a frame. It is called under the locks of whoever queues, so it asks
// the dialect nothing.
func (m *connBase) traced(direction string, text []byte) {
	m.mu.Lock()
	id := m.id
	m.mu.Unlock()
	m.srv.opt.Log.Log(context.Background(), LevelTrace, direction, "socket", id, "frame", redact(text))
}
