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

	// guarded by mu
	greeted   bool      // the client has been told that the session is open
	receiver  *receiver // the request that receives now, nil between two
	streaming bool      // the last one did
	left      int64     // ms since srv.epoch when the last one ended
	owed      bool      // a heartbeat of ours awaits the client's answer
	beat      bool      // a heartbeat is to be written at once
	last      []byte    // the close line, nil when nobody is there to read one
}

// newXHR makes a session that rc receives from.
func newXHR(s *Server, by XHRRequest, rc *receiver) *XHRSession {
	x := &XHRSession{
		connBase: connBase{srv: s, remote: by.Remote, began: time.Now()},
		name:     by.Session, said: make(chan struct{}),
		receiver: rc, streaming: rc.streaming,
	}
	x.self = x
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
	closing := x.opened(open(x))
	x.srv.enlist(x)
	if closing {
		x.srv.goroutines.Go(x.end)
	}
}

// ready tells the receiving request that there is something to do; needs mu.
func (x *XHRSession) ready() {
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
	if x.trace && f.Frame != nil {
		x.traced("frame out", payload(f.Frame))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.out.close(f.Reason) {
		return
	}
	if f.Code == 0 {
		x.out.drop()
	}
	if f.Frame != nil {
		x.push(f.Frame)
	}
	if f.Code != 0 {
		x.last = closeLine(f.Code, f.Message)
	}
	x.ready()
	if x.h != nil { // else begin does it
		x.srv.goroutines.Go(x.end)
	}
}

// end is the rest of a session that is closing: the dialect is told when the last
// message is handled, and the client has a moment to come for the goodbye.
func (x *XHRSession) end() {
	x.mu.Lock()
	h, r, last := x.h, x.out.reason, x.last
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

// ask needs no ping besides the dialect's: heartbeats go out anyway.
func (x *XHRSession) ask() { x.h.Idle() }

// away says whether the client ended its last receiving request and has not come
// with the next one in time.
func (x *XHRSession) away(now int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.out.closing && x.receiver == nil && now-x.left >= x.srv.opt.Absence.Milliseconds()
}

func (x *XHRSession) conn() Conn {
	x.mu.Lock()
	transport := "xhr_polling"
	if x.streaming {
		transport = "xhr_streaming"
	}
	x.mu.Unlock()
	return x.describe(transport)
}
