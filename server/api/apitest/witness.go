package apitest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

// keep is how many bytes of a body are checked. Larger bodies are files, whose content
// the reference does not describe.
const keep = 4 << 20

// copied is a copy of what was written to it, up to keep bytes.
type copied struct {
	bytes.Buffer
	cut bool
}

func (c *copied) Write(p []byte) (int, error) {
	if c.cut = c.cut || c.Len()+len(p) > keep; !c.cut {
		_, _ = c.Buffer.Write(p)
	}
	return len(p), nil
}

// of returns body, which is copied to c as it is read.
func (c *copied) of(body io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, c), body}
}

// witness passes an answer through and remembers it. look is called once: at the end,
// or when the request becomes a socket.
type witness struct {
	http.ResponseWriter
	look   func()
	looked bool
	status int
	header http.Header // as sent
	body   copied
}

var (
	_ http.Hijacker = (*witness)(nil)
	_ http.Flusher  = (*witness)(nil)
)

// Unwrap lets http.ResponseController reach the real writer's deadlines.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *witness) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.header = status, w.Header().Clone()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_, _ = w.body.Write(p)
	return w.ResponseWriter.Write(p)
}

func (w *witness) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status, w.header = http.StatusSwitchingProtocols, http.Header{}
		w.end()
	}
	return conn, buffered, err
}

func (w *witness) end() {
	if w.looked {
		return
	}
	w.looked = true
	if w.status == 0 { // nothing was written: net/http answers 200
		w.status, w.header = http.StatusOK, w.Header().Clone()
	}
	w.look()
}
