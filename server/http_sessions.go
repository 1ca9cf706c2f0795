package server

// HTTPSessions are the sessions over HTTP of one dialect, under names of their own
// and with one codec. Make it with NewHTTPSessions.
type HTTPSessions struct {
	// static
	srv   *Server
	codec HTTPCodec
	rules HTTPRules

	// guarded by srv.mu
	byName map[string]*HTTPSession
}

// NewHTTPSessions returns sessions that speak codec. They are sockets of s like any
// other: to its limits, its keepalive loop, its figures, and while it stops.
func NewHTTPSessions(s *Server, codec HTTPCodec) *HTTPSessions {
	return &HTTPSessions{srv: s, codec: codec, rules: codec.Rules(s.opt), byName: map[string]*HTTPSession{}}
}

// find finds the session of a receiving request, or begins one if it may, with the
// request attached. It is found under its name at once, so that no second one is made;
// but nothing can be sent to it before open has returned. The error is ErrNoSession or
// ErrStopping.
func (h *HTTPSessions) find(by ReceiveRequest, rc *receiver, mayBegin bool) (hs *HTTPSession, found bool, err error) {
	h.srv.mu.Lock()
	defer h.srv.mu.Unlock()
	if hs = h.byName[by.Session]; hs != nil && !hs.over() {
		return hs, true, nil
	}
	if !mayBegin {
		return nil, false, ErrNoSession
	}
	if h.srv.stopping {
		return nil, false, ErrStopping
	}
	hs = newHTTPSession(h, by, rc)
	h.srv.live.Add(1)
	if by.Session != "" {
		h.byName[by.Session] = hs
	}
	return hs, false, nil
}

// named finds a session, nil when there is none.
func (h *HTTPSessions) named(name string) *HTTPSession {
	h.srv.mu.Lock()
	defer h.srv.mu.Unlock()
	return h.byName[name]
}

// forget takes the session's name from it: a client that comes under it now is new.
func (hs *HTTPSession) forget() {
	hs.srv.mu.Lock()
	defer hs.srv.mu.Unlock()
	if hs.of.byName[hs.name] == hs {
		delete(hs.of.byName, hs.name)
	}
}
