package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// Static is an immutable body in memory, with its compressed form. It is safe for
// concurrent use.
type Static struct {
	contentType string
	body        []byte
	tag         string        // the ETag without quotes
	zipped      func() []byte // nil: not smaller
}

// NewStatic returns a Static of body, which it keeps. The body is compressed when a
// client first asks for that, unless packed says that its format is already compressed.
func NewStatic(contentType string, body []byte, packed bool) *Static {
	sum := sha256.Sum256(body)
	s := &Static{contentType: contentType, body: body, tag: hex.EncodeToString(sum[:12]), zipped: func() []byte { return nil }}
	if !packed {
		s.zipped = sync.OnceValue(func() []byte { return compress(body) })
	}
	return s
}

// compress returns nil if it gains nothing.
func compress(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil // the level is valid
	}
	_, _ = w.Write(body) // into memory
	_ = w.Close()
	if out.Len() >= len(body) {
		return nil
	}
	return out.Bytes()
}

// Serve answers a GET or HEAD, with 304 when the client has the body already. The plain
// and the compressed form are two representations, so each has its own ETag. The caller
// sets the headers for caching and security.
func (s *Static) Serve(c *gin.Context) {
	h, body, etag := c.Writer.Header(), s.body, strconv.Quote(s.tag)
	if zipped := s.zipped(); zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if AcceptsGzip(c.Request.Header) {
			h.Set("Content-Encoding", "gzip")
			body, etag = zipped, strconv.Quote(s.tag+"-gzip")
		}
	}
	h.Set("ETag", etag)
	if matches(c.GetHeader("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if c.Request.Method == http.MethodHead {
		h.Set("Content-Type", s.contentType)
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Data(http.StatusOK, s.contentType, body)
}

// matches reports whether an If-None-Match names etag. The comparison is weak, because
// a proxy may have marked our ETag as weak.
func matches(sent, etag string) bool {
	for entry := range strings.SplitSeq(sent, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "*" || strings.TrimPrefix(entry, "W/") == etag {
			return true
		}
	}
	return false
}
