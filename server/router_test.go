package server_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

func newRouter(t *testing.T, level slog.Level) (*gin.Engine, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	r, err := server.NewRouter(server.RouterOptions{
		TrustedProxies: []string{"10.0.0.0/8"},
		Log:            slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.GET("/panic", func(*gin.Context) { panic("boom") })
	r.GET("/late", func(c *gin.Context) { c.String(http.StatusOK, "half"); panic("boom") })
	r.GET("/ip/:secret", func(c *gin.Context) { c.String(http.StatusOK, server.ClientAddress(c)) })
	return r, &log
}

func ask(r http.Handler, path, from, forwarded string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.RemoteAddr = from
	req.Header.Set("X-Forwarded-For", forwarded)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

func TestRouterAnswersPanics(t *testing.T) {
	r, log := newRouter(t, slog.LevelInfo)
	w := ask(r, "/panic", "192.0.2.1:1", "")
	want := `{"success":false,"error":{"code":"ApiInternalError","message":"internal error"}}`
	if w.Code != http.StatusInternalServerError || w.Body.String() != want {
		t.Errorf("a panic is answered %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "boom") {
		t.Errorf("the panic is not in the log: %s", log)
	}
	if w := ask(r, "/late", "192.0.2.1:1", ""); w.Body.String() != "half" {
		t.Errorf("a panic after the answer began changed it: %s", w.Body)
	}
}

func TestRouterBelievesOnlyTrustedProxies(t *testing.T) {
	r, _ := newRouter(t, slog.LevelInfo)
	for _, header := range []string{"X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Forwarded"} {
		req := httptest.NewRequest(http.MethodGet, "/ip/x", nil)
		req.RemoteAddr = "10.1.2.3:1"
		req.Header.Set(header, "203.0.113.9")
		w := httptest.NewRecorder()
		if r.ServeHTTP(w, req); w.Body.String() != "10.1.2.3" {
			t.Errorf("%s of a proxy that does not set it makes the client %s", header, w.Body)
		}
	}
	for from, want := range map[string]string{"10.1.2.3:1": "203.0.113.9", "192.0.2.1:1": "192.0.2.1"} {
		if got := ask(r, "/ip/x", from, "203.0.113.9").Body.String(); got != want {
			t.Errorf("behind %s the client is %s, want %s", from, got, want)
		}
	}
}

func TestRouterLogsRoutesNotPaths(t *testing.T) {
	r, log := newRouter(t, slog.LevelDebug)
	ask(r, "/ip/hidden?auth=hidden", "192.0.2.1:1", "")
	ask(r, "/hidden", "192.0.2.1:1", "")
	if s := log.String(); strings.Contains(s, "hidden") || !strings.Contains(s, "route=/ip/:secret") || !strings.Contains(s, "status=404") {
		t.Errorf("the log of two requests: %s", s)
	}
	r, log = newRouter(t, slog.LevelInfo)
	if ask(r, "/ip/x", "192.0.2.1:1", ""); log.Len() > 0 {
		t.Errorf("a request is logged at info: %s", log)
	}
}

func TestRouterRefusesBadProxies(t *testing.T) {
	if _, err := server.NewRouter(server.RouterOptions{TrustedProxies: []string{"loopback"}, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a trusted proxy that is no address was taken")
	}
}

// A HEAD is served as a GET, once; what has a HEAD of its own keeps it.
func TestRouterAnswersHeads(t *testing.T) {
	r, log := newRouter(t, slog.LevelDebug)
	calls := 0
	r.GET("/page/:name", func(c *gin.Context) {
		calls++
		c.Header("X-Name", c.Param("name")+" by "+c.Request.Method+" for "+server.Method(c.Request))
		c.String(http.StatusTeapot, "body")
	})
	r.GET("/own", func(c *gin.Context) { c.Status(http.StatusOK) })
	r.HEAD("/own", func(c *gin.Context) { c.Header("X-Own", "yes"); c.Status(http.StatusOK) })
	r.POST("/post", func(c *gin.Context) { c.Status(http.StatusOK) })
	r.GET("/change", server.RefuseHead, func(*gin.Context) { t.Error("a HEAD has changed something") })
	r.PUT("/change", func(*gin.Context) {})
	web := httptest.NewServer(r)
	defer web.Close()
	for path, want := range map[string]struct {
		status        int
		header, value string
	}{
		"/page/x":  {http.StatusTeapot, "X-Name", "x by GET for HEAD"},
		"/page/ ":  {http.StatusTeapot, "Content-Length", "4"},
		"/own":     {http.StatusOK, "X-Own", "yes"},
		"/nowhere": {http.StatusNotFound, "Allow", ""},
		"/post":    {http.StatusMethodNotAllowed, "Allow", "POST"},
		"/change":  {http.StatusMethodNotAllowed, "Allow", "GET, PUT"},
		"/panic":   {http.StatusInternalServerError, "Allow", ""},
	} {
		res, err := http.Head(web.URL + strings.ReplaceAll(path, " ", "%20"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get(want.header); res.StatusCode != want.status || got != want.value {
			t.Errorf("HEAD %s: %d, %s %q", path, res.StatusCode, want.header, got)
		}
	}
	if calls != 2 || strings.Count(log.String(), "method=HEAD route=/page/:name") != 2 {
		t.Errorf("%d calls, log %s", calls, log)
	}
}
