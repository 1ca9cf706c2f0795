package server

import "time"

// Successor says who serves the clients of a server that stops.
type Successor int

// Successors.
const (
	Nobody  Successor = iota // nobody, until the next process has started
	Waiting                  // the next process listens already, and serves when this one has ended
	Serving                  // other nodes, which serve clients of their own meanwhile
)

// moveMost is the longest time over which sockets move to other nodes: supervisors kill a
// program that does not stop.
const moveMost = 10 * time.Second

// drainStep is the shortest pause between two sockets that are closed; without one, they
// are closed together.
const drainStep = 10 * time.Millisecond

// drain closes all sockets, spread over a time, so that their clients do not all come
// back in the same moment.
func (s *Server) drain() {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	all := s.all(nil)
	window, began := s.drainTime(len(all)), time.Now()
	reason := s.stopReason()
	for i, k := range all {
		if early := time.Duration(i)*window/time.Duration(len(all)) - time.Since(began); early >= drainStep {
			time.Sleep(early)
			reason = s.stopReason() // the others may have gone
		}
		k.Close(k.disconnectFor(reason))
	}
}

// drainTime returns the time over which n sockets are closed. Nodes that serve others
// meanwhile get them slowly.
func (s *Server) drainTime(n int) time.Duration {
	if s.opt.Successor() != Serving {
		return s.opt.DrainWindow
	}
	return max(s.opt.DrainWindow, min(time.Duration(n)*time.Second/time.Duration(s.opt.MovesPerSecond), moveMost))
}

// stopReason returns why sockets are closed now: with Moved, clients come back at once.
// Where nobody listens they would wait long after that.
func (s *Server) stopReason() Reason {
	if s.opt.Successor() == Nobody {
		return Stopping
	}
	return Moved
}

// part waits until the peers have answered, at most DrainLinger, and cuts the rest. A
// few peers that are gone must not hold up the others, who come back after a second and
// should find the next process. From here on no socket can be made.
func (s *Server) part() {
	limit := time.NewTimer(s.opt.DrainLinger)
	defer limit.Stop()
	for late := false; !s.stop(late); {
		select {
		case <-s.empty:
		case <-limit.C:
			late = true
		}
	}
	for _, k := range s.all(nil) {
		k.cut(Stopping)
	}
}

// stop refuses new sockets from now on, if it is late or there is no socket left. It
// reports whether it does.
func (s *Server) stop(late bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = late || len(s.sockets) == 0
	return s.stopped
}
