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
	a := t.admit(now, address, account)
	return a.wait, a.succeeded
}

// Buckets returns the number of buckets that the throttle remembers.
func (t *throttle) Buckets() int { return t.buckets.len() }

// Limits of the queue of passwords and of what the throttle remembers.
const (
	MaxBuckets       = maxBuckets
	MaxKnownNetworks = maxKnownNetworks
	MaxHashQueue     = maxHashQueue
)

// Matches is (*passwords).matches.
func (p *passwords) Matches(ctx context.Context, hash, password string) (bool, error) {
	return p.matches(ctx, false, hash, password)
}

// Enter is (*passwords).enter.
func (p *passwords) Enter(ctx context.Context, known bool) (leave func(), err error) {
	return p.enter(ctx, known)
}

// Slots returns how many passwords may be hashed at once.
func (p *passwords) Slots() int { return p.slots }

// Waiting returns how many callers wait for a processor.
func (p *passwords) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known.Len() + p.unknown.Len()
}

// Passwords returns the passwords of s.
func (s *Service) Passwords() *passwords { return s.passwords }

// ChangeAnd is (*Service).change for an f that may add functions to call afterwards.
func (s *Service) ChangeAnd(ctx context.Context, f func(after func(func())) error) error {
	return s.change(ctx, func(c *change) error {
		return f(func(do func()) { c.after = append(c.after, do) })
	})
}

// LookForCutOffs is one round of RunCutOffs.
func (s *Service) LookForCutOffs(ctx context.Context, last int64) (int64, error) {
	return s.cutOffs(ctx, last)
}

// RepeatEnds is (*Service).repeatEnds.
func (s *Service) RepeatEnds(ctx context.Context, age time.Duration) error {
	return s.repeatEnds(ctx, age)
}
