package server

// over reports whether the session is closing and has no close message for another
// request.
func (hs *HTTPSession) over() bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.out.closing && (hs.told || hs.last.Code == 0)
}

// attach makes rc the receiving request, if there is none.
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

// detach ends the receiving of rc.
func (hs *HTTPSession) detach(rc *receiver) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.receiver == rc {
		hs.receiver, hs.left = nil, hs.srv.now()
	}
}

// take returns the next part of rc's answer, false when there is none now. After the
// part with Close there is none.
func (hs *HTTPSession) take(rc *receiver) (p Part, some bool) {
	if rc.done {
		return Part{}, false
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.held && !hs.out.closing {
		some = !rc.begun
		rc.begun = true
		return Part{Streaming: rc.streaming, First: true, Held: true}, some
	}
	p = Part{Streaming: rc.streaming, First: !rc.begun, Open: !hs.greeted, Frames: hs.out.take(joinBytes)}
	some = p.First && p.Streaming || p.Open || len(p.Frames) > 0
	switch {
	case hs.out.closing && len(hs.out.frames) == 0:
		p.Close, some = &hs.last, true // last does not change any more
		rc.done, rc.closes, hs.told = true, true, true
	case hs.beat && !hs.out.closing && (hs.pings || !some):
		p.Heartbeat, some = true, true
	}
	hs.beat = false
	if some {
		rc.begun, hs.greeted = true, true
	}
	return p, some
}

// settle records how p will be written. If p ends the answer, settle detaches rc before
// the write: once the client has the whole answer, its next request may arrive before
// rc's goroutine goes on.
func (hs *HTTPSession) settle(rc *receiver, p Part, e Encoded) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if p.Heartbeat || e.Asks {
		hs.owed = e.Asks
	}
	rc.written += e.Size
	if !rc.streaming && len(e.Bytes) > 0 || rc.streaming && rc.written > hs.of.rules.StreamSize {
		rc.done = true
	}
	if rc.done && hs.receiver == rc {
		hs.receiver, hs.left = nil, hs.srv.now()
	}
}

// gave records that the kernel has p.
func (hs *HTTPSession) gave(rc *receiver, p Part) {
	size := 0
	for _, f := range p.Frames {
		size += len(f)
	}
	hs.mu.Lock()
	hs.wroteBytes(size)
	hs.mu.Unlock()
	if rc.closes {
		hs.sayOnce.Do(func() { close(hs.said) })
	}
}

// due requests a heartbeat. It is written with the next part or, if heartbeats are not
// pings, only when there is nothing else to write.
func (hs *HTTPSession) due() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.beat = true
	hs.ready()
}

// alive handles a sign of life that is not a message: the client's answer to a
// heartbeat or, when none is owed, its request for one.
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

// Receiving reports whether a receiving request is open.
func (hs *HTTPSession) Receiving() bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.receiver != nil
}
