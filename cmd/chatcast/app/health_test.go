package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"syscall"
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
		{"disk", func(context.Context) error { return fmt.Errorf("write: %w", syscall.ENOSPC) }},
		{"slow", func(context.Context) error { return context.DeadlineExceeded }},
	}}
	web := gin.New()
	h.register(web)
	for _, c := range []struct {
		stopping bool
		want     string
	}{
		{false, `{"checks":{"database":"ok","disk":"full","other":"failed","slow":"timeout"},"status":"unavailable"}`},
		{true, `{"checks":{"database":"ok","disk":"full","other":"failed","slow":"timeout"},"status":"stopping"}`},
	} {
		h.stopping.Store(c.stopping)
		rec := httptest.NewRecorder()
		web.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
		if rec.Code != http.StatusServiceUnavailable || rec.Body.String() != c.want {
			t.Errorf("readyz: %d %s, want 503 %s", rec.Code, rec.Body, c.want)
		}
	}
}
