package server

import "time"

// drain closes all sockets, spread over the window, so that their clients do not all
// come back in the same moment.
func (s *Server) drain() {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	all := s.all(nil)
	const step = 10 * time.Millisecond
	each := len(all)
	if steps := int(s.opt.DrainWindow / step); steps > 1 {
		each = len(all)/steps + 1
	}
	tick := time.NewTicker(step)
	defer tick.Stop()
	for i, k := range all {
		if i > 0 && i%each == 0 {
			<-tick.C
		}
		k.Close(k.disconnectFor(Stopping))
	}
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
