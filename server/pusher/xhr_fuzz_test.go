package pusher_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// fuzzedXHR is only the server of sockets, without a port.
func fuzzedXHR(f *testing.F) func(path, body string) *httptest.ResponseRecorder {
	sockets := server.New(server.Options{Log: quiet(), Absence: time.Millisecond, Linger: time.Millisecond, Heartbeat: time.Millisecond})
	front := pusher.New(pusher.Options{
		Apps: newApps(f, docApp()), Engine: broadcasting.NewEngine(broadcasting.Options{}), Sockets: sockets, Log: quiet(),
	})
	g := gin.New()
	front.Register(g)
	handler := apitest.Documented(f, g, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sockets.Run(ctx) }()
	f.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			f.Error(err)
		}
	})
	return func(path, body string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path, r.URL.RawQuery = path, "protocol=7"
		handler.ServeHTTP(rec, r)
		return rec
	}
}

// FuzzXHRPath: whatever the path, a session opens only under a valid name.
func FuzzXHRPath(f *testing.F) {
	ask := fuzzedXHR(f)
	for _, seed := range []string{
		"/pusher/app/" + docKey + "/417/7k2m9rtb/xhr", "/app/" + docKey + "/0/7k2m9rtb/xhr", "/app/" + docKey + "/0/short/xhr",
		"/app/x/417/7k2m9rtb/xhr", "/app//417/7k2m9rtb/xhr", "/app/" + docKey + "/../7k2m9rtb/xhr", "/app/" + docKey + "/%2e/a.b/xhr",
		"/pusher/app/" + docKey + "/417/7k2m9rtb/xhr_send", "/pusher/app/" + docKey + "/417/7k2m9rtb/info", "/app/\xff/\x00/ /xhr",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if strings.HasSuffix(path, "/xhr_streaming") {
			return // its answer would not end
		}
		rec := ask("/"+strings.TrimPrefix(path, "/"), "")
		parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, "/"), "pusher/"), "/")
		named := len(parts) == 5 && parts[0] == "app" && url.PathEscape(parts[3]) == parts[3] && len(parts[3]) >= 8
		if rec.Code == http.StatusOK && (!named || parts[4] != "xhr" || !strings.HasPrefix(rec.Body.String(), "o\n")) &&
			!strings.HasPrefix(rec.Body.String(), "h\n") && !strings.HasPrefix(rec.Body.String(), "a[") {
			t.Errorf("%q: %d %q", path, rec.Code, rec.Body)
		}
		if !slices.Contains([]int{200, 301, 307, 400, 404, 405}, rec.Code) {
			t.Errorf("%q: %d %q", path, rec.Code, rec.Body)
		}
	})
}

// FuzzXHRSend: a body is accepted exactly when it is an array of strings.
func FuzzXHRSend(f *testing.F) {
	ask := fuzzedXHR(f)
	for _, seed := range []string{
		`[]`, `["{\"event\":\"pusher:ping\"}"]`, `["a","b"]`, `null`, `[null]`, `{}`, `[1]`, `["\ud800"]`, "[\"\xff\"]", ``, `["a"`, `[["a"]]`,
		`["{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"a\"}}"]`, ` [ "x" ] `, `["a"]x`, "\ufeff[]",
	} {
		f.Add(seed)
	}
	const session = "/app/" + docKey + "/417/7k2m9rtb"
	f.Fuzz(func(t *testing.T, body string) {
		var list []any
		good := utf8.ValidString(body) && json.Unmarshal([]byte(body), &list) == nil && list != nil
		for _, m := range list {
			_, isText := m.(string)
			good = good && isText
		}
		ask(session+"/xhr", "")
		rec := ask(session+"/xhr_send", body)
		if rec.Code == http.StatusNotFound || rec.Code == http.StatusRequestEntityTooLarge {
			return // the session has ended meanwhile, or a message was too large
		}
		if good != (rec.Code == http.StatusNoContent) {
			t.Errorf("%q: %d %s", body, rec.Code, rec.Body)
		}
	})
}
