package server

import (
	"bytes"
	"compress/gzip"

	"github.com/gin-gonic/gin"
)

// gzipFrom is the length of an answer from which it is compressed, in bytes.
const gzipFrom = 2 << 10

// WriteJSON answers with JSON, compressed when it is long and the client takes that.
func WriteJSON(c *gin.Context, status int, text []byte) {
	c.Writer.Header().Add("Vary", "Accept-Encoding")
	if len(text) >= gzipFrom && AcceptsGzip(c.Request.Header) {
		var small bytes.Buffer
		w := gzip.NewWriter(&small)
		_, _ = w.Write(text) // to memory
		_ = w.Close()
		c.Header("Content-Encoding", "gzip")
		text = small.Bytes()
	}
	c.Data(status, "application/json; charset=utf-8", text)
}
