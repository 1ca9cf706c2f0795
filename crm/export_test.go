package crm

import (
	"context"
	"time"
)

// For the tests of this package from outside.
var (
	NewOnlineTrackerOver = newOnlineTracker
	NewThrottle          = newThrottle
	NewPasswords         = newPasswords
)

// OnlineStore records who is online.
type OnlineStore = onlineStore

// Admit is (*throttle).admit.
func (t *throttle) Admit(now time.Time, address, account string) (time.Duration, func()) {
	return t.admit(now, address, account)
}

// Buckets says how many buckets the throttle remembers.
func (t *throttle) Buckets() int { return t.recent.Len() }

// MaxBuckets is the most that it remembers.
const MaxBuckets = maxBuckets

// Matches is (*passwords).matches.
func (p *passwords) Matches(ctx context.Context, hash, password string) (bool, error) {
	return p.matches(ctx, hash, password)
}

// Enter is (*passwords).enter.
func (p *passwords) Enter(ctx context.Context) (leave func(), err error) { return p.enter(ctx) }

// Slots says how many may hash at once.
func (p *passwords) Slots() int { return cap(p.slots) }

// ChangeAnd is (*Service).change of an f that may have something done afterwards.
func (s *Service) ChangeAnd(ctx context.Context, f func(after func(func())) error) error {
	return s.change(ctx, func(c *change) error {
		return f(func(do func()) { c.after = append(c.after, do) })
	})
}
