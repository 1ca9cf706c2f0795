package console_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gin-gonic/gin"

	"chatcast/server/api"
	"chatcast/server/api/apitest"
	"chatcast/server/console"
)

const script = "assets/index-Bq_x3v-L.js"

// built is a small version of npm's output.
func built() fstest.MapFS {
	long := []byte(strings.Repeat("console.log('one two three');\n", 200))
	return fstest.MapFS{
		"README.txt":                {Data: []byte("kept")},
		"index.html":                {Data: []byte("<!doctype html><title>the console</title>" + strings.Repeat(" ", 500))},
		"try.html":                  {Data: []byte("<!doctype html><title>try</title>")},
		"licenses.txt":              {Data: []byte("MIT License")},
		script:                      {Data: long},
		script + ".map":             {Data: []byte("{}")},
		"assets/index-aaaabbbb.css": {Data: []byte("body{}")},
		"assets/icon-aaaabbbb.svg":  {Data: []byte("<svg/>")},
		"assets/a-aaaabbbb.woff2":   {Data: bytes.Repeat([]byte("f"), 4000)},
		"assets/plain.js":           {Data: long},
		"lib/pusher-8.min.js":       {Data: long},
	}
}

// server serves the console with a build of these files.
func server(t *testing.T, files fstest.MapFS) http.Handler {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	build, err := console.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	(&console.Console{
		Build: build, NotFound: (&api.API{}).NoRoute,
		Version: "1.2.3", Commit: "abcdef", AppKey: "ChatsAppApiProdKey", AppID: "app_685_1", PublicURL: "https://public.example",
		CompanyID: 2224, UserID: 685, LicenseID: 1229, Messengers: []string{"telegram"},
	}).Register(engine)
	engine.NoRoute((&api.API{}).NoRoute)
	return apitest.Documented(t, engine, nil)
}

// ask sends a request with headers given as name, value, name, value.
func ask(t *testing.T, handler http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://chat.example:6001"+path, http.NoBody)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestFilesOfTheBuild(t *testing.T) {
	const forever, asked = "public, max-age=31536000, immutable", "no-cache"
	handler, files := server(t, built()), built()
	for path, want := range map[string]struct{ file, contentType, caching string }{
		"/":                          {"index.html", "text/html; charset=utf-8", asked},
		"/try":                       {"try.html", "text/html; charset=utf-8", asked},
		"/licenses.txt":              {"licenses.txt", "text/plain; charset=utf-8", asked},
		"/" + script:                 {script, "text/javascript; charset=utf-8", forever},
		"/assets/index-aaaabbbb.css": {"assets/index-aaaabbbb.css", "text/css; charset=utf-8", forever},
		"/assets/icon-aaaabbbb.svg":  {"assets/icon-aaaabbbb.svg", "image/svg+xml", forever},
		"/assets/a-aaaabbbb.woff2":   {"assets/a-aaaabbbb.woff2", "font/woff2", forever},
		"/assets/plain.js":           {"assets/plain.js", "text/javascript; charset=utf-8", asked},
		"/lib/pusher-8.min.js":       {"lib/pusher-8.min.js", "text/javascript; charset=utf-8", asked},
	} {
		content := string(files[want.file].Data)
		w := ask(t, handler, "GET", path)
		if w.Code != http.StatusOK || w.Body.String() != content {
			t.Errorf("%s: %d %.60s", path, w.Code, w.Body)
		}
		for header, value := range map[string]string{
			"Content-Type": want.contentType, "Cache-Control": want.caching, "X-Content-Type-Options": "nosniff", "Content-Encoding": "",
		} {
			if got := w.Header().Get(header); got != value {
				t.Errorf("%s: %s is %q, want %q", path, header, got, value)
			}
		}
		head := ask(t, handler, "HEAD", path)
		if head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d with %d bytes", path, head.Code, head.Body.Len())
		}
		for _, header := range []string{"Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary", "Content-Security-Policy"} {
			if got, same := head.Header().Get(header), w.Header().Get(header); got != same {
				t.Errorf("HEAD %s: %s is %q, of GET %q", path, header, got, same)
			}
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	handler := server(t, built())
	for _, path := range []string{
		"/assets/", "/assets/none-aaaabbbb.js", "/assets/..", "/assets/../index.html", "/assets/%2e%2e%2findex.html", "/assets/..%2findex.html",
		"/lib/..%5cindex.html", "/lib/%00", "/" + script + ".map", "/README.txt", "/index.html", "/try.html", "/lib", "/assets/index.html",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := ask(t, handler, method, path)
			if w.Code != http.StatusNotFound || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s %s: %d, %q", method, path, w.Code, w.Header().Get("Cache-Control"))
			}
		}
	}
	if w := ask(t, handler, "GET", "/assets/none.js"); !strings.Contains(w.Body.String(), `"ApiNotFoundError"`) {
		t.Errorf("what answers is not NotFound: %s", w.Body)
	}
}

