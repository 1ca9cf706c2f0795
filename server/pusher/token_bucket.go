package pusher

import "time"

// bucket limits a rate: it holds up to burst tokens and gains rate tokens per second.
// It belongs to one goroutine.
type bucket struct {
	rate, burst, tokens float64
	filled              time.Time
}

func newBucket(perSecond, burst int) bucket {
	return bucket{rate: float64(perSecond), burst: float64(burst), tokens: float64(burst)}
}

// resize turns b into a full bucket for perSecond, unless it already has that rate.
func (b *bucket) resize(perSecond int) {
	if b.rate != float64(perSecond) {
		*b = newBucket(perSecond, perSecond)
	}
}

// fill adds the tokens gained until now.
func (b *bucket) fill(now time.Time) {
	if !b.filled.IsZero() {
		b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.filled).Seconds())
	}
	b.filled = now
}

// spend takes a token, on credit if there is none.
func (b *bucket) spend(now time.Time) {
	b.fill(now)
	b.tokens--
}

// debt returns how long it takes to gain the tokens that were spent on credit.
func (b *bucket) debt(now time.Time) time.Duration {
	if b.tokens >= 0 {
		return 0
	}
	b.fill(now)
	return max(0, time.Duration(-b.tokens/b.rate*float64(time.Second)))
}

// take takes a token, and reports whether there was one.
func (b *bucket) take(now time.Time) bool {
	b.fill(now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
