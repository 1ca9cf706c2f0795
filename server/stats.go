package server

import "regexp"

// Info is what a dialect knows of a socket.
type Info struct {
	ID       string `json:"id"`
	App      string `json:"app"`
	User     string `json:"user,omitempty"`
	Channels int    `json:"channels"`
}

// Conn is a socket in /debug/connz.
type Conn struct {
	Info
	Remote       string  `json:"remote"`
	Transport    string  `json:"transport"` // websocket, xhr_streaming or xhr_polling
	AgeSeconds   float64 `json:"ageSeconds"`
	IdleSeconds  float64 `json:"idleSeconds"` // since something came
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

// Connz lists the sockets, in no order.
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

// signature matches what only a signature or a key looks like: a message id has
// fewer digits.
var signature = regexp.MustCompile(`[0-9A-Fa-f]{40,}`)

// redact is text for the log: without signatures.
func redact(text []byte) string { return string(signature.ReplaceAll(text, []byte("***"))) }
