package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sync"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

// dist is npm's output. README.txt is always there, so that the program compiles even
// if nothing was built.
//
//go:embed all:dist
var dist embed.FS

// Build is the built app, held in memory. It is immutable.
type Build struct {
	hash  string
	files map[string]*file // by path in dist
}

// file is one file of a build.
type file struct {
	*server.Static
	forever bool // its name holds a hash of its content
}

// Embedded returns the build embedded in the program. It is loaded once.
var Embedded = sync.OnceValues(func() (*Build, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return Load(sub)
})

// contentTypes are the types of the files that are served. A file without a type here,
// such as a source map, is not served.
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

// packed are the types whose format is already compressed.
var packed = map[string]bool{".png": true, ".webp": true, ".woff2": true}

// hashed matches Vite's names for files in assets: name-hash.extension.
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

// Built reports whether there is a console, and not only the folder for it.
func (b *Build) Built() bool { return b.files["index.html"] != nil }

// Hash returns a hash that differs between builds, "" when nothing was built.
func (b *Build) Hash() string { return b.hash }

func newFile(name string, content []byte) *file {
	ext := path.Ext(name)
	return &file{server.NewStatic(contentTypes[ext], content, packed[ext]), hashed.MatchString(name)}
}

// serve answers GET and HEAD with the file.
func (f *file) serve(g *gin.Context) {
	h := g.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	f.Serve(g)
}

// Licences returns the licences of what the console is made of; nil if it is not built.
func Licences() []byte {
	text, err := dist.ReadFile("dist/licenses.txt")
	if err != nil {
		return nil // there is no such file
	}
	return text
}
