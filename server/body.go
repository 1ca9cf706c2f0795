package server

import (
	"io"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"
)

// Limits of the time that a body may take to arrive.
const (
	bodyTime   = 30 * time.Second // for all of it, or between two parts of an upload
	uploadRate = 8 << 10          // bytes per second that an upload must have on average, after the first 30 s
)

// boundBodies bounds the time that the body of every request may take.
func boundBodies(c *gin.Context) { BoundBody(c.Writer, c.Request) }

// BoundBody gives the body of a request 30 s to arrive, whether or not anybody reads
// it: net/http reads what is left after the handler has returned. Once the body has been
// read to its end there is no deadline, because it would end the context of a long poll.
// Later calls do nothing. Writers without deadlines occur only in tests.
func BoundBody(w http.ResponseWriter, r *http.Request) {
	if _, bound := r.Body.(*boundBody); bound || r.Body == nil || r.Body == http.NoBody {
		return
	}
	b := &boundBody{ReadCloser: r.Body, control: http.NewResponseController(w), left: bodyTime}
	_ = b.control.SetReadDeadline(time.Now().Add(bodyTime))
	r.Body = b
}

// BoundUpload lets the body of a request take longer than BoundBody, as long as bytes
// keep coming: at least 8 KiB per second on average after the first 30 s, without a
// pause of 30 s. The time that the server takes to use them does not count. It must be
// called before the body is read. The answer must be written answerTime after it.
func BoundUpload(w http.ResponseWriter, r *http.Request, answerTime time.Duration) {
	BoundBody(w, r)
	if b, ok := r.Body.(*boundBody); ok {
		b.upload, b.answerTime = true, answerTime
	}
}

// boundBody is the body of a request with a deadline. Its fields belong to the handler.
type boundBody struct {
	io.ReadCloser
	control    *http.ResponseController
	upload     bool
	answerTime time.Duration // of an upload
	left       time.Duration // that an upload may still wait for bytes
}

func (b *boundBody) Read(p []byte) (n int, err error) {
	if b.upload {
		n, err = b.readPart(p)
	} else {
		n, err = b.ReadCloser.Read(p)
	}
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// readPart reads a part of an upload, which must come within the time that is left.
func (b *boundBody) readPart(p []byte) (n int, err error) {
	began := time.Now()
	if b.left <= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	wait := min(b.left, bodyTime)
	_ = b.control.SetReadDeadline(began.Add(wait))
	_ = b.control.SetWriteDeadline(began.Add(wait + b.answerTime))
	n, err = b.ReadCloser.Read(p)
	b.left += time.Duration(n)*time.Second/uploadRate - time.Since(began)
	return n, err
}
