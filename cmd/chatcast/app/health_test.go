package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
)

// TestReadyNamesTheCheckThatFails checks that /readyz names the failing check, but not
// the reason, which is only logged.
func TestReadyNamesTheCheckThatFails(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	h := &health{log: slog.New(slog.DiscardHandler), checks: []healthCheck{
		{"database", func(context.Context) error { return nil }},
		{"other", func(context.Context) error { return errors.New("a detail") }},
	}}
	web := gin.New()
	h.register(web)
	for _, c := range []struct {
		stopping bool
		want     string
	}{
		{false, `{"checks":{"database":"ok","other":"failed"},"status":"unavailable"}`},
		{true, `{"checks":{"database":"ok","other":"failed"},"status":"stopping"}`},
	} {
		h.stopping.Store(c.stopping)
		rec := httptest.NewRecorder()
		web.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
		if rec.Code != http.StatusServiceUnavailable || rec.Body.String() != c.want {
			t.Errorf("readyz: %d %s, want 503 %s", rec.Code, rec.Body, c.want)
		}
	}
}
