package socketio

import "time"

// bucket bounds the rate of packets: some at once, and then some in a second. It is the time
// when it will be full again, since the server was made, so that each conn keeps one number.
type bucket time.Duration

// take takes a token, and reports whether there was one.
func (b *bucket) take(now time.Duration, perSecond, burst int) bool {
	each := time.Second / time.Duration(perSecond)
	full := max(time.Duration(*b), now) + each
	if full-now > each*time.Duration(burst) {
		return false
	}
	*b = bucket(full)
	return true
}
