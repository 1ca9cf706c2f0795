package server

import (
	"context"
	"time"
)

// keep checks for silent sockets until ctx ends, with one goroutine for all and no
// timer for each. A socket that never sent anything is found like any other.
func (s *Server) keep(ctx context.Context) {
	every := min(time.Second, s.opt.ActivityTimeout/4, s.opt.PongTimeout/4, s.opt.Absence/4, s.opt.Heartbeat/4)
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	var all []socket
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all = s.all(all[:0])
		now := s.now()
		for _, k := range all {
			s.look(k, now)
		}
		clear(all)
	}
}

// look pings a socket that is silent or due for a ping, and closes a socket that did
// not answer. Any byte counts as an answer: some clients answer only WebSocket pings,
// others only those of their dialect.
func (s *Server) look(k socket, now int64) {
	m := k.base()
	last := m.lastRead.Load()
	if m.asked > 0 && last >= m.asked { // the answer may come within the same millisecond
		m.asked, m.answered = 0, last
	}
	due := now-last >= s.opt.ActivityTimeout.Milliseconds()
	if m.pings {
		due = now-m.answered >= s.opt.Heartbeat.Milliseconds()
	}
	switch {
	case k.absent(now):
		k.Close(Disconnect{Reason: PeerGone})
	case m.asked > 0 && now-m.asked >= s.opt.PongTimeout.Milliseconds():
		k.Close(k.disconnectFor(Silent))
	case m.asked == 0 && due:
		m.asked = now
		k.ask()
	}
}
