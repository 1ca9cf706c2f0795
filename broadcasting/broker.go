package broadcasting

import (
	"context"
	"time"
)

// Broker brings events to every node and keeps the last event of each cache
// channel. It carries an event at most once: what must not be lost is in the
// journal, and a Relay takes it from there.
//
// An implementation passes clustertest.Broker.
type Broker interface {
	// Attach is called once, before anything else. deliver gives an event to this
	// node's subscribers. It does not block and keeps the event only during the
	// call.
	Attach(deliver func(*Event))
	// Run works until ctx ends.
	Run(ctx context.Context) error
	// Publish brings ev to every node, this one included. Events that one caller
	// publishes one after the other arrive in that order. An event that is Kept
	// becomes the last one of its channel before any node gets it, and is given its
	// Version. Those of one channel arrive in the order of their versions, which never
	// go back: not when the last event expires or is removed with its app, and not when
	// whatever keeps it fails. Publish may be called until the program ends, also after
	// Run has.
	Publish(ctx context.Context, ev *Event) error
	// Last returns the last event of a cache channel and how much longer it is
	// kept; nil when there is none. The event must not be changed. Last may be called
	// while an event is delivered.
	Last(ctx context.Context, app, channel string) (ev *Event, ttl time.Duration, err error)
	// Interest says whether this node has subscribers in the channel, in order for
	// each channel. It must neither block nor call the node. A broker may bring
	// events that a node is not interested in, but never leaves one out after the
	// call. So a broker that must ask elsewhere for events asks for all of them, in a
	// fixed set of topics, and uses the interest to drop the others early.
	Interest(app, channel string, interested bool)
	// RemoveApp drops what is kept of an app.
	RemoveApp(ctx context.Context, app string) error
}
