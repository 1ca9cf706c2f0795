package server

import (
	"context"
	"sync"
	"time"
)

// HTTPSession is a socket whose client gets no WebSocket: it is carried by HTTP
// requests, as SockJS and pusher-js do it. Of its requests, those that receive
// (see Receive) follow one another, each an answer with lines; those that send
// (see Send) carry messages in their bodies. Queue and Close may be called from
// anywhere, at any time, and never block.
type HTTPSession struct {
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

// newHTTPSession makes a session that rc receives from.
func newHTTPSession(s *Server, by ReceiveRequest, rc *receiver) *HTTPSession {
	hs := &HTTPSession{
		connBase: connBase{srv: s, remote: by.Remote, began: time.Now()},
		name:     by.Session, said: make(chan struct{}),
		receiver: rc, streaming: rc.streaming,
	}
	hs.self = hs
	hs.heard()
	return hs
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// begin calls open and registers what it made.
func (hs *HTTPSession) begin(ctx context.Context, open func(*HTTPSession) Handler) {
	hs.trace = hs.srv.opt.Log.Enabled(ctx, LevelTrace)
	closing := hs.opened(open(hs))
	hs.srv.enlist(hs)
	if closing {
		hs.srv.goroutines.Go(hs.end)
	}
}

// ready tells the receiving request that there is something to do; needs mu.
func (hs *HTTPSession) ready() {
	if hs.receiver == nil {
		return
	}
	select {
	case hs.receiver.notify <- struct{}{}:
	default: // it is told already
	}
}

// Close says goodbye and ends the session: what waits, f's frame and the close
// line go to the receiving request, or to the next one if that comes within
// Options.Linger. Without a code nobody is there to be told. Only the first call
// counts.
func (hs *HTTPSession) Close(f Disconnect) {
	if hs.trace && f.Frame != nil {
		hs.traced("frame out", payload(f.Frame))
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if !hs.out.close(f.Reason) {
		return
	}
	if f.Code == 0 {
		hs.out.drop()
	}
	if f.Frame != nil {
		hs.push(f.Frame)
	}
	if f.Code != 0 {
		hs.last = closeLine(f.Code, f.Message)
	}
	hs.ready()
	if hs.h != nil { // else begin does it
		hs.srv.goroutines.Go(hs.end)
	}
}

// end is the rest of a session that is closing: the dialect is told when the last
// message is handled, and the client has a moment to come for the goodbye.
func (hs *HTTPSession) end() {
	hs.mu.Lock()
	h, r, last := hs.h, hs.out.reason, hs.last
	hs.mu.Unlock()
	hs.in.Lock()
	h.Closed(r)
	hs.in.Unlock()
	if last != nil {
		linger := time.NewTimer(hs.srv.opt.Linger)
		defer linger.Stop()
		select {
		case <-hs.said:
		case <-linger.C:
		}
	}
	hs.forget()
	hs.srv.delist(hs, r)
	hs.srv.live.Done()
}

// forget takes the session's name from it: who comes under it now is new.
func (hs *HTTPSession) forget() {
	hs.srv.mu.Lock()
	defer hs.srv.mu.Unlock()
	if hs.srv.httpSessions[hs.name] == hs {
		delete(hs.srv.httpSessions, hs.name)
	}
}

// cut ends a session whose client cannot be told anything more.
func (hs *HTTPSession) cut(r Reason) {
	hs.Close(Disconnect{Reason: r})
	hs.sayOnce.Do(func() { close(hs.said) }) // nor if it was closing already
}

// ask needs no ping besides the dialect's: heartbeats go out anyway.
func (hs *HTTPSession) ask() { hs.h.Idle() }

// away says whether the client ended its last receiving request and has not come
// with the next one in time.
func (hs *HTTPSession) away(now int64) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return !hs.out.closing && hs.receiver == nil && now-hs.left >= hs.srv.opt.Absence.Milliseconds()
}

func (hs *HTTPSession) conn() Conn {
	hs.mu.Lock()
	transport := "xhr_polling"
	if hs.streaming {
		transport = "xhr_streaming"
	}
	hs.mu.Unlock()
	return hs.describe(transport)
}
