package server

import (
	"context"
	"sync"
	"time"
)

// XHRSession is a socket whose client gets no WebSocket: it is carried by HTTP
// requests, as SockJS and pusher-js do it. Of its requests, those that receive
// (see Receive) follow one another, each an answer with lines; those that send
// (see Send) carry messages in their bodies. Queue and Close may be called from
// anywhere, at any time, and never block.
type XHRSession struct {
	connBase

	// static
	name string // the client's, "" when it is of one request alone

	in sync.Mutex // held while a message is handled, and by the last word, Closed

	said    chan struct{} // closed when the close line is written, or the client is gone
	sayOnce sync.Once

	mu sync.Mutex
	// guarded by mu
	h         Handler // nil until open has returned
	id        string  // the dialect's, for the log
	pending   [][]byte
	queued    int       // bytes not yet written, pending and beyond
	opened    bool      // the client has been told that the session is open
	receiver  *receiver // the request that receives now, nil between two
	streaming bool      // the last one did
	left      int64     // ms since srv.epoch when the last one ended
	owed      bool      // a heartbeat of ours awaits the client's answer
	beat      bool      // a heartbeat is to be written at once
	closing   bool      // nothing more may be queued
	reason    Reason    // why, once closing
	last      []byte    // the close line, nil when nobody is there to read one
}

// newXHR makes a session that rc receives from.
func newXHR(s *Server, by XHRRequest, rc *receiver) *XHRSession {
	x := &XHRSession{
		connBase: connBase{srv: s, remote: by.Remote, began: time.Now()},
		name:     by.Session, said: make(chan struct{}),
		receiver: rc, streaming: rc.streaming,
	}
	x.heard()
	return x
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// begin calls open and registers what it made.
func (x *XHRSession) begin(ctx context.Context, open func(*XHRSession) Handler) {
	x.trace = x.srv.opt.Log.Enabled(ctx, LevelTrace)
	h := open(x)
	id := h.Info().ID
	x.mu.Lock()
	x.h, x.id = h, id
	closed := x.closing
	x.mu.Unlock()
	x.srv.enlist(x)
	if closed {
		x.srv.goroutines.Go(x.end)
	}
}

// Queue hands over one complete frame of Frame, which is shared from now on and
// must not change; its text is what the client gets. It never blocks. A session
// that is closing gets no more; one whose queue is full is cut as SlowConsumer. An
// empty queue takes a frame of any size.
func (x *XHRSession) Queue(frame []byte) {
	if x.trace {
		x.traced("frame out", payload(frame))
	}
	x.mu.Lock()
	if x.closing {
		x.mu.Unlock()
		return
	}
	if x.queued > 0 && x.queued+len(frame) > x.srv.opt.QueueBytes {
		x.mu.Unlock()
		x.Close(x.disconnectFor(SlowConsumer))
		return
	}
	x.push(frame)
	x.mu.Unlock()
}

// push needs mu.
func (x *XHRSession) push(frame []byte) {
	x.pending = append(x.pending, frame)
	x.queued += len(frame)
	x.wake()
}

// wake tells the receiving request that there is something to do; needs mu.
func (x *XHRSession) wake() {
	if x.receiver == nil {
		return
	}
	select {
	case x.receiver.notify <- struct{}{}:
	default: // it is told already
	}
}

// Close says goodbye and ends the session: what waits, f's frame and the close
// line go to the receiving request, or to the next one if that comes within
// Options.Linger. Without a code nobody is there to be told. Only the first call
// counts.
func (x *XHRSession) Close(f Disconnect) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closing {
		return
	}
	x.closing, x.reason = true, f.Reason
	if f.Reason == SlowConsumer || f.Code == 0 {
		clear(x.pending)
		x.pending, x.queued = nil, 0
	}
	if f.Frame != nil {
		x.push(f.Frame)
	}
	if f.Code != 0 {
		x.last = closeLine(f.Code, f.Message)
	}
	x.wake()
	if x.h != nil { // else begin does it
		x.srv.goroutines.Go(x.end)
	}
}

// end is the rest of a session that is closing: the dialect is told when the last
// message is handled, and the client has a moment to come for the goodbye.
func (x *XHRSession) end() {
	x.mu.Lock()
	h, r, last := x.h, x.reason, x.last
	x.mu.Unlock()
	x.in.Lock()
	h.Closed(r)
	x.in.Unlock()
	if last != nil {
		linger := time.NewTimer(x.srv.opt.Linger)
		defer linger.Stop()
		select {
		case <-x.said:
		case <-linger.C:
		}
	}
	x.forget()
	x.srv.delist(x, r)
	x.srv.live.Done()
}

// forget takes the session's name from it: who comes under it now is new.
func (x *XHRSession) forget() {
	x.srv.mu.Lock()
	defer x.srv.mu.Unlock()
	if x.srv.xhr[x.name] == x {
		delete(x.srv.xhr, x.name)
	}
}

// cut ends a session whose client cannot be told anything more.
func (x *XHRSession) cut(r Reason) {
	x.Close(Disconnect{Reason: r})
	x.sayOnce.Do(func() { close(x.said) }) // nor if it was closing already
}

func (x *XHRSession) disconnectFor(r Reason) Disconnect { return disconnectOf(x.handler(), r) }

func (x *XHRSession) handler() Handler {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.h
}

// ask needs no ping besides the dialect's: heartbeats go out anyway.
func (x *XHRSession) ask() { x.h.Idle() }

// away says whether the client ended its last receiving request and has not come
// with the next one in time.
func (x *XHRSession) away(now int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.closing && x.receiver == nil && now-x.left >= x.srv.opt.Absence.Milliseconds()
}

func (x *XHRSession) conn() Conn {
	x.mu.Lock()
	c := Conn{Transport: "xhr_polling", QueuedBytes: x.queued, QueuedFrames: len(x.pending)}
	if x.streaming {
		c.Transport = "xhr_streaming"
	}
	h := x.h
	x.mu.Unlock()
	x.describe(&c, h.Info())
	return c
}

func (x *XHRSession) traced(direction string, text []byte) {
	x.mu.Lock()
	id := x.id
	x.mu.Unlock()
	x.srv.opt.Log.Log(context.Background(), LevelTrace, direction, "socket", id, "frame", redact(text))
}
