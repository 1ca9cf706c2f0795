package pusher

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

// largeAnswer is the size in bytes from which an answer is compressed on request.
const largeAnswer = 1 << 10

var (
	emptyObject = []byte("{}")
	zippers     = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
)

// writeEmpty answers {}, which libraries parse.
func writeEmpty(c *gin.Context) { write(c, http.StatusOK, emptyObject) }

// writeError answers with the error, and with when to try again.
func writeError(c *gin.Context, apiErr *apiError) {
	if apiErr.retryAfter > 0 {
		seconds := (apiErr.retryAfter + time.Second - 1) / time.Second
		c.Header("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	writeJSON(c, apiErr.Status, apiErr)
}

// writeJSON answers with v. It does not use gin's JSON, because clients compare the
// whole content type, and some the whole body.
func writeJSON(c *gin.Context, status int, v any) {
	body, _ := json.Marshal(v) // types of this package, made of strings and numbers: they always marshal
	write(c, status, body)
}

func write(c *gin.Context, status int, body []byte) {
	if len(body) >= largeAnswer {
		c.Writer.Header().Add("Vary", "Accept-Encoding")
		if server.AcceptsGzip(c.Request.Header) {
			c.Header("Content-Encoding", "gzip")
			body = zip(body)
		}
	}
	c.Data(status, "application/json", body)
	c.Abort()
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w := zippers.Get().(*gzip.Writer)
	defer zippers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(body) // into memory: never fails
	_ = w.Close()
	return b.Bytes()
}
