package pusher_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// A page learns of a refusal on a socket; a plain GET is told what is missing.
func TestPlainGet(t *testing.T) {
	h := newHarness(t)
	get := func(path string) *http.Response {
		t.Helper()
		res, err := http.Get(h.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Upgrade") != "websocket" ||
			!strings.Contains(string(body), "a proxy between them has dropped the header") {
			t.Errorf("%s: %s, Upgrade %q: %s, %v", path, res.Status, res.Header.Get("Upgrade"), body, err)
		}
		return res
	}
	get("/app/" + docKey + "?protocol=7")
	get("/app/nobody")
	// They took no place: the app allows one socket.
	for range 3 {
		get("/app/small?protocol=7")
	}
	if first := h.dial(t, "/app/small?protocol=7", nil).read(); !established.MatchString(first) {
		t.Errorf("the place is gone: %s", first)
	}
}

// The log has the first of them at once, then one a minute, with their number.
func TestPlainGetsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g := gin.New()
		pusher.New(pusher.Options{
			Apps: newApps(t, docApp()), Engine: broadcasting.NewEngine(broadcasting.Options{}), Sockets: server.New(server.Options{}),
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		}).Register(g)
		h := apitest.Documented(t, g, nil)
		says := func(want string) {
			t.Helper()
			log.Reset()
			r := httptest.NewRequest(http.MethodGet, "/app/"+docKey, http.NoBody)
			r.Header.Set("User-Agent", "client/1")
			h.ServeHTTP(httptest.NewRecorder(), r)
			if got := log.String(); (got == "") != (want == "") || !strings.Contains(got, want) || want != "" && !strings.Contains(got, "level=INFO") {
				t.Errorf("the log says %q, want %q", got, want)
			}
		}
		says("requests=1 remote=192.0.2.1 user_agent=client/1")
		for range 5 {
			says("")
		}
		time.Sleep(time.Minute)
		says("requests=6")
		says("")
	})
}
