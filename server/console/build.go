package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// dist is what npm built. README.txt is always there, so that the program
// compiles where nothing was built.
//
//go:embed all:dist
var dist embed.FS

// Build is the built app, held in memory. Immutable but for the compressed
// copies, each of which is made once, when it is first asked for.
type Build struct {
	hash  string
	files map[string]*file // by their path in dist
}

// file is one file of a build.
type file struct {
	contentType string
	content     []byte
	etag        string // quoted
	forever     bool   // its name holds a hash of its content
	compressed  func() []byte
}

// Embedded is the build that the program carries. Programs of one process share it.
var Embedded = sync.OnceValues(func() (*Build, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return Load(sub)
})

// contentTypes are those of the files that are served. What has no type here is
// not: a source map, say.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".ico":   "image/x-icon",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json; charset=utf-8",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".webp":  "image/webp",
	".woff2": "font/woff2",
}

// packed are compressed by their format.
var packed = map[string]bool{".png": true, ".webp": true, ".woff2": true}

// hashed is how Vite names what it puts into assets: name-hash.extension.
var hashed = regexp.MustCompile(`^assets/[^/]+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$`)

// Load reads a build.
func Load(fsys fs.FS) (*Build, error) {
	b := &Build{files: map[string]*file{}}
	all := sha256.New()
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(all, "%s %d ", name, len(content))
		_, _ = all.Write(content)
		if contentTypes[path.Ext(name)] != "" {
			b.files[name] = newFile(name, content)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the built console: %w", err)
	}
	if b.Built() {
		b.hash = hex.EncodeToString(all.Sum(nil))[:12]
	}
	return b, nil
}

// Built says whether there is a console, and not only the folder for it.
func (b *Build) Built() bool { return b.files["index.html"] != nil }

// Hash tells builds apart; "" when there is none.
func (b *Build) Hash() string { return b.hash }

func newFile(name string, content []byte) *file {
	sum := sha256.Sum256(content)
	f := &file{
		contentType: contentTypes[path.Ext(name)],
		content:     content,
		etag:        strconv.Quote(hex.EncodeToString(sum[:12])),
		forever:     hashed.MatchString(name),
		compressed:  func() []byte { return nil },
	}
	if !packed[path.Ext(name)] {
		f.compressed = sync.OnceValue(func() []byte { return compress(content) })
	}
	return f
}

// compress returns nil where it gains nothing.
func compress(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil // no such level: not this one
	}
	_, _ = w.Write(content) // into memory
	_ = w.Close()
	if out.Len() >= len(content) {
		return nil
	}
	return out.Bytes()
}

// serve answers GET and HEAD with the file, compressed for who takes that. The
// two forms are two representations, so each has its own ETag.
func (f *file) serve(g *gin.Context) {
	h, body, etag := g.Writer.Header(), f.content, f.etag
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if small := f.compressed(); small != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(g.GetHeader("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body, etag = small, strings.TrimSuffix(f.etag, `"`)+`-gzip"`
		}
	}
	h.Set("ETag", etag)
	if knows(g.GetHeader("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		g.Status(http.StatusNotModified)
		g.Writer.WriteHeaderNow()
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if g.Request.Method == http.MethodHead {
		h.Set("Content-Type", f.contentType)
		g.Status(http.StatusOK)
		g.Writer.WriteHeaderNow()
		return
	}
	g.Data(http.StatusOK, f.contentType, body)
}

// takesGzip reads an Accept-Encoding. What names gzip wins over *; a weight of 0
// refuses.
func takesGzip(accepted string) bool {
	takes := false
	for entry := range strings.SplitSeq(accepted, ",") {
		coding, params, _ := strings.Cut(entry, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		weight := 1.0
		if key, value, ok := strings.Cut(strings.TrimSpace(params), "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			weight, _ = strconv.ParseFloat(strings.TrimSpace(value), 64) // nonsense is 0: uncompressed is always right
		}
		takes = weight > 0
		if coding == "gzip" {
			break
		}
	}
	return takes
}

// knows says whether an If-None-Match names etag. The comparison is weak: a proxy
// may have marked ours.
func knows(sent, etag string) bool {
	for entry := range strings.SplitSeq(sent, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "*" || strings.TrimPrefix(entry, "W/") == etag {
			return true
		}
	}
	return false
}
