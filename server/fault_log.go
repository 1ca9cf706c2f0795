package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// FaultLog logs faults that whoever asks can repeat, such as those of a database that is away:
// each kind at once, and then now and then with how many were left out, so that a disk is not
// filled with them. Its zero value is ready. It is safe for concurrent use.
type FaultLog struct {
	mu    sync.Mutex
	kinds map[string]*faults // guarded by mu; by message
}

type faults struct {
	logged   time.Time
	unlogged int
}

// faultEvery is the time between two lines of one kind.
const faultEvery = 10 * time.Second

// Error logs a fault. The message is its kind, and must be one of a few.
func (l *FaultLog) Error(ctx context.Context, log *slog.Logger, message string, args ...any) {
	l.mu.Lock()
	if l.kinds == nil {
		l.kinds = map[string]*faults{}
	}
	kind := l.kinds[message]
	if kind == nil {
		kind = new(faults)
		l.kinds[message] = kind
	}
	now := time.Now()
	if now.Sub(kind.logged) < faultEvery {
		kind.unlogged++
		l.mu.Unlock()
		return
	}
	unlogged := kind.unlogged
	*kind = faults{logged: now}
	l.mu.Unlock()
	log.ErrorContext(ctx, message, append(args, "unlogged", unlogged)...)
}
