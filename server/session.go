package server

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"chatcast/broadcasting"
)

// Session is one WebSocket. Queue and Close may be called from any goroutine at any
// time and never block.
type Session struct {
	connBase

	// static
	w   *writer
	nc  net.Conn
	raw syscall.RawConn // nil: the connection has no descriptor of its own (TLS)

	rules *WebSocketRules

	// guarded by mu
	writable bool // the server has listed it; nothing is written before that
	busy     bool // a writer or a drainer has it, or will have it
	draining bool // a drainer has it
	readDone bool // the reader has ended
	shutDone bool

	// owned by the writer or the drainer that has it
	writing *broadcasting.Mark // queue.mark, of the frames that were taken
}

var _ broadcasting.MarkedQueue = (*Session)(nil)

// QueueMarked implements broadcasting.MarkedQueue.
func (s *Session) QueueMarked(frame []byte, mark *broadcasting.Mark) {
	if s.srv.opt.Written == nil {
		mark = nil
	}
	s.queue(frame, mark)
}

// take takes the waiting frames, and leaves an empty slice for the next ones. The caller
// holds mu and has the session.
func (s *Session) take(empty [][]byte) [][]byte {
	s.writing, s.out.mark = s.out.mark, nil
	return s.out.swap(empty)
}

// wroteAll is called when the frames that take returned last are all written.
func (s *Session) wroteAll() {
	if s.writing != nil {
		s.srv.opt.Written(s.writing)
		s.writing = nil
	}
}

func (s *Server) newSession(nc net.Conn, remote string, rules *WebSocketRules) *Session {
	session := &Session{
		connBase: connBase{srv: s, remote: remote, began: time.Now(), pings: rules.Pings, pingEvery: rules.PingEvery, pongTimeout: rules.PongTimeout},
		nc:       nc,
		rules:    rules,
		w:        s.writers[int(s.next.Add(1))%len(s.writers)],
	}
	session.self = session
	session.raw = rawOf(nc)
	session.heard()
	session.answered = session.lastRead.Load()
	s.live.Add(1)
	return session
}

// now returns the server's clock: milliseconds since it was made, never 0.
func (s *Server) now() int64 { return time.Since(s.epoch).Milliseconds() + 1 }

// ready puts the session into its writer's queue, if it is not there.
func (s *Session) ready() {
	if !s.busy && s.writable {
		s.busy = true
		s.out.frames = append(s.w.enlist(s), s.out.frames...)
	}
}

// begin writes what was queued while the session was opened, the response to the
// handshake first. A client that has the response is in the server's list.
func (s *Session) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writable = true
	if len(s.out.frames) > 0 {
		s.ready()
	}
}

// Close ends the socket: it sends f's frame and the close frame, and closes the
// connection when the peer has answered or Options.Linger is over. Frames queued before
// are still delivered, except to a slow consumer. Only the first call counts.
func (s *Session) Close(f Disconnect) {
	if s.trace && f.Frame != nil {
		s.traced("frame out", Payload(f.Frame))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.out.close(f.Reason) {
		return
	}
	if f.Frame != nil {
		s.push(f.Frame)
	}
	s.push(closeFrame(f.Code, f.Message))
	if s.draining {
		s.hurry()
	}
}

// hurry bounds how long a slow peer may still delay the close. The caller holds mu.
func (s *Session) hurry() { _ = s.nc.SetWriteDeadline(time.Now().Add(s.srv.opt.Linger)) }

// closeSent handles a close frame that gorilla wrote by itself.
func (s *Session) closeSent(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.close(ProtocolError) {
		s.push(frame)
	}
}

// flushed is called when a closing session has handed everything to the kernel. The
// reading side stays open until the peer has answered: closing a connection with unread
// data would reset it, and the peer might never see the reason.
func (s *Session) flushed() {
	s.mu.Lock()
	readDone := s.readDone
	s.mu.Unlock()
	if readDone {
		s.shut()
		return
	}
	_ = s.nc.SetReadDeadline(time.Now().Add(s.srv.opt.Linger))
	if half, ok := s.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the reader notices a broken connection
	}
}

// broken ends a session whose connection accepts no more writes.
func (s *Session) broken(r Reason) {
	s.mu.Lock()
	s.out.close(r)
	s.out.drop()
	s.mu.Unlock()
	s.shut() // which ends the reader, too
}

// whyBroken distinguishes a peer that read too little in time from one that is gone.
func whyBroken(err error) Reason {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return SlowConsumer
	}
	return PeerGone
}

func (s *Session) cut(r Reason) { s.broken(r) }

// shut closes the connection, once.
func (s *Session) shut() {
	s.mu.Lock()
	done, r := s.shutDone, s.out.reason
	s.shutDone = true
	s.mu.Unlock()
	if done {
		return
	}
	_ = s.nc.Close() // a failure cannot be handled
	s.srv.delist(s, r)
	s.srv.live.Done()
}

// readEnded is called once by the reader, when nothing more will be read.
func (s *Session) readEnded(end Disconnect) {
	if end.Reason == PeerGone {
		s.broken(PeerGone)
	} else {
		s.Close(end)
	}
	s.mu.Lock()
	s.readDone = true
	flushed := !s.busy
	if s.draining {
		s.hurry()
	}
	h, r := s.h, s.out.reason
	s.mu.Unlock()
	if flushed {
		s.shut()
	}
	h.Closed(r)
}

// ask sends a ping of the dialect and, unless the dialect has pings of its own, one of the
// WebSocket protocol.
func (s *Session) ask() {
	if !s.pings {
		s.Queue(control(finPing, nil))
	}
	s.h.Idle()
}

// absent always returns false: a connection that has gone ends by itself.
func (s *Session) absent(int64) bool { return false }

// wire is gorilla's view of the connection.
type wire struct {
	net.Conn
	s *Session
}

// Read counts every byte as a sign of life.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.s.heard()
	}
	return n, err
}

// Write queues what gorilla writes by itself: the response to the handshake and the
// close frame after a protocol error.
func (w *wire) Write(b []byte) (int, error) {
	frame := append([]byte(nil), b...)
	if len(b) > 0 && b[0] == finClose {
		w.s.closeSent(frame)
	} else {
		w.s.Queue(frame)
	}
	return len(b), nil
}

// SetDeadline and the methods below do nothing: the session sets the deadlines.
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
