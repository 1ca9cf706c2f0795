package socketio

import (
	"sync"
	"sync/atomic"

	"chatcast/broadcasting"
	"chatcast/server"
)

// link takes frames to the transport that the client uses now. Several complete WebSocket
// frames may be queued in one slice, which either goes as a whole or waits; a slice without
// bytes is no frame. It never blocks.
type link struct {
	ws atomic.Pointer[server.Session] // nil: it is http

	mu   sync.Mutex          // held while http is used, so that nothing overtakes the move to ws
	http *server.HTTPSession // guarded by mu
}

var (
	_ broadcasting.MarkedQueue = (*link)(nil)
	_ broadcasting.PacedQueue  = (*link)(nil)
)

// over calls one of the functions, with the transport.
func (l *link) over(ws func(*server.Session), http func(*server.HTTPSession)) {
	if s := l.ws.Load(); s != nil {
		ws(s)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s := l.ws.Load(); {
	case s != nil:
		ws(s)
	case l.http != nil:
		http(l.http)
	}
}

// Queue implements broadcasting.Queue.
func (l *link) Queue(frame []byte) { l.QueueMarked(frame, nil) }

// QueueMarked implements broadcasting.MarkedQueue.
func (l *link) QueueMarked(frame []byte, mark *broadcasting.Mark) {
	if len(frame) == 0 {
		return
	}
	if s := l.ws.Load(); s != nil { // no closures here: this is done for each delivery
		s.QueueMarked(frame, mark)
		return
	}
	l.over(func(s *server.Session) { s.QueueMarked(frame, mark) }, func(s *server.HTTPSession) { s.Queue(frame) })
}

// Room implements broadcasting.PacedQueue.
func (l *link) Room(f func()) (room bool) {
	l.over(func(s *server.Session) { room = s.Room(f) }, func(s *server.HTTPSession) { room = s.Room(f) })
	return room
}

// QueueIfRoom implements broadcasting.PacedQueue.
func (l *link) QueueIfRoom(frame []byte) (queued bool) {
	if len(frame) == 0 {
		return true
	}
	l.over(func(s *server.Session) { queued = s.QueueIfRoom(frame) }, func(s *server.HTTPSession) { queued = s.QueueIfRoom(frame) })
	return queued
}

// close ends the transport.
func (l *link) close(d server.Disconnect) {
	l.over(func(s *server.Session) { s.Close(d) }, func(s *server.HTTPSession) { s.Close(d) })
}

// move makes s the transport, with all that waits. It returns false when the one before is
// ending.
func (l *link) move(s *server.Session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.http == nil || !l.http.MoveTo(s) {
		return false
	}
	l.ws.Store(s)
	l.http = nil
	return true
}

// hold lets frames wait until move or release.
func (l *link) hold() {
	l.over(func(*server.Session) {}, func(s *server.HTTPSession) { s.Hold() })
}

func (l *link) release() {
	l.over(func(*server.Session) {}, func(s *server.HTTPSession) { s.Release() })
}
