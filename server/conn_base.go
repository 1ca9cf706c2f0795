package server

import (
	"sync/atomic"
	"time"
)

// socket is what the server sees of a client's connection, whatever carries it.
type socket interface {
	Close(Disconnect)
	disconnectFor(Reason) Disconnect
	base() *connBase
	ask()                // asks for a sign of life
	away(now int64) bool // says whether the client has stayed away too long
	conn() Conn
}

var (
	_ socket = (*Session)(nil)
	_ socket = (*XHRSession)(nil)
)

// connBase is what the server keeps of each socket.
type connBase struct {
	// static
	srv    *Server
	remote string
	began  time.Time
	trace  bool

	// guarded by srv.mu
	listed bool

	lastRead atomic.Int64 // ms since srv.epoch
	asked    int64        // ms since srv.epoch of the unanswered question, 0: none; owned by the keepalive loop
}

func (m *connBase) base() *connBase { return m }

// Remote is the client's address, without port.
func (m *connBase) Remote() string { return m.remote }

// heard notes a sign of life.
func (m *connBase) heard() { m.lastRead.Store(m.srv.now()) }

// describe fills in what every socket has.
func (m *connBase) describe(c *Conn, info Info) {
	c.Info = info
	c.Remote = m.remote
	c.AgeSeconds = time.Since(m.began).Seconds()
	c.IdleSeconds = float64(m.srv.now()-m.lastRead.Load()) / 1000
}
