package socketio

import "time"

// bucket bounds the rate of packets.
type bucket struct {
	perSecond, most, tokens float64
	at                      time.Time // when tokens was right
}

// newBucket returns a bucket that is full.
func newBucket(perSecond, burst int) bucket {
	return bucket{perSecond: float64(perSecond), most: float64(burst), tokens: float64(burst)}
}

// take takes a token, and reports whether there was one.
func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(b.most, b.tokens+passed*b.perSecond)
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
