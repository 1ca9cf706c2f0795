package server

import (
	"net/http"
	"time"
)

// Stream is an answer that goes on. The deadlines of the HTTP server are lifted while it
// does; each write has one of its own. It belongs to the goroutine of its request.
type Stream struct {
	r       *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration // for each write
}

// NewStream makes the answer of r a stream. The body of r must have been read. The caller
// calls Release in the end.
func NewStream(w http.ResponseWriter, r *http.Request, timeout time.Duration) *Stream {
	s := &Stream{r: r, w: w, control: http.NewResponseController(w), timeout: timeout}
	_ = s.control.SetReadDeadline(time.Time{}) // net/http keeps reading, to notice that the client goes away
	return s
}

// Head sets the headers of a stream: caches keep nothing of it, and proxies pass it on as it
// comes.
func (s *Stream) Head(contentType string) {
	h := s.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // else nginx would buffer the answer
}

// hurry bounds how long the next write may take.
func (s *Stream) hurry() { _ = s.control.SetWriteDeadline(time.Now().Add(s.timeout)) }

// Write hands b to the kernel. A client that does not take it in time gets nothing more.
func (s *Stream) Write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	s.hurry()
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	err := s.control.Flush()
	// Over HTTP/2 a deadline that passes ends the stream, even if nothing is written.
	_ = s.control.SetWriteDeadline(time.Time{})
	return err
}

// Release restores the deadline that the HTTP server sets itself, if any, because the
// server reuses the connection.
func (s *Stream) Release() {
	var at time.Time
	if srv, ok := s.r.Context().Value(http.ServerContextKey).(*http.Server); ok && srv.WriteTimeout > 0 {
		at = time.Now().Add(srv.WriteTimeout)
	}
	_ = s.control.SetWriteDeadline(at)
}
