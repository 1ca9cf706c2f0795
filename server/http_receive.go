package server

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// ReceiveRequest says what a request for a session over HTTP is about.
type ReceiveRequest struct {
	Session   string // the client's name for it, made unique by the dialect; "": a session that ends with the request
	Remote    string // the client's address, without port
	Streaming bool   // the answer goes on; else it ends after the first line
}

// receivingBody is how much of a body a receiving request may have. It should
// have none.
const receivingBody = 4 << 10

// Receive answers a receiving request of a session, and returns when that answer
// has ended. A name that is not known begins a session: open is called once, before
// anything is written, and may queue and close already.
//
// One request of a session receives at a time; a second one is refused (line c,
// 2010). An answer that breaks ends its session, for what the client has got of it
// cannot be known: so within a session nothing is lost and nothing comes twice. An
// answer that is complete hands over to the next one: a poll after its line, a
// stream after 256 Ki characters, when pusher-js comes with a new request. Between
// two of them frames wait, within Options.QueueBytes, and the client may be away
// for Options.Absence.
//
// In silence a heartbeat is written every Options.Heartbeat. The deadlines of the
// HTTP server are lifted while an answer goes on; each write has
// Options.WriteTimeout.
func (s *Server) Receive(w http.ResponseWriter, r *http.Request, by ReceiveRequest, open func(*HTTPSession) Handler) {
	if !readNothing(w, r) {
		return
	}
	rc := newReceiver(w, r, s, by.Streaming)
	hs, found := s.httpSessionOf(by, rc)
	switch {
	case hs == nil:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server stops", http.StatusServiceUnavailable)
		return
	case !found:
		hs.begin(r.Context(), open)
	case !hs.attach(rc):
		rc.head()
		_ = rc.write([]byte(busyLine)) // who has left was refused all the same
		rc.release()
		return
	}
	rc.serve(hs)
}

// bodyTime is how long a body may take to come. The HTTP server's own limit is for
// files.
const bodyTime = 30 * time.Second

// hurryBody bounds how long the body may take, also what net/http reads of it when
// nobody has. A writer without deadlines is a test's.
func hurryBody(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
}

// readNothing reads the body, which should be empty, to its end: only then does
// net/http notice that a client goes away.
func readNothing(w http.ResponseWriter, r *http.Request) bool {
	hurryBody(w)
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

// receiver is a receiving request. All but woken belongs to its goroutine.
type receiver struct {
	notify    chan struct{} // holds one
	r         *http.Request
	w         http.ResponseWriter
	control   *http.ResponseController
	streaming bool
	timeout   time.Duration // of a write

	written int  // characters of the answer
	done    bool // what was taken last ends the answer
	closes  bool // and the session
}

func newReceiver(w http.ResponseWriter, r *http.Request, s *Server, streaming bool) *receiver {
	rc := &receiver{
		notify: make(chan struct{}, 1), r: r, w: w, control: http.NewResponseController(w),
		streaming: streaming, timeout: s.opt.WriteTimeout,
	}
	_ = rc.control.SetReadDeadline(time.Time{}) // net/http reads on, to notice that the client goes
	return rc
}

func (rc *receiver) head() {
	h := rc.w.Header()
	h.Set("Content-Type", "application/javascript; charset=UTF-8")
	h.Set("Cache-Control", "no-store, no-cache, no-transform, must-revalidate, max-age=0")
	h.Set("X-Accel-Buffering", "no") // or nginx waits for more
}

// write hands lines to the kernel.
func (rc *receiver) write(b []byte) error {
	_ = rc.control.SetWriteDeadline(time.Now().Add(rc.timeout))
	if _, err := rc.w.Write(b); err != nil {
		return err
	}
	return rc.control.Flush()
}

// release gives the connection back with the deadline that the HTTP server sets
// itself, if it does; it reuses the connection.
func (rc *receiver) release() {
	var at time.Time
	if srv, ok := rc.r.Context().Value(http.ServerContextKey).(*http.Server); ok && srv.WriteTimeout > 0 {
		at = time.Now().Add(srv.WriteTimeout)
	}
	_ = rc.control.SetWriteDeadline(at)
}

// serve writes what the session has until the answer ends.
func (rc *receiver) serve(hs *HTTPSession) {
	defer rc.release()
	rc.head()
	every := hs.srv.opt.Heartbeat
	heartbeat := time.NewTimer(every)
	defer heartbeat.Stop()
	gone := rc.r.Context().Done()
	for {
		for lines, size := hs.take(rc); len(lines) > 0; lines, size = hs.take(rc) {
			if err := rc.write(lines); err != nil {
				hs.detach(rc)
				hs.cut(whyBroken(err))
				return
			}
			hs.gave(rc, size)
			heartbeat.Reset(every)
		}
		if rc.done {
			return
		}
		select {
		case <-rc.notify:
		case <-heartbeat.C:
			hs.due()
		case <-gone:
			gone = nil
			if !hs.srv.isStopping() { // else it is we who give up: there is a goodbye to be said
				hs.detach(rc)
				hs.cut(PeerGone)
				return
			}
			hs.Close(hs.disconnectFor(Stopping))
		}
	}
}
