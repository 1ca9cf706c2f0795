package server

import (
	"context"
	"time"
)

// keep looks after the silent sockets until ctx ends: one goroutine for all, no
// timer for each. A socket that never said a word is found like any other.
func (s *Server) keep(ctx context.Context) {
	every := min(time.Second, s.opt.ActivityTimeout/4, s.opt.PongTimeout/4)
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	var all []*Session
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all = all[:0]
		s.mu.Lock()
		for session := range s.sessions {
			all = append(all, session)
		}
		s.mu.Unlock()
		now := s.now()
		for _, session := range all {
			s.look(session, now)
		}
		clear(all)
	}
}

// look pings a session that is silent, and closes one that did not answer. Any
// byte counts as an answer: some clients answer only WebSocket pings, others only
// those of their dialect.
func (s *Server) look(session *Session, now int64) {
	last := session.lastRead.Load()
	if session.asked > 0 && last >= session.asked { // the answer may come within the millisecond
		session.asked = 0
	}
	switch {
	case session.asked > 0 && now-session.asked >= s.opt.PongTimeout.Milliseconds():
		session.Close(session.farewell(Silent))
	case session.asked == 0 && now-last >= s.opt.ActivityTimeout.Milliseconds():
		session.asked = now
		session.Queue(control(finPing, nil))
		session.h.Idle()
	}
}
