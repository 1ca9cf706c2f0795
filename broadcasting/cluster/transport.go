package cluster

import (
	"context"
	"sync/atomic"
	"time"

	"chatcast/broadcasting"
)

// Transport carries the messages of a Node to all nodes, itself among them, and keeps what
// the nodes share. Node calls Join, Renew, Send and Leave one at a time.
type Transport interface {
	// Listen opens a connection that hears what is sent after Listen has returned.
	Listen(ctx context.Context) (Link, error)
	// Join gives id a lease, in the place of the name before (empty: none), and sends
	// list. l is what id hears by, and orders the number of the last order that this
	// node has heard.
	Join(ctx context.Context, l Link, j Joining, list []Message) (Members, error)
	// Renew renews the lease of a node and sends the Probe. When asked to bury, it also
	// ends the leases of other nodes that are over, and sends a KindDead of each. It
	// returns ErrBuried when the node has no lease.
	Renew(ctx context.Context, r Renewal) (m Members, dead []string, err error)
	// Send sends a batch. It numbers the messages that take access away, and sets who has
	// to answer an order. Events that are Kept become the last ones of their channels.
	Send(ctx context.Context, id string, batch []*Outgoing) error
	// Leave ends the lease of id and sends a KindBye.
	Leave(ctx context.Context, id string) error

	// Last and RemoveApp do what those of broadcasting.Broker do.
	Last(ctx context.Context, app, channel string) (broadcasting.LastEvent, error)
	RemoveApp(ctx context.Context, app string) error
	// Sweep drops the last events that have expired, and the oldest beyond the limit.
	Sweep(ctx context.Context) error
	// Interest is that of broadcasting.Broker.
	Interest(app, channel string, interested bool)
	Close()
}

// Link is a connection that hears. Receive returns the next messages in order. Its error
// means that the connection is of no more use.
type Link interface {
	Receive(ctx context.Context) ([]Heard, error)
	Close()
}

// Joining says which node joins.
type Joining struct {
	ID, Before string
	Orders     int64 // the number of the last order that this node has heard
	Lease      time.Duration
}

// Renewal says whose lease is renewed.
type Renewal struct {
	ID     string
	Orders int64 // the number of the last order that this node has heard
	Bury   bool
	Now    time.Time // that this node expects by the clock of the leases; while it is not so, nobody is buried
	Probe  Message   // to be sent
	Lease  time.Duration
}

// Members are the nodes of the cluster.
type Members struct {
	Now    time.Time // by the clock of the leases
	Others []string
	Orders int64 // the number of the last order that takes access away
	Young  bool  // the leases were lost not long ago: a node that is missing may come back
}

// Heard is a message with its sender.
type Heard struct {
	From string
	Message
}

// CacheLimits are the limits of the last events of cache channels.
type CacheLimits struct{ ttl, bytes atomic.Int64 }

// NewCacheLimits returns limits; see Set.
func NewCacheLimits(ttl time.Duration, bytes int) *CacheLimits {
	l := &CacheLimits{}
	l.Set(ttl, bytes)
	return l
}

// Set replaces how long an event is kept (0: 30 minutes), and how many bytes all may take
// together (0: 64 MiB). A new ttl is for events that are published later.
func (l *CacheLimits) Set(ttl time.Duration, bytes int) {
	if ttl <= 0 {
		ttl = 30 * time.Minute
	}
	if bytes <= 0 {
		bytes = 64 << 20
	}
	l.ttl.Store(int64(ttl))
	l.bytes.Store(int64(bytes))
}

// TTL returns how long an event is kept.
func (l *CacheLimits) TTL() time.Duration { return time.Duration(l.ttl.Load()) }

// Bytes returns how many bytes all events may take together.
func (l *CacheLimits) Bytes() int64 { return l.bytes.Load() }

// KeptSize is roughly the space that a kept event takes.
func KeptSize(ev broadcasting.Event) int {
	const overhead = 256
	return overhead + len(ev.App) + len(ev.Channel) + len(ev.Name) + len(ev.Data)
}
