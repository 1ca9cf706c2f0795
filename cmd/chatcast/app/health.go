package app

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

// readyTime is how long /readyz waits for its checks.
const readyTime = 3 * time.Second

// health serves /healthz, which reports that the program runs, and /readyz, which
// reports whether it can work. The reason why it cannot is logged, not answered.
type health struct {
	checks   []healthCheck
	log      *slog.Logger
	stopping atomic.Bool
}

type healthCheck struct {
	name string
	ask  func(ctx context.Context) error
}

func (h *health) register(r gin.IRouter) {
	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	r.GET("/readyz", h.ready)
}

func (h *health) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTime)
	defer cancel()
	status, code := "ok", http.StatusOK
	checks := gin.H{}
	for _, check := range h.checks {
		checks[check.name] = "ok"
		if err := check.ask(ctx); err != nil {
			h.log.WarnContext(ctx, "not ready", "check", check.name, "error", err)
			checks[check.name], status, code = "failed", "unavailable", http.StatusServiceUnavailable
		}
	}
	if h.stopping.Load() {
		status, code = "stopping", http.StatusServiceUnavailable
	}
	c.JSON(code, gin.H{"status": status, "checks": checks})
}
