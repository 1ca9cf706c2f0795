package server

import (
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	joinBytes  = 64 << 10 // most that one write hands to the kernel, except for a single larger frame
	firstSlots = 8        // frames that a new slice has room for
	maxSlots   = 64       // a larger slice is left to the garbage collector
	maxSpare   = 8192     // slices that a writer keeps
)

// writer is one of the few goroutines that write: it serves its share of the sessions,
// in the order in which they got something to write.
type writer struct {
	wake chan struct{}

	mu sync.Mutex
	// guarded by mu
	ready  []*Session
	spare  [][][]byte // empty slices for waiting frames, so that idle sessions hold none
	parked bool

	// owned by run
	turn []*Session
	own  [][][]byte // empty slices, not yet back in spare
	buf  []byte
	once func(fd uintptr) bool // writes out; kept, because making it would allocate
	out  []byte
	n    int
	err  error
}

func newWriter() *writer {
	w := &writer{wake: make(chan struct{}, 1)}
	w.once = func(fd uintptr) bool {
		w.n, w.err = rawWrite(fd, w.out)
		return true // never wait for the descriptor here
	}
	return w
}

// enlist queues a session that has something to write and returns an empty slice for
// it. The caller holds the session's mu.
func (w *writer) enlist(s *Session) (empty [][]byte) {
	w.mu.Lock()
	if n := len(w.spare); n > 0 {
		empty, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	w.ready = append(w.ready, s)
	wake := w.parked
	w.parked = false
	w.mu.Unlock()
	if wake {
		w.wake <- struct{}{} // never blocks: only the caller that unparks it sends
	}
	if empty == nil {
		empty = make([][]byte, 0, firstSlots)
	}
	return empty
}

// run serves sessions until quit is closed, which must be after the last session has
// ended.
func (w *writer) run(quit <-chan struct{}) {
	for {
		w.mu.Lock()
		if len(w.ready) == 0 {
			w.parked = true
			w.mu.Unlock()
			select {
			case <-w.wake:
				continue
			case <-quit:
				return
			}
		}
		w.turn, w.ready = w.ready, w.turn[:0]
		for _, empty := range w.own {
			if len(w.spare) == maxSpare {
				break
			}
			w.spare = append(w.spare, empty)
		}
		clear(w.own)
		w.own = w.own[:0]
		w.mu.Unlock()
		for i, s := range w.turn {
			w.turn[i] = nil
			w.serve(s)
		}
	}
}

// serve writes the frames that wait for s, or leaves them to a drainer.
func (w *writer) serve(s *Session) {
	if s.raw == nil {
		s.startDrain(nil, nil)
		return
	}
	var empty [][]byte
	if n := len(w.own); n > 0 {
		empty, w.own = w.own[n-1], w.own[:n-1]
	}
	s.mu.Lock()
	batch := s.take(empty)
	s.mu.Unlock()
	written, left := 0, batch
	for len(left) > 0 {
		var chunk []byte
		chunk, left = join(&w.buf, left)
		n, err := w.write(s, chunk)
		written += n
		if err != nil {
			s.broken(PeerGone)
			left, s.writing = nil, nil
			break
		}
		if n < len(chunk) {
			rest := append([]byte(nil), chunk[n:]...)
			s.startDrain(rest, append([][]byte(nil), left...))
			s.wrote(written)
			w.keep(batch)
			return
		}
	}
	s.wroteAll()
	w.keep(batch)
	w.served(s, written)
}

// keep takes back a slice whose frames are written.
func (w *writer) keep(used [][]byte) {
	if c := cap(used); c > 0 && c <= maxSlots {
		clear(used)
		w.own = append(w.own, used[:0])
	}
}

// served puts s at the end of the queue again if more frames have come meanwhile.
func (w *writer) served(s *Session, written int) {
	s.mu.Lock()
	s.wroteBytes(written)
	if len(s.out.frames) > 0 {
		w.mu.Lock()
		w.ready = append(w.ready, s)
		w.mu.Unlock()
		s.mu.Unlock()
		return
	}
	empty := s.out.swap(nil)
	s.busy = false
	closing, shut := s.out.closing, s.shutDone
	s.mu.Unlock()
	w.keep(empty)
	if closing && !shut {
		s.flushed()
	}
}

func (s *Session) wrote(n int) {
	s.mu.Lock()
	s.wroteBytes(n)
	s.mu.Unlock()
}

// join puts as many frames as fit into one buffer. A single frame is not copied.
func join(buf *[]byte, frames [][]byte) (chunk []byte, left [][]byte) {
	if len(frames) == 1 || len(frames[0])+len(frames[1]) > joinBytes {
		return frames[0], frames[1:]
	}
	b := (*buf)[:0]
	for len(frames) > 0 && len(b)+len(frames[0]) <= joinBytes {
		b = append(b, frames[0]...)
		frames = frames[1:]
	}
	*buf = b
	return b, frames
}

// write hands b to the kernel, as much as the kernel takes now.
func (w *writer) write(s *Session, b []byte) (int, error) {
	w.out, w.n, w.err = b, 0, nil
	err := s.raw.Write(w.once)
	w.out = nil
	if err == nil {
		err = w.err
	}
	return w.n, err
}

// startDrain leaves the session to a goroutine of its own.
func (s *Session) startDrain(rest []byte, frames [][]byte) {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.srv.goroutines.Go(func() { s.drain(rest, frames) })
}

// drain writes rest, frames and what is queued meanwhile, waiting for the peer, until
// nothing is left; then the session's writer has it again.
func (s *Session) drain(rest []byte, frames [][]byte) {
	var buf []byte
	for {
		for len(rest) > 0 || len(frames) > 0 {
			if len(rest) == 0 {
				rest, frames = join(&buf, frames)
			}
			s.deadline()
			n, err := s.nc.Write(rest)
			s.wrote(n)
			if err != nil {
				s.endDrain()
				s.broken(whyBroken(err))
				return
			}
			rest = nil
			if s.cutShort() {
				frames, s.writing = nil, nil
			}
		}
		if frames = s.takeOrRest(); frames == nil {
			return
		}
	}
}

// deadline bounds the next write of a drainer.
func (s *Session) deadline() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.closing {
		s.hurry()
		return
	}
	_ = s.nc.SetWriteDeadline(time.Now().Add(s.srv.opt.WriteTimeout))
}

// cutShort reports whether the drainer should drop the frames it has taken: the session
// was closed as a slow consumer, and only the close frame matters now.
func (s *Session) cutShort() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.closing && s.out.reason == SlowConsumer
}

// takeOrRest takes the waiting frames. It returns nil if there are none, and ends the
// drain.
func (s *Session) takeOrRest() [][]byte {
	s.wroteAll()
	s.mu.Lock()
	if frames := s.take(nil); len(frames) > 0 {
		s.mu.Unlock()
		return frames
	}
	s.busy, s.draining = false, false
	closing, shut := s.out.closing, s.shutDone
	if !closing {
		_ = s.nc.SetWriteDeadline(time.Time{})
	}
	s.mu.Unlock()
	if closing && !shut {
		s.flushed()
	}
	return nil
}

func (s *Session) endDrain() {
	s.mu.Lock()
	s.busy, s.draining = false, false
	s.mu.Unlock()
}

// rawOf returns the descriptor of a plain connection, nil for others: TLS does not
// write its plaintext to the descriptor.
func rawOf(nc net.Conn) syscall.RawConn {
	if !canRawWrite {
		return nil
	}
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