func TestCompressed(t *testing.T) {
	handler, content := server(t, built()), built()[script].Data
	for accepted, want := range map[string]bool{
		"gzip": true, "br, GZIP;q=0.5": true, "*": true, "deflate, gzip ; q=1.0": true,
		"": false, "br": false, "gzip;q=0": false, "*;q=1, gzip;q=0": false, "gzip;q=many": false, "identity": false, "xgzip": false,
	} {
		w := ask(t, handler, "GET", "/"+script, "Accept-Encoding", accepted)
		got := w.Header().Get("Content-Encoding") == "gzip"
		if got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: compressed %v, Vary %q", accepted, got, w.Header().Get("Vary"))
		}
		body := io.Reader(w.Body)
		if got {
			unpacked, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = unpacked
		}
		if text, err := io.ReadAll(body); err != nil || !bytes.Equal(text, content) {
			t.Errorf("Accept-Encoding %q: %d bytes, %v", accepted, len(text), err)
		}
	}
	for _, path := range []string{"/assets/a-aaaabbbb.woff2", "/assets/index-aaaabbbb.css"} { // already compressed; too short
		if w := ask(t, handler, "GET", path, "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}

func TestNotModified(t *testing.T) {
	handler := server(t, built())
	for _, encoding := range []string{"gzip", "identity"} {
		for _, path := range []string{"/", "/" + script} {
			etag := ask(t, handler, "GET", path, "Accept-Encoding", encoding).Header().Get("ETag")
			for _, sent := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
				w := ask(t, handler, "GET", path, "Accept-Encoding", encoding, "If-None-Match", sent)
				if w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != etag || w.Header().Get("Cache-Control") == "" {
					t.Errorf("%s, If-None-Match %s: %d, %v", path, sent, w.Code, w.Header())
				}
			}
			if w := ask(t, handler, "GET", path, "Accept-Encoding", encoding, "If-None-Match", `"other"`); w.Code != http.StatusOK {
				t.Errorf("%s of another build: %d", path, w.Code)
			}
		}
	}
	packed := ask(t, handler, "GET", "/"+script, "Accept-Encoding", "gzip").Header().Get("ETag")
	if w := ask(t, handler, "GET", "/"+script, "If-None-Match", packed); w.Code != http.StatusOK {
		t.Errorf("the ETag of the compressed form stands for the other: %d", w.Code)
	}
}

func TestAbout(t *testing.T) {
	about := func(files fstest.MapFS) (got map[string]string) {
		t.Helper()
		w := ask(t, server(t, files), "GET", "/console.json")
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s %v %v", w.Code, w.Body, w.Header(), err)
		}
		return got
	}
	first := about(built())
	if first["version"] != "1.2.3" || first["commit"] != "abcdef" || first["key"] != "ChatsAppApiProdKey" || first["publicUrl"] != "https://public.example" || len(first) != 5 {
		t.Errorf("%v", first)
	}
	changed, renamed := built(), built()
	changed["lib/pusher-8.min.js"] = &fstest.MapFile{Data: []byte("other")}
	renamed["lib/pusher-9.min.js"] = renamed["lib/pusher-8.min.js"]
	delete(renamed, "lib/pusher-8.min.js")
	seen := map[string]bool{}
	for _, files := range []fstest.MapFS{built(), changed, renamed} {
		seen[about(files)["build"]] = true
	}
	if !seen[first["build"]] || len(seen) != 3 || seen[""] {
		t.Errorf("three builds are told apart as %v", seen)
	}
	if got := about(fstest.MapFS{"README.txt": {Data: []byte("kept")}}); got["build"] != "" || got["key"] == "" {
		t.Errorf("not built: %v", got)
	}
}

// TestEmbedded: the embedded folder can be read, whether or not the console was built.
func TestEmbedded(t *testing.T) {
	build, err := console.Embedded()
	if err != nil || build.Built() != (build.Hash() != "") {
		t.Errorf("%v, %v", build, err)
	}
}
