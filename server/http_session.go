package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// HTTPSession is the socket of a client that cannot open a WebSocket: it consists of
// HTTP requests in the format of an HTTPCodec. Receiving requests (see
// HTTPSessions.Receive) follow one another, each with an answer; sending requests (see
// HTTPSessions.Send) carry messages in their bodies. Queue and Close may be called from
// any goroutine at any time and never block.
type HTTPSession struct {
	connBase

	// static
	of   *HTTPSessions
	name string // chosen by the client, "" when the session lasts for one request

	in      turn        // taken while a message is handled, and during the final Closed
	sending atomic.Bool // a sending request is open; used only if HTTPRules.Strict

	said    chan struct{} // closed when Close is written, or the client is gone
	sayOnce sync.Once

	// guarded by mu
	greeted   bool       // the client has been told that the session is open
	receiver  *receiver  // the receiving request, nil between two
	waiting   int        // bytes of the sending requests that are not handled yet, see enqueue
	streaming bool       // whether the last receiver was streaming
	left      int64      // when the last receiver ended, ms since srv.epoch
	owed      bool       // the client owes a sign of life for what was written
	beat      bool       // a heartbeat is due at once
	last      Disconnect // how the client is told of the end, once closing
	told      bool       // last was given to a receiving request
	held      bool       // see Hold
}

// turn is a lock that is given to those who wait for it in order of arrival.
type turn chan struct{}

func (t turn) take() { t <- struct{}{} }
func (t turn) give() { <-t }

// newHTTPSession makes a session with rc as its receiver.
func newHTTPSession(of *HTTPSessions, by ReceiveRequest, rc *receiver) *HTTPSession {
	hs := &HTTPSession{
		connBase: connBase{srv: of.srv, remote: by.Remote, began: time.Now(), pings: of.rules.Pings, pingEvery: of.rules.PingEvery, pongTimeout: of.rules.PongTimeout},
		of:       of, name: by.Session, said: make(chan struct{}), in: make(turn, 1),
		receiver: rc, streaming: rc.streaming,
	}
	hs.self = hs
	hs.heard()
	hs.answered = hs.lastRead.Load()
	return hs
}

// begin calls open and registers the session.
func (hs *HTTPSession) begin(ctx context.Context, open func(*HTTPSession) Handler) {
	hs.trace = hs.srv.opt.Log.Enabled(ctx, LevelTrace)
	closing := hs.opened(open(hs))
	hs.srv.enlist(hs)
	if closing {
		hs.srv.goroutines.Go(hs.end)
	}
}

// ready notifies the receiving request that there is something to do. The caller holds
// mu.
func (hs *HTTPSession) ready() {
	if hs.receiver == nil {
		return
	}
	select {
	case hs.receiver.notify <- struct{}{}:
	default: // already notified
	}
}

// Close ends the session. The frames that wait, d's frame and the codec's encoding of d
// go to the receiving request, or to the next one if it comes within Options.Linger. If
// d.Code is 0 only a request that is receiving now is told. Only the first call counts.
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

// closeFor ends the session of a client that violated its codec. The client learns it from
// the answer to that request, so no later one is told.
func (hs *HTTPSession) closeFor(err error) {
	d := hs.disconnectFor(ProtocolError)
	d.Message = err.Error()
	if errors.Is(err, ErrTooLarge) {
		d = hs.disconnectFor(TooLarge)
	}
	d.Code = 0
	hs.Close(d)
}

// end finishes a closing session: it tells the dialect once the last message is
// handled, and gives the client Options.Linger to fetch the close message.
func (hs *HTTPSession) end() {
	hs.mu.Lock()
	h, d := hs.h, hs.last
	hs.mu.Unlock()
	hs.in.take()
	h.Closed(d.Reason)
	hs.in.give()
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
	hs.sayOnce.Do(func() { close(hs.said) }) // even if it was closing already, do not wait
}

// ask pings the client. If heartbeats are not pings, they are sent anyway, and the
// dialect asks instead.
func (hs *HTTPSession) ask() {
	if hs.pings {
		hs.due()
		return
	}
	hs.h.Idle()
}

// absent reports whether the client has had no receiving request open for
// Options.Absence. While its sending requests wait it is here: see stay.
func (hs *HTTPSession) absent(now int64) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return !hs.out.closing && hs.receiver == nil && hs.waiting == 0 && now-hs.left >= hs.srv.opt.Absence.Milliseconds()
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
