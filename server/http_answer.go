package server

// httpSessionOf finds the session of a receiving request, or makes it, with the request
// attached. nil: the server stops. It is found under its name at once, so that no
// second one is made; but nothing can be sent to it before open has returned.
func (s *Server) httpSessionOf(by ReceiveRequest, rc *receiver) (hs *HTTPSession, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hs = s.httpSessions[by.Session]; hs != nil && !hs.over() {
		return hs, true
	}
	if s.stopping {
		return nil, false
	}
	hs = newHTTPSession(s, by, rc)
	s.live.Add(1)
	if by.Session != "" {
		s.httpSessions[by.Session] = hs
	}
	return hs, false
}

// over says whether a session is closing without a goodbye that is worth coming
// for.
func (hs *HTTPSession) over() bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.out.closing && hs.last == nil
}

// attach makes rc the one that receives, if there is none.
func (hs *HTTPSession) attach(rc *receiver) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.receiver != nil {
		return false
	}
	hs.receiver, hs.streaming = rc, rc.streaming
	hs.heard()
	return true
}

// detach ends what rc receives.
func (hs *HTTPSession) detach(rc *receiver) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.receiver == rc {
		hs.receiver, hs.left = nil, hs.srv.now()
	}
}

// take returns the next lines for rc, none when there are none now, and the bytes
// of the frames in them. If they end the answer, rc is detached already: once the
// client has them all, its next request may be here before rc's goroutine goes on.
func (hs *HTTPSession) take(rc *receiver) (lines []byte, size int) {
	if rc.done {
		return nil, 0
	}
	frames, lines := hs.takeFrames(rc)
	if len(frames) > 0 {
		lines = append(lines, messageLine(frames)...)
	}
	for _, f := range frames {
		size += len(f)
	}
	rc.written += characters(lines)

	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.out.closing && len(hs.out.frames) == 0 {
		lines = append(lines, hs.last...)
		rc.done, rc.closes = true, true
	}
	// pusher-js comes again when it has more than streamMax and a line is complete,
	// and not before. Ending the answer there loses nothing, and makes others come.
	if len(lines) > 0 && !rc.streaming || rc.written > streamMax {
		rc.done = true
	}
	if rc.done {
		hs.receiver, hs.left = nil, hs.srv.now()
	}
	return lines, size
}

// takeFrames takes what waits, up to joinBytes or one frame, and what comes before
// it or instead.
func (hs *HTTPSession) takeFrames(rc *receiver) (frames [][]byte, before []byte) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if rc.streaming && rc.written == 0 {
		before = append(before, prelude...)
		hs.owed = hs.greeted // it looks like a heartbeat, and is answered by who is open
	}
	if !hs.greeted {
		hs.greeted = true
		before = append(before, openLine...)
	}
	frames = hs.out.take(joinBytes)
	if hs.beat && len(before) == 0 && len(frames) == 0 && !hs.out.closing {
		before = append(before, beatLine...)
		hs.owed = rc.streaming // who polls answers with the next request
	}
	hs.beat = false
	return frames, before
}

// gave notes that the kernel has what was taken.
func (hs *HTTPSession) gave(rc *receiver, size int) {
	hs.mu.Lock()
	hs.out.written(size)
	hs.mu.Unlock()
	if rc.closes {
		hs.sayOnce.Do(func() { close(hs.said) })
	}
}

// due asks for a heartbeat to be written, if there is nothing else.
func (hs *HTTPSession) due() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.beat = true
	hs.ready()
}

// alive takes an empty message: the client's answer to our heartbeat or, when none
// is owed, its question whether we are there.
func (hs *HTTPSession) alive() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.owed {
		hs.owed = false
		return
	}
	hs.beat = true
	hs.ready()
}
