package server

import "regexp"

// Info describes a socket as its dialect knows it.
type Info struct {
	ID       string `json:"id"`
	App      string `json:"app"`
	User     string `json:"user,omitempty"`
	Channels int    `json:"channels"`
}

// Conn describes a socket in /debug/connz.
type Conn struct {
	Info
	Remote       string  `json:"remote"`
	Transport    string  `json:"transport"` // websocket, xhr_streaming or xhr_polling
	AgeSeconds   float64 `json:"ageSeconds"`
	IdleSeconds  float64 `json:"idleSeconds"` // since the last byte from the client
	QueuedBytes  int     `json:"queuedBytes"`
	QueuedFrames int     `json:"queuedFrames"` // not yet taken by a writer
	Draining     bool    `json:"draining"`     // its peer is slow, or it is TLS
}

// Stats are the counters of a Server.
type Stats struct {
	Open     int               // sockets now
	Accepted uint64            // ever
	Ended    map[Reason]uint64 // ever, by reason
}

// Stats returns the counters now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Open: len(s.sockets), Accepted: s.accepted.Load(), Ended: make(map[Reason]uint64, len(s.ended))}
	for r, n := range s.ended {
		st.Ended[r] = n
	}
	return st
}

// Connz describes the sockets, in no order.
func (s *Server) Connz() []Conn {
	all := s.all(nil)
	list := make([]Conn, 0, len(all))
	for _, k := range all {
		list = append(list, k.conn())
	}
	return list
}

func (s *Session) conn() Conn {
	c := s.describe("websocket")
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Draining = s.draining
	return c
}

// signature matches only what looks like a signature or a key: a message id has fewer
// digits.
var signature = regexp.MustCompile(`[0-9A-Fa-f]{40,}`)

// secretMember matches the members of JSON in which clients send keys, and what names their
// session.
var secretMember = regexp.MustCompile(`(?i)("(?:[a-z_]*apikey|token|sid)"\s*:\s*)"[^"]*"`)

// redact returns text for the log, without signatures, keys and names of sessions.
func redact(text []byte) string {
	return string(secretMember.ReplaceAll(signature.ReplaceAll(text, []byte("***")), []byte(`$1"***"`)))
}
