package broadcasting

import (
	"context"
	"time"
)

// Broker brings events to every node and keeps the last event of each cache channel. It
// delivers an event at most once: events that must not be lost are in the journal, from
// which a Relay publishes them.
//
// Every implementation must pass clustertest.Broker.
type Broker interface {
	// Attach is called once, before any other method. deliver gives an event to this
	// node's subscribers, with its version (0: it is not kept). It does not block.
	Attach(deliver func(ev Event, version uint64))
	// Run works until ctx ends.
	Run(ctx context.Context) error
	// Publish brings ev to every node, including this one. Events that one caller
	// publishes one after the other arrive in that order. An event that is Kept becomes
	// the last one of its channel, and gets a version, before any node receives it. The
	// kept events of a channel arrive in the order of their versions. Versions
	// never go back, not even when the last event expires, is removed with its app, or
	// its storage fails. Publish may be called until the program ends, even after Run
	// has returned.
	Publish(ctx context.Context, ev Event) error
	// Last returns the last event of a cache channel. It may be called while an event is
	// delivered.
	Last(ctx context.Context, app, channel string) (LastEvent, error)
	// Interest tells the broker whether this node has subscribers in the channel. The
	// calls for one channel come in order. Interest must neither block nor call the
	// node. A broker may bring events that a node has no interest in, but never leaves
	// one out after the call. A broker that must ask elsewhere for events therefore
	// asks for all of them, in a fixed set of topics, and uses the interest to drop the
	// others early.
	Interest(app, channel string, interested bool)
	// RemoveApp drops everything that is kept of an app.
	RemoveApp(ctx context.Context, app string) error
}

// LastEvent is the last event of a cache channel.
type LastEvent struct {
	Event   Event
	Version uint64        // 0: there is no last event
	TTL     time.Duration // how much longer it is kept
}
