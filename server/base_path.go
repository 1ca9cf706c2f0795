package server

import (
	"net/http"
	"net/url"
	"strings"
)

// UnderPath returns handler for a server whose clients put base, such as /chat, before
// every path. Requests reach handler without it. They may come without it, too: some
// proxies take it away. own reports that a path that begins like base is one of the handler's
// own, which has no base before it; nil: there is none. An empty base changes nothing.
func UnderPath(base string, own func(path string) bool, handler http.Handler) http.Handler {
	if base == "" {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, under := strings.CutPrefix(r.URL.Path, base)
		switch {
		case !under, path != "" && path[0] != '/', own != nil && own(r.URL.Path):
			handler.ServeHTTP(w, r)
			return
		case path == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			to := url.URL{Path: base + "/", RawQuery: r.URL.RawQuery} // relative links of the page need the slash
			http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
			return
		case path == "":
			path = "/"
		}
		short := *r.URL
		short.Path, short.RawPath = path, strings.TrimPrefix(r.URL.RawPath, base)
		stripped := r.WithContext(r.Context())
		stripped.URL = &short
		handler.ServeHTTP(w, stripped)
	})
}
