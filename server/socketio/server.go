package socketio

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/refusals"
	"chatcast/server"
)

// History is what clients have missed, and where the journal is now.
type History interface {
	broadcasting.History
	// Position returns a number up to which all events have been published.
	Position(ctx context.Context) (int64, error)
}

// Options of a Server. A zero means the default in brackets.
type Options struct {
	Rooms   Rooms
	Engine  *broadcasting.Engine
	Sockets *server.Server // its Heartbeat and PongTimeout are those of Engine.IO, unless the two below are set
	App     string         // the app that the channels of the Entries are of
	Origins apps.Origins   // of browsers
	Log     *slog.Logger

	Refusals *refusals.Log // may be nil

	// History lets clients that were cut off go on where they were, with positions that are
	// signed with Secret; nil: each connection begins anew.
	History History
	Secret  []byte

	PingInterval time.Duration // from the answer to a ping to the next one [the Heartbeat of Sockets]
	PingTimeout  time.Duration // for the answer [the PongTimeout of Sockets]

	MaxPayload       int           // bytes of one message, and of the body of a request [1,000,000]
	ConnectTimeout   time.Duration // from the handshake to the first namespace [45 s]
	UpgradeTimeout   time.Duration // from the second handshake to the end of an upgrade [10 s]
	AskTimeout       time.Duration // for Rooms and History to answer [10 s]
	Namespaces       int           // most of one connection [50]
	PacketsPerSecond int           // that one connection may send, when it has sent PacketBurst [20]
	PacketBurst      int           // [100]
	Connections      int           // most on this node [0: no limit]
	PerUser          int           // most namespaces that one key has entered on this node [0: no limit]
}

func (o Options) withDefaults() Options {
	set := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	last := func(n *time.Duration, d time.Duration) {
		if *n <= 0 {
			*n = d
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	set(&o.MaxPayload, 1_000_000)
	set(&o.Namespaces, 50)
	set(&o.PacketsPerSecond, 20)
	set(&o.PacketBurst, 100)
	last(&o.ConnectTimeout, 45*time.Second)
	last(&o.UpgradeTimeout, 10*time.Second)
	last(&o.AskTimeout, 10*time.Second)
	return o
}

// Server owns the sockets that speak Socket.IO. It is safe for concurrent use.
type Server struct {
	// static
	opt       Options
	began     time.Time
	overHTTP  *server.HTTPSessions
	rules     *server.WebSocketRules
	upper     func(*conn) upper // makes what gets the messages of a conn
	connects  *deadlines
	upgrades  *deadlines
	faults    server.FaultLog
	counters  counters
	pidSecret []byte // nil: no recovery

	mu sync.Mutex
	// guarded by mu
	conns map[string]*conn // by sid
	users map[int64]int    // namespaces that each key has entered
}

// New returns a Server; its sockets live as long as o.Sockets runs.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opt: o, began: time.Now(), rules: &server.WebSocketRules{
			MessageBytes: o.MaxPayload, Pings: true, PingEvery: o.PingInterval, PongTimeout: o.PingTimeout,
		},
		connects: newDeadlines(o.ConnectTimeout), upgrades: newDeadlines(o.UpgradeTimeout),
		conns: map[string]*conn{}, users: map[int64]int{},
	}
	if o.History != nil && len(o.Secret) > 0 {
		s.pidSecret = o.Secret
	}
	s.upper = func(c *conn) upper { return newSockets(c) }
	s.overHTTP = server.NewHTTPSessions(o.Sockets, packets{o.MaxPayload, o.PingInterval, o.PingTimeout})
	return s
}

// add registers a conn, unless there are too many.
func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opt.Connections > 0 && len(s.conns) >= s.opt.Connections {
		return false
	}
	s.conns[c.sid] = c
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.sid)
}

// conn returns the Engine.IO session with this name; nil: there is none.
func (s *Server) conn(sid string) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[sid]
}

// full reports whether the node has as many connections as it may.
func (s *Server) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.Connections > 0 && len(s.conns) >= s.opt.Connections
}

// keyFull reports whether a key has as many namespaces as it may have.
func (s *Server) keyFull(userID int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.userFull(userID)
}

// userFull is keyFull for callers that hold mu.
func (s *Server) userFull(userID int64) bool {
	return s.opt.PerUser > 0 && userID != 0 && s.users[userID] >= s.opt.PerUser
}

// enter counts a namespace of a key, unless the key has too many.
func (s *Server) enter(userID int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.userFull(userID) {
		return false
	}
	s.users[userID]++
	return true
}

// leave undoes enter.
func (s *Server) leave(userID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[userID]--; s.users[userID] == 0 {
		delete(s.users, userID)
	}
}
