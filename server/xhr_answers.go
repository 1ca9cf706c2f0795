package server

// xhrOf finds the session of a receiving request, or makes it, with the request
// attached. nil: the server stops. It is found under its name at once, so that no
// second one is made; but nothing can be sent to it before open has returned.
func (s *Server) xhrOf(by XHRRequest, rc *receiver) (x *XHRSession, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x = s.xhr[by.Session]; x != nil && !x.over() {
		return x, true
	}
	if s.stopping {
		return nil, false
	}
	x = newXHR(s, by, rc)
	s.live.Add(1)
	if by.Session != "" {
		s.xhr[by.Session] = x
	}
	return x, false
}

// over says whether a session is closing without a goodbye that is worth coming
// for.
func (x *XHRSession) over() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.out.closing && x.last == nil
}

// attach makes rc the one that receives, if there is none.
func (x *XHRSession) attach(rc *receiver) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.receiver != nil {
		return false
	}
	x.receiver, x.streaming = rc, rc.streaming
	x.heard()
	return true
}

// detach ends what rc receives.
func (x *XHRSession) detach(rc *receiver) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.receiver == rc {
		x.receiver, x.left = nil, x.srv.now()
	}
}

// take returns the next lines for rc, none when there are none now, and the bytes
// of the frames in them. If they end the answer, rc is detached already: once the
// client has them all, its next request may be here before rc's goroutine goes on.
func (x *XHRSession) take(rc *receiver) (lines []byte, size int) {
	if rc.done {
		return nil, 0
	}
	frames, lines := x.takeFrames(rc)
	if len(frames) > 0 {
		lines = append(lines, messageLine(frames)...)
	}
	for _, f := range frames {
		size += len(f)
	}
	rc.written += characters(lines)

	x.mu.Lock()
	defer x.mu.Unlock()
	if x.out.closing && len(x.out.frames) == 0 {
		lines = append(lines, x.last...)
		rc.done, rc.closes = true, true
	}
	// pusher-js comes again when it has more than streamMax and a line is complete,
	// and not before. Ending the answer there loses nothing, and makes others come.
	if len(lines) > 0 && !rc.streaming || rc.written > streamMax {
		rc.done = true
	}
	if rc.done {
		x.receiver, x.left = nil, x.srv.now()
	}
	return lines, size
}

// takeFrames takes what waits, up to joinBytes or one frame, and what comes before
// it or instead.
func (x *XHRSession) takeFrames(rc *receiver) (frames [][]byte, before []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if rc.streaming && rc.written == 0 {
		before = append(before, prelude...)
		x.owed = x.greeted // it looks like a heartbeat, and is answered by who is open
	}
	if !x.greeted {
		x.greeted = true
		before = append(before, openLine...)
	}
	frames = x.out.take(joinBytes)
	if x.beat && len(before) == 0 && len(frames) == 0 && !x.out.closing {
		before = append(before, beatLine...)
		x.owed = rc.streaming // who polls answers with the next request
	}
	x.beat = false
	return frames, before
}

// gave notes that the kernel has what was taken.
func (x *XHRSession) gave(rc *receiver, size int) {
	x.mu.Lock()
	x.out.written(size)
	x.mu.Unlock()
	if rc.closes {
		x.sayOnce.Do(func() { close(x.said) })
	}
}

// due asks for a heartbeat to be written, if there is nothing else.
func (x *XHRSession) due() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.beat = true
	x.ready()
}

// alive takes an empty message: the client's answer to our heartbeat or, when none
// is owed, its question whether we are there.
func (x *XHRSession) alive() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.owed {
		x.owed = false
		return
	}
	x.beat = true
	x.ready()
}
