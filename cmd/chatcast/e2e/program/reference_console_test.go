package program_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/api/apitest"
)

// askConsole sends the routes of the console, on a small build, every request that
// openapi.yaml names. The answers are the same whether this program has a build or not.
func askConsole(t *testing.T, record func(op *apitest.Operation, r *http.Request, status int)) {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"index.html", "try.html", "licenses.txt", "assets/a-aaaabbbb.js", "assets/a-aaaabbbb.css", "assets/a-aaaabbbb.svg", "lib/pusher.js"} {
		files[name] = &fstest.MapFile{Data: []byte(name)}
	}
	whole, bare := e2e.ConsoleOf(t, files, record), e2e.ConsoleOf(t, fstest.MapFS{}, record)

	ask := func(handler http.Handler, method, path, known string, want int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
		r.Header.Set("If-None-Match", known)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s %s: %d %s, want %d", method, path, rec.Code, rec.Body, want)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for name := range files {
			path := "/" + name
			switch name {
			case "index.html":
				path = "/"
			case "try.html":
				path = "/try"
			}
			ask(whole, method, path, "", http.StatusOK)
			ask(whole, method, path, "*", http.StatusNotModified)
			if path != "/" {
				ask(bare, method, path, "", http.StatusNotFound)
			}
		}
		ask(bare, method, "/", "", http.StatusOK)
	}
}
