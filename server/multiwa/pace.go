package multiwa

import "time"

// pace bounds how fast the messages of a socket are read: a burst at once, then so many in
// a second. It belongs to the socket's reader.
type pace struct {
	perSecond, burst, tokens float64
	at                       time.Time // of the last message; zero: there was none
}

func newPace(perSecond, burst int) pace {
	return pace{perSecond: float64(perSecond), burst: float64(burst), tokens: float64(burst)}
}

func (p *pace) fill(now time.Time) {
	if !p.at.IsZero() {
		p.tokens = min(p.burst, p.tokens+p.perSecond*max(0, now.Sub(p.at).Seconds()))
	}
	p.at = now
}

// spend counts a message, on credit if there is no room for it.
func (p *pace) spend(now time.Time) {
	p.fill(now)
	p.tokens--
}

// wait returns how long the next message must wait.
func (p *pace) wait(now time.Time) time.Duration {
	if p.fill(now); p.tokens >= 0 {
		return 0
	}
	return time.Duration(-p.tokens / p.perSecond * float64(time.Second))
}
