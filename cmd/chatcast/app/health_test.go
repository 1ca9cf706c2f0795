package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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

// TestReadyDoesNotFloodTheLog asks a server that is not ready as a balancer, or anybody, may.
func TestReadyDoesNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gin.SetMode(gin.ReleaseMode)
		var log strings.Builder
		var broken error
		h := &health{log: slog.New(slog.NewTextHandler(&log, nil)), checks: []healthCheck{
			{"bus", func(context.Context) error { return broken }},
		}}
		web := gin.New()
		h.register(web)
		lines := func(text string) (n int) {
			for range 100 {
				web.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/readyz", nil))
			}
			defer log.Reset()
			return strings.Count(log.String(), text)
		}
		broken = errors.New("a detail")
		if n := lines("not ready"); n != 1 {
			t.Errorf("%d lines about one trouble", n)
		}
		time.Sleep(notReadyEvery)
		if n := lines("unlogged=99"); n != 1 {
			t.Errorf("%d lines later", n)
		}
		broken = context.DeadlineExceeded
		if n := lines("trouble=timeout"); n != 1 {
			t.Errorf("%d lines about another trouble", n)
		}
		broken = nil
		if n := lines("ready again"); n != 1 {
			t.Errorf("%d lines about the end", n)
		}
	})
}
