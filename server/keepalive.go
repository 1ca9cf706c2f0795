package server

import (
	"cmp"
	"context"
	"time"
)

// keep checks for silent sockets until ctx ends, with one goroutine for all and no
// timer for each. A socket that never sent anything is found like any other.
func (s *Server) keep(ctx context.Context) {
	every := s.lookEvery()
	tick := time.NewTicker(every)
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
		if now := s.lookEvery(); now != every {
			every = now
			tick.Reset(every)
		}
	}
}

// lookEvery returns the time between two looks at the sockets.
func (s *Server) lookEvery() time.Duration {
	l := s.limits()
	return max(time.Millisecond, min(time.Second, l.ActivityTimeout/4, l.PongTimeout/10, s.opt.Absence/4, s.opt.Heartbeat/10))
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
	l := s.limits()
	due := now-last >= l.ActivityTimeout.Milliseconds()
	switch {
	case m.pings:
		due = now-m.answered >= cmp.Or(m.pingEvery, s.opt.Heartbeat).Milliseconds()
	case m.pingEvery > 0:
		due = now-m.answered >= m.pingEvery.Milliseconds()
	}
	switch {
	case k.absent(now):
		k.Close(Disconnect{Reason: PeerGone})
	case m.asked > 0 && now-m.asked >= cmp.Or(m.pongTimeout, l.PongTimeout).Milliseconds():
		k.Close(k.disconnectFor(Silent))
	case m.asked == 0 && due:
		m.asked = now
		k.ask()
	}
}

// Pings returns how often clients are pinged whose dialect pings at fixed times, and how
// long they may take to answer, if their rules say nothing else; see WebSocketRules and HTTPRules.
func (s *Server) Pings() (every, within time.Duration) {
	return s.opt.Heartbeat, s.limits().PongTimeout
}
