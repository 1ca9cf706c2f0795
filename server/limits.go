package server

import "time"

// Limits are the options of a Server that may change while it runs. A zero means the
// default of the option.
type Limits struct {
	QueueBytes, MessageBytes, PerAddress int
	ActivityTimeout, PongTimeout         time.Duration
}

// SetLimits replaces the limits. They apply to all sockets at once, except that
// PerAddress closes none that is open, and that clients know the ActivityTimeout of the
// time when they connected.
func (s *Server) SetLimits(l Limits) {
	o := s.opt
	o.QueueBytes, o.MessageBytes, o.PerAddress = l.QueueBytes, l.MessageBytes, l.PerAddress
	o.ActivityTimeout, o.PongTimeout = l.ActivityTimeout, l.PongTimeout
	s.setLimits(o.withDefaults())
}

func (s *Server) setLimits(o Options) {
	s.current.Store(&Limits{
		QueueBytes: o.QueueBytes, MessageBytes: o.MessageBytes, PerAddress: o.PerAddress,
		ActivityTimeout: o.ActivityTimeout, PongTimeout: o.PongTimeout,
	})
}

// limits returns the limits in force. They must not be changed.
func (s *Server) limits() *Limits { return s.current.Load() }

// options returns the options with the limits in force.
func (s *Server) options() Options {
	o, l := s.opt, s.limits()
	o.QueueBytes, o.MessageBytes, o.PerAddress = l.QueueBytes, l.MessageBytes, l.PerAddress
	o.ActivityTimeout, o.PongTimeout = l.ActivityTimeout, l.PongTimeout
	return o
}

// ActivityTimeout returns the silence after which a socket is pinged.
func (s *Server) ActivityTimeout() time.Duration { return s.limits().ActivityTimeout }
