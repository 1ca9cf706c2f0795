package server

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// ReceiveRequest describes a receiving request of a session over HTTP.
type ReceiveRequest struct {
	Session   string // the session's name; "": a session that ends with the request
	Remote    string // the client's address, without port
	Streaming bool   // the answer goes on; else it ends after the first bytes
}

// receivingBody limits the body of a receiving request, in bytes. The body should be
// empty.
const receivingBody = 4 << 10

// Receive answers a receiving request of a session, and returns when the answer has
// ended. An unknown name begins a session: open is called once, before anything is
// written, and may already queue and close. If open is nil no session begins, and the
// request is refused with ErrNoSession.
//
// A session has one receiving request at a time; a second one is refused with ErrBusy.
// An answer that breaks ends its session, because it cannot be known how much of it the
// client has got. So within a session nothing is lost and nothing is repeated. A
// complete answer hands over to the next one: a poll after its first bytes, a stream
// after HTTPRules.StreamSize. Between two requests frames wait, within
// Options.QueueBytes, and the client may be away for Options.Absence.
//
// Heartbeats follow HTTPRules.Pings. The deadlines of the HTTP server are lifted while
// an answer goes on; each write has Options.WriteTimeout.
func (h *HTTPSessions) Receive(w http.ResponseWriter, r *http.Request, by ReceiveRequest, open func(*HTTPSession) Handler) {
	if !ReadNothing(w, r) {
		return
	}
	carriesSocket(r.Context())
	rc := newReceiver(w, r, h, by.Streaming)
	hs, found, err := h.find(by, rc, open != nil)
	switch {
	case errors.Is(err, ErrStopping):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server stops", http.StatusServiceUnavailable)
	case err != nil:
		h.refuse(w, err)
	case !found:
		hs.begin(r.Context(), open)
		rc.serve(hs)
	case !hs.attach(rc):
		if h.rules.Strict {
			hs.closeFor(ErrBusy)
		}
		rc.head()
		rc.hurry()
		h.codec.Refuse(w, ErrBusy)
		_ = rc.control.Flush() // the refusal stands even if the client has left
		rc.Release()
	default:
		rc.serve(hs)
	}
}

// ReadNothing reads the body, which should be empty, to its end: only then does net/http
// notice that the client goes away. If it cannot, it answers the request and returns false.
func ReadNothing(w http.ResponseWriter, r *http.Request) bool {
	BoundBody(w, r)
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, receivingBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "A receiving request has no body.", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, "The body could not be read.", http.StatusBadRequest)
	}
	return err == nil
}

// receiver is a receiving request. All fields but notify belong to its goroutine.
type receiver struct {
	*Stream
	notify    chan struct{} // holds one notification
	of        *HTTPSessions
	streaming bool

	begun   bool // a part of the answer was taken
	written int  // sum of Encoded.Size
	done    bool // the part taken last ends the answer
	closes  bool // and it ends the session
}

func newReceiver(w http.ResponseWriter, r *http.Request, of *HTTPSessions, streaming bool) *receiver {
	return &receiver{Stream: NewStream(w, r, of.srv.opt.WriteTimeout), notify: make(chan struct{}, 1), of: of, streaming: streaming}
}

func (rc *receiver) head() {
	rc.Head(rc.of.rules.ContentType)
	rc.w.Header().Set("Cache-Control", "no-store, no-cache, no-transform, must-revalidate, max-age=0")
}

// serve writes the parts of the session until the answer ends.
func (rc *receiver) serve(hs *HTTPSession) {
	defer rc.Release()
	rc.head()
	every := hs.srv.opt.Heartbeat
	silence := time.NewTimer(every)
	defer silence.Stop()
	if hs.pings {
		silence.Stop() // the keepalive loop makes them due
	}
	gone := rc.r.Context().Done()
	for {
		wrote, err := rc.writeParts(hs)
		if err != nil {
			hs.detach(rc)
			hs.cut(whyBroken(err))
			return
		}
		if rc.done {
			return
		}
		if wrote && !hs.pings {
			silence.Reset(every)
		}
		select {
		case <-rc.notify:
		case <-silence.C:
			hs.due()
		case <-gone:
			gone = nil
			if !hs.srv.IsStopping() { // else this server is stopping, and the client must still get the close message
				hs.detach(rc)
				hs.cut(PeerGone)
				return
			}
			hs.Close(hs.disconnectFor(Stopping))
		}
	}
}

// writeParts writes every part that the session has now.
func (rc *receiver) writeParts(hs *HTTPSession) (wrote bool, err error) {
	for {
		p, some := hs.take(rc)
		if !some {
			return wrote, nil
		}
		e := rc.of.codec.Encode(p)
		hs.settle(rc, p, e)
		if err := rc.Write(e.Bytes); err != nil {
			return wrote, err
		}
		hs.gave(rc, p)
		wrote = true
	}
}
