package crm

import (
	"context"
	"time"
)

// Exported for the external tests of this package.
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

// Buckets returns the number of buckets that the throttle remembers.
func (t *throttle) Buckets() int { return t.recent.Len() }

// MaxBuckets is the maximum number of buckets that it remembers.
const MaxBuckets = maxBuckets

// Matches is (*passwords).matches.
func (p *passwords) Matches(ctx context.Context, hash, password string) (bool, error) {
	return p.matches(ctx, hash, password)
}

// Enter is (*passwords).enter.
func (p *passwords) Enter(ctx context.Context) (leave func(), err error) { return p.enter(ctx) }

// Slots returns how many passwords may be hashed at once.
func (p *passwords) Slots() int { return cap(p.slots) }

// ChangeAnd is (*Service).change for an f that may add functions to call afterwards.
func (s *Service) ChangeAnd(ctx context.Context, f func(after func(func())) error) error {
	return s.change(ctx, func(c *change) error {
		return f(func(do func()) { c.after = append(c.after, do) })
	})
}
