// Package refusals counts what was refused and why, and logs it at a bounded rate: who
// is refused may try as often as they like, and must not fill a disk with it. It
// imports nothing of ours and starts no goroutine.
package refusals

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Limits of the log, for each kind of refusal: burst lines at once, then one line for
// each refill. With some eighty kinds that is at most twenty megabytes a day.
const (
	burst  = 10
	refill = time.Minute
)

// Log counts and logs refusals. It is safe for concurrent use. A nil Log ignores them.
type Log struct {
	// static
	log *slog.Logger

	mu    sync.Mutex
	kinds map[Kind]*state // guarded by mu; no key is ever added
}

// state is what a Log knows of one kind.
type state struct {
	count    uint64
	unlogged uint64    // since the last line
	lines    float64   // that may be logged now
	filled   time.Time // when lines was last updated; zero: never
}

// New returns a Log that has counted nothing.
func New(log *slog.Logger) *Log {
	l := &Log{log: log, kinds: map[Kind]*state{}}
	for what, reasons := range known {
		for _, reason := range append(reasons, Other) {
			l.kinds[Kind{what, reason}] = &state{lines: burst}
		}
	}
	return l
}

// Add counts a refusal and logs it, unless too many of its kind were logged lately. The
// next line of the kind tells how many were not. attrs are further attributes of the
// line, as of slog; they must hold no secret. A reason that is not listed for what counts
// as Other, so that the number of kinds is fixed.
func (l *Log) Add(ctx context.Context, what What, reason Reason, attrs ...any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	s := l.kinds[Kind{what, reason}]
	if s == nil {
		s = l.kinds[Kind{what, Other}]
	}
	if s == nil { // what is not one of the constants
		l.mu.Unlock()
		return
	}
	unlogged, logged := s.add(time.Now())
	l.mu.Unlock()
	if !logged {
		return
	}
	line := append([]any{"what", string(what), "reason", string(reason)}, attrs...)
	if unlogged > 0 {
		line = append(line, "unlogged", unlogged)
	}
	l.log.InfoContext(ctx, "refused", line...)
}

// add counts a refusal. It reports whether to log it, and how many were not logged
// before.
func (s *state) add(now time.Time) (unlogged uint64, logged bool) {
	s.count++
	if !s.filled.IsZero() {
		s.lines = min(burst, s.lines+float64(now.Sub(s.filled))/float64(refill))
	}
	s.filled = now
	if s.lines < 1 {
		s.unlogged++
		return 0, false
	}
	s.lines--
	unlogged, s.unlogged = s.unlogged, 0
	return unlogged, true
}

// Counts returns how many refusals of each kind there were, also of those that there
// were none of.
func (l *Log) Counts() map[Kind]uint64 {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := make(map[Kind]uint64, len(l.kinds))
	for kind, s := range l.kinds {
		counts[kind] = s.count
	}
	return counts
}
