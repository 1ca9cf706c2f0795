package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// HTTPSession is a socket whose client gets no WebSocket: it is carried by HTTP
// requests, in the words of an HTTPCodec. Of its requests, those that receive (see
// HTTPSessions.Receive) follow one another, each with an answer; those that send (see
// HTTPSessions.Send) carry messages in their bodies. Queue and Close may be called
// from anywhere, at any time, and never block.
type HTTPSession struct {
	connBase

	// static
	of   *HTTPSessions
	name string // the client's, "" when it is of one request alone

	in      sync.Mutex  // held while a message is handled, and by the last word, Closed
	sending atomic.Bool // a sending request is open; not kept where those take turns

	said    chan struct{} // closed when Close is written, or the client is gone
	sayOnce sync.Once

	// guarded by mu
	greeted   bool       // the client has been told that the session is open
	receiver  *receiver  // the request that receives now, nil between two
	streaming bool       // the last one did
	left      int64      // ms since srv.epoch when the last one ended
	owed      bool       // what was written awaits the client's sign of life
	beat      bool       // a heartbeat is to be written at once
	last      Disconnect // how the client is told of the end, once closing
	told      bool       // last was given to a receiving request
}

// newHTTPSession makes a session that rc receives from.
func newHTTPSession(of *HTTPSessions, by ReceiveRequest, rc *receiver) *HTTPSession {
	hs := &HTTPSession{
		connBase: connBase{srv: of.srv, remote: by.Remote, began: time.Now(), pings: of.rules.Pings},
		of:       of, name: by.Session, said: make(chan struct{}),
		receiver: rc, streaming: rc.streaming,
	}
	hs.self = hs
	hs.heard()
	hs.answered = hs.lastRead.Load()
	return hs
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

// Close says goodbye and ends the session: what waits, d's frame and the codec's
// words for d go to the receiving request, or to the next one if that comes within
// Options.Linger. Without a code nobody is there to be told, but a request that
// receives now. Only the first call counts.
func (hs *HTTPSession) Close(d Disconnect) {
	if hs.trace && d.Frame != nil {
		hs.traced("frame out", Payload(d.Frame))
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if !hs.out.close(d.Reason) {
		return
	}
	if d.Code == 0 {
		hs.out.drop()
	}
	if d.Frame != nil {
		hs.push(d.Frame)
	}
	hs.last = d
	hs.ready()
	if hs.h != nil { // else begin does it
		hs.srv.goroutines.Go(hs.end)
	}
}

// closeFor ends the session of a client that did not keep to its codec.
func (hs *HTTPSession) closeFor(err error) {
	if errors.Is(err, ErrTooLarge) {
		hs.Close(hs.disconnectFor(TooLarge))
		return
	}
	d := hs.disconnectFor(ProtocolError)
	d.Message = err.Error()
	hs.Close(d)
}

// end is the rest of a session that is closing: the dialect is told when the last
// message is handled, and the client has a moment to come for the goodbye.
func (hs *HTTPSession) end() {
	hs.mu.Lock()
	h, d := hs.h, hs.last
	hs.mu.Unlock()
	hs.in.Lock()
	h.Closed(d.Reason)
	hs.in.Unlock()
	if d.Code != 0 {
		linger := time.NewTimer(hs.srv.opt.Linger)
		defer linger.Stop()
		select {
		case <-hs.said:
		case <-linger.C:
		}
	}
	hs.forget()
	hs.srv.delist(hs, d.Reason)
	hs.srv.live.Done()
}

// cut ends a session whose client cannot be told anything more.
func (hs *HTTPSession) cut(r Reason) {
	hs.Close(Disconnect{Reason: r})
	hs.sayOnce.Do(func() { close(hs.said) }) // nor if it was closing already
}

// ask pings the client. Where heartbeats are no pings, they go out anyway, and the
// dialect asks.
func (hs *HTTPSession) ask() {
	if hs.pings {
		hs.due()
		return
	}
	hs.h.Idle()
}

// absent says whether the client ended its last receiving request and has not come
// with the next one in time.
func (hs *HTTPSession) absent(now int64) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return !hs.out.closing && hs.receiver == nil && now-hs.left >= hs.srv.opt.Absence.Milliseconds()
}

func (hs *HTTPSession) conn() Conn {
	hs.mu.Lock()
	transport := hs.of.rules.Polling
	if hs.streaming {
		transport = hs.of.rules.Streaming
	}
	hs.mu.Unlock()
	return hs.describe(transport)
}
