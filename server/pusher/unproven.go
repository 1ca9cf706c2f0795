package pusher

import (
	"container/list"
	"sync"
	"time"
)

// unproven is the sockets that have yet to prove a user, oldest first: each has the
// same time, so one timer for the oldest is enough for all.
type unproven struct {
	within time.Duration

	mu sync.Mutex
	// guarded by mu
	waiting *list.List // of *suspect
	timer   *time.Timer
	begun   bool // the timer runs, or its function does
}

// suspect is a socket that has yet to prove a user.
type suspect struct {
	until time.Time
	end   func()        // closes it; must not block
	at    *list.Element // nil: it has proved one, or its time is over; guarded by unproven.mu
}

func newUnproven(within time.Duration) *unproven {
	return &unproven{within: within, waiting: list.New()}
}

// add gives a socket its time.
func (u *unproven) add(end func()) *suspect {
	s := &suspect{until: time.Now().Add(u.within), end: end}
	u.mu.Lock()
	defer u.mu.Unlock()
	s.at = u.waiting.PushBack(s)
	if !u.begun {
		u.begun = true
		u.begin(u.within)
	}
	return s
}

// begin needs mu.
func (u *unproven) begin(d time.Duration) {
	if u.timer == nil {
		u.timer = time.AfterFunc(d, u.look)
	} else {
		u.timer.Reset(d)
	}
}

// remove lets a socket go, because it has proved a user or is closed. Who is not
// waiting may be removed, too.
func (u *unproven) remove(s *suspect) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.at == nil {
		return
	}
	u.waiting.Remove(s.at)
	s.at = nil
	if u.waiting.Len() == 0 && u.timer.Stop() {
		u.begun = false
	}
}

// look ends those whose time is over, and waits for the next.
func (u *unproven) look() {
	u.mu.Lock()
	now := time.Now()
	var over []*suspect
	for e := u.waiting.Front(); e != nil; e = u.waiting.Front() {
		s := e.Value.(*suspect)
		if now.Before(s.until) {
			break
		}
		u.waiting.Remove(e)
		s.at = nil
		over = append(over, s)
	}
	if next := u.waiting.Front(); next != nil {
		u.begin(next.Value.(*suspect).until.Sub(now))
	} else {
		u.begun = false
	}
	u.mu.Unlock()
	for _, s := range over {
		s.end()
	}
}
