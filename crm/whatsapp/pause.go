package whatsapp

import "time"

// askAgain is after how long WhatsApp is asked again for what it refused to tell at a connection.
const askAgain = 10 * time.Minute

// pause is the time for which something that failed is left alone: WhatsApp bans accounts
// that ask again and again. The zero pause is over. It is not safe for concurrent use.
type pause struct {
	failures int // in a row
	until    time.Time
}

// add lets the pause begin again after an error: for least, and each time in a row for
// twice as long, but not longer than most. Without an error the pause is over.
func (p *pause) add(err error, least, most time.Duration) {
	if err == nil {
		*p = pause{}
		return
	}
	p.until = time.Now().Add(min(most, least<<min(p.failures, 16)))
	p.failures++
}

// left returns how long the pause goes on, or 0.
func (p *pause) left() time.Duration { return max(0, time.Until(p.until)) }
