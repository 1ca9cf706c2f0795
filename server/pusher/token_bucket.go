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

// take takes a token, and reports whether there was one.
func (b *bucket) take(now time.Time) bool {
	if !b.filled.IsZero() {
		b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.filled).Seconds())
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
