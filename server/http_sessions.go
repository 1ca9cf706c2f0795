package server

// HTTPSessions are the sessions over HTTP of one dialect, with names of their own and
// one codec. Make them with NewHTTPSessions.
type HTTPSessions struct {
	// static
	srv   *Server
	codec HTTPCodec
	rules HTTPRules

	// guarded by srv.mu
	byName map[string]*HTTPSession
}

// NewHTTPSessions returns sessions that use codec. They are sockets of s like any
// other: for its limits, its keepalive loop, its counters and its drain.
func NewHTTPSessions(s *Server, codec HTTPCodec) *HTTPSessions {
	return &HTTPSessions{srv: s, codec: codec, rules: codec.Rules(s.opt), byName: map[string]*HTTPSession{}}
}

// sizes returns the rules with the sizes that are in force.
func (h *HTTPSessions) sizes() HTTPRules { return h.codec.Rules(h.srv.options()) }

// find returns the session of a receiving request. If there is none and mayBegin is
// true, it makes one with rc attached. The new session has its name at once, so that no
// second one is made, but it accepts no messages before open has returned. The error is
// ErrNoSession or ErrStopping.
func (h *HTTPSessions) find(by ReceiveRequest, rc *receiver, mayBegin bool) (hs *HTTPSession, found bool, err error) {
	h.srv.mu.Lock()
	defer h.srv.mu.Unlock()
	if hs = h.byName[by.Session]; hs != nil && !hs.over() {
		return hs, true, nil
	}
	if !mayBegin {
		return nil, false, ErrNoSession
	}
	if h.srv.stopped {
		return nil, false, ErrStopping
	}
	hs = newHTTPSession(h, by, rc)
	h.srv.live.Add(1)
	if by.Session != "" {
		h.byName[by.Session] = hs
	}
	return hs, false, nil
}

// named returns the session with this name, nil if there is none.
func (h *HTTPSessions) named(name string) *HTTPSession {
	h.srv.mu.Lock()
	defer h.srv.mu.Unlock()
	return h.byName[name]
}

// forget frees the session's name: the next client with that name begins a new session.
func (hs *HTTPSession) forget() {
	hs.srv.mu.Lock()
	defer hs.srv.mu.Unlock()
	if hs.of.byName[hs.name] == hs {
		delete(hs.of.byName, hs.name)
	}
}
