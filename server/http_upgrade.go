package server

// A session over HTTP may go on as a WebSocket: its client opens one, tries it, and stops
// sending requests. The dialect then calls
//
//	Hold     when the client tries the WebSocket: frames wait, and an answer that is open,
//	         or comes, ends at once
//	MoveTo   when the client uses it: what waits goes there, and the session has ended
//	Release  when it does not: what waits is answered again
//
// So nothing is lost, and nothing overtakes anything else.

// Hold makes frames wait, within Options.QueueBytes, until MoveTo or Release is called.
// Receiving requests are answered with a Part that is Held.
func (hs *HTTPSession) Hold() { hs.hold(true) }

// Release undoes Hold.
func (hs *HTTPSession) Release() { hs.hold(false) }

func (hs *HTTPSession) hold(held bool) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.held = held
	hs.ready()
}

// MoveTo ends the session as Upgraded, without telling its handler, and queues the frames
// that wait for s, however many they are. It returns false, and does nothing, when the
// session is ending. Nobody may call Queue of either at the same time.
func (hs *HTTPSession) MoveTo(s *Session) bool {
	frames, waiting, ok := hs.handOver()
	if !ok {
		return false
	}
	s.adopt(frames)
	for _, f := range waiting { // for room: s may have it
		f()
	}
	hs.forget()
	hs.srv.delist(hs, Upgraded)
	hs.srv.live.Done()
	return true
}

// handOver closes the queue and returns what waits: frames, and what is called when there
// is room.
func (hs *HTTPSession) handOver() (frames [][]byte, waiting []func(), ok bool) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.h == nil || !hs.out.close(Upgraded) {
		return nil, nil, false
	}
	frames, waiting = hs.out.swap(nil), hs.onRoom
	for _, f := range frames {
		hs.out.bytes -= len(f)
	}
	hs.onRoom = nil
	hs.last = Disconnect{Reason: Upgraded}
	hs.ready()
	return frames, waiting, true
}

// adopt queues the frames of a session that s goes on for.
func (s *Session) adopt(frames [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.closing {
		return
	}
	for _, f := range frames {
		s.push(f)
	}
}
