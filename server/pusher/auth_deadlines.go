package pusher

import (
	"container/list"
	"sync"
	"time"
)

// authDeadlines holds the sockets that have yet to prove a user, oldest first. All have
// the same time limit, so one timer for the oldest is enough.
type authDeadlines struct {
	within time.Duration

	mu sync.Mutex
	// guarded by mu
	waiting *list.List // of *pendingAuth
	timer   *time.Timer
	begun   bool // the timer runs, or its function does
}

// pendingAuth is a socket that has yet to prove a user.
type pendingAuth struct {
	until time.Time
	end   func()        // closes it; must not block
	at    *list.Element // nil: the user is proven, or the time is over; guarded by authDeadlines.mu
}

func newAuthDeadlines(within time.Duration) *authDeadlines {
	return &authDeadlines{within: within, waiting: list.New()}
}

// add starts the time limit of a socket.
func (u *authDeadlines) add(end func()) *pendingAuth {
	s := &pendingAuth{until: time.Now().Add(u.within), end: end}
	u.mu.Lock()
	defer u.mu.Unlock()
	s.at = u.waiting.PushBack(s)
	if !u.begun {
		u.begun = true
		u.begin(u.within)
	}
	return s
}

// begin starts the timer. The caller holds mu.
func (u *authDeadlines) begin(d time.Duration) {
	if u.timer == nil {
		u.timer = time.AfterFunc(d, u.look)
	} else {
		u.timer.Reset(d)
	}
}

// remove ends the time limit of a socket, because it has proved a user or is closed. A
// socket that is not waiting may be removed, too.
func (u *authDeadlines) remove(s *pendingAuth) {
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

// look ends the sockets whose time is over, and waits for the next.
func (u *authDeadlines) look() {
	u.mu.Lock()
	now := time.Now()
	var over []*pendingAuth
	for e := u.waiting.Front(); e != nil; e = u.waiting.Front() {
		s := e.Value.(*pendingAuth)
		if now.Before(s.until) {
			break
		}
		u.waiting.Remove(e)
		s.at = nil
		over = append(over, s)
	}
	if next := u.waiting.Front(); next != nil {
		u.begin(next.Value.(*pendingAuth).until.Sub(now))
	} else {
		u.begun = false
	}
	u.mu.Unlock()
	for _, s := range over {
		s.end()
	}
}
