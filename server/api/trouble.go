package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// Time limits of requests. They end those that wait for a database that does not answer,
// so that not all who come are kept waiting. What takes long by itself has more time, and
// what is as long as a file or a stream has no limit here.
const (
	requestTime  = time.Minute
	longPollTime = 3 * time.Minute
)

// limitTime ends a request that takes too long.
func limitTime(c *gin.Context) {
	limit := requestTime
	switch path := c.FullPath(); {
	case path == "/v1/events":
		limit = longPollTime
	case path == "/v1/events/stream", strings.Contains(path, "/files/"), c.Request.Method == http.MethodPost && strings.HasPrefix(c.ContentType(), "multipart/"):
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), limit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// troubleLog logs that the database cannot serve: at once, and then with how many requests
// met it now and then, so that a full disk is not filled with that.
type troubleLog struct {
	mu sync.Mutex
	// guarded by mu
	logged   time.Time
	unlogged int
}

// troubleEvery is the time between two lines.
const troubleEvery = 10 * time.Second

func (l *troubleLog) note(ctx context.Context, log *slog.Logger, trouble string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.logged) < troubleEvery {
		l.unlogged++
		return
	}
	l.logged = now
	log.ErrorContext(ctx, "the database cannot serve requests", "trouble", trouble, "unlogged", l.unlogged, "error", err)
	l.unlogged = 0
}
