package pusher

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"
)

// kind is what a rate of the HTTP API limits.
type kind uint8

const (
	writes kind = iota
	reads
	kinds
)

// rates are what an app may still call of the HTTP API on this node. They go on when the
// app is changed, and end with it.
type rates struct {
	mu sync.Mutex
	of [kinds]allowance // guarded by mu
}

// take counts n calls of a kind, or returns an error with when there is room for them
// again. Refused calls are not counted.
func (a *App) take(k kind, n int, now time.Time) *apiError {
	perSecond := [kinds]int{a.Limits.EventsPerSecond, a.Limits.ReadsPerSecond}[k]
	if perSecond == 0 || n == 0 {
		return nil
	}
	a.rates.mu.Lock()
	wait := a.rates.of[k].take(n, perSecond, now)
	a.rates.mu.Unlock()
	if wait == 0 {
		return nil
	}
	a.counters.hit([kinds]limit{limitEvents, limitReads}[k])
	what := [kinds]string{"publishes more than %d events per second", "asks more than %d times per second"}[k]
	return &apiError{Status: http.StatusTooManyRequests, Message: fmt.Sprintf("the app "+what, perSecond), retryAfter: wait}
}

// allowance is a bucket whose rate may change, and from which several tokens are taken
// at once. It holds a second's worth.
type allowance struct {
	tokens float64
	filled time.Time // zero: it is full
}

// take takes n tokens, or returns how long to wait for them. A full bucket lends more
// than it holds, so that a large batch gets its turn; the next one waits the longer.
func (b *allowance) take(n, perSecond int, now time.Time) (wait time.Duration) {
	full := float64(perSecond)
	if b.filled.IsZero() {
		b.tokens = full
	} else {
		b.tokens = min(full, b.tokens+full*max(0, now.Sub(b.filled).Seconds()))
	}
	b.filled = now
	if missing := min(float64(n), full) - b.tokens; missing > 0 {
		return max(1, time.Duration(math.Ceil(missing/full*float64(time.Second))))
	}
	b.tokens -= float64(n)
	return 0
}
