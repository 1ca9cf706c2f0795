package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// TroubleLog logs that the database cannot serve: at once, and then with how many requests
// met it now and then, so that a full disk is not filled with that. Its zero value is ready. It is safe for
// concurrent use.
type TroubleLog struct {
	mu sync.Mutex
	// guarded by mu
	logged   time.Time
	unlogged int
}

// troubleEvery is the time between two lines.
const troubleEvery = 10 * time.Second

// Note logs a trouble, in a word, and the error that tells of it.
func (l *TroubleLog) Note(ctx context.Context, log *slog.Logger, trouble string, err error) {
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
