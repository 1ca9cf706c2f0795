package docs

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

//go:embed page.html docs.css docs.js
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"breakable": breakable, "lower": strings.ToLower,
}).ParseFS(files, "page.html"))

// policy lets the page load its own two files, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Docs serves the page.
type Docs struct {
	URL string // the program's public address, for the examples; no slash at the end
}

// Register adds GET and HEAD of /docs and its two files to r, open to everybody.
func (d *Docs) Register(r gin.IRouter) {
	for path, f := range map[string]file{
		"/docs":          {contentType: "text/html; charset=utf-8", make: d.render},
		"/docs/docs.css": {contentType: "text/css; charset=utf-8", make: embedded("docs.css")},
		"/docs/docs.js":  {contentType: "text/javascript; charset=utf-8", make: embedded("docs.js")},
	} {
		serve := f.handler()
		r.GET(path, serve)
		r.HEAD(path, serve)
	}
}

func (d *Docs) render() ([]byte, error) {
	v, err := newView(d.URL)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func embedded(name string) func() ([]byte, error) {
	return func() ([]byte, error) { return files.ReadFile(name) }
}

// file is made and compressed at its first request, and kept.
type file struct {
	contentType string
	make        func() ([]byte, error)
}

func (f file) handler() gin.HandlerFunc {
	get := sync.OnceValues(func() (*server.Static, error) {
		body, err := f.make()
		return server.NewStatic(f.contentType, body, false), err
	})
	return func(c *gin.Context) {
		content, err := get()
		if err != nil { // unreachable: the input is embedded, and the tests render it
			_ = c.AbortWithError(http.StatusInternalServerError, fmt.Errorf("docs: %w", err))
			return
		}
		h := c.Writer.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		content.Serve(c)
	}
}

// breakable returns text as HTML that may wrap inside a long path or name.
func breakable(text string) template.HTML {
	escaped := template.HTMLEscapeString(text)
	return template.HTML(strings.NewReplacer("/", "/<wbr>", ".", ".<wbr>").Replace(escaped)) // escaped above
}
