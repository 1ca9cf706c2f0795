package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"chatcast/broadcasting"
)

// ErrAway is returned while this node has no connection to the others.
var ErrAway = errors.New("the bus between the nodes is away")

// Options are the options of a Node.
type Options struct {
	Log    *slog.Logger
	Limits *CacheLimits // of the transport

	// For tests; 0: those of a Node.
	Lease, Beat time.Duration
}

// Times of a Node.
const (
	leaseTime = 6 * time.Second
	beatTime  = time.Second
	sendTime  = 5 * time.Second // for a batch
	openTime  = 10 * time.Second
	maxQueued = 100_000 // messages that wait; then reports are not queued, and everything is sent again
)

// Node is one node of the cluster. Its Broker, Presence and Control belong to one engine.
type Node struct {
	// static
	o     Options
	base  string // its names in the cluster begin with it
	peers *broadcasting.Peers
	t     Transport
	turn  chan struct{} // holds one: the right to send
	wake  chan struct{} // holds one: "something is to be sent"

	broker   broker
	presence presence
	control  control

	running sync.Mutex
	// guarded by running
	runs int
	end  context.CancelFunc
	done chan struct{}
	link Link // the first one, made by Open

	// owned by the loop
	swept int
	early []Heard // what was heard before Run

	mu sync.Mutex
	// guarded by mu
	id      string    // the name in the cluster
	names   int       // how many it has had
	up      bool      // connected, as far as is known
	ended   bool      // Run has returned
	why     error     // why it is not up
	heard   time.Time // when the node last heard itself
	lease   broadcasting.Lease
	orders  int64 // the last order that takes access away
	queue   []*Outgoing
	resend  bool          // reports were lost: everything is to be sent again
	unsure  bool          // an order that takes access away may not have arrived
	changed chan struct{} // closed and replaced when Complete may have changed
	cutOff  func()
	stats   Stats
}

// Stats are the counters of a Node.
type Stats struct {
	Up       bool   // this node hears the bus
	Nodes    int    // of the cluster, with this one, as far as this node knows
	Waiting  int    // messages that wait to be sent
	Joins    uint64 // how often this node has joined again
	CutOffs  uint64 // how often its sockets were disconnected because it may have missed an order
	Sent     uint64 // messages
	Received uint64
	Failed   uint64 // messages that could not be sent
	Buried   uint64 // nodes that this node has buried
	Gaps     uint64 // how often something that another node reported was lost on the way
}

// Open makes this process a node of the cluster that a transport connects. The caller must
// Close it, which closes the transport; an error closes it too.
func Open(ctx context.Context, o Options, t Transport) (n *Node, err error) {
	if o.Lease <= 0 {
		o.Lease = leaseTime
	}
	if o.Beat <= 0 {
		o.Beat = beatTime
	}
	n = &Node{
		o: o, t: t, base: rand.Text()[:16], turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), changed: make(chan struct{}),
		lease: broadcasting.Lease{Time: o.Lease, Beat: o.Beat}, cutOff: func() {},
	}
	n.peers = broadcasting.NewPeers(broadcasting.PeersOptions{
		Patience: int((o.Lease + o.Beat - 1) / o.Beat),
		Gone:     func(node string) { n.control.left(node, false) },
		Changed:  n.tellChanged,
	})
	n.broker.node, n.presence.node, n.control.node = n, n, n
	n.presence.view = n.peers.View()
	n.control.surveys, n.control.handling = map[uint64]*survey{}, map[handled]context.CancelFunc{}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if n.link, err = n.join(ctx); err == nil {
		err = n.hearsItself(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("join the cluster: %w", err), n.Close())
	}
	return n, nil
}

// Broker returns the broker of the node.
func (n *Node) Broker() broadcasting.Broker { return &n.broker }

// Presence returns the presence of the node.
func (n *Node) Presence() broadcasting.Presence { return &n.presence }

// Control returns the control of the node.
func (n *Node) Control() broadcasting.Control { return &n.control }

// OnCutOff sets the function that is called when this node may have missed orders that
// take access away. It must disconnect the node's sockets. It must be set before Run.
func (n *Node) OnCutOff(f func()) { n.cutOff = f }

// SetCacheLimits replaces the limits of the cached events. A new ttl is for events that
// are published later.
func (n *Node) SetCacheLimits(ttl time.Duration, bytes int) { n.o.Limits.Set(ttl, bytes) }

// Stats returns the counters now.
func (n *Node) Stats() Stats {
	others := n.peers.Count()
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stats
	s.Up, s.Nodes, s.Waiting = n.hears() == nil, others+1, len(n.queue)
	return s
}

// Ready returns nil when this node hears what is sent.
func (n *Node) Ready() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hears()
}

// Close releases the connections. It is called after Run has returned.
func (n *Node) Close() error {
	n.running.Lock()
	if n.link != nil { // Run was not called
		ctx, cancel := context.WithTimeout(context.Background(), sendTime)
		n.leave(ctx, n.link)
		cancel()
		n.link = nil
	}
	n.running.Unlock()
	n.t.Close()
	return nil
}

// run is Run of the three seams: the node works while one of them runs.
func (n *Node) run(ctx context.Context) error {
	n.running.Lock()
	if n.runs++; n.runs == 1 && n.done == nil {
		var loop context.Context
		loop, n.end = context.WithCancel(context.WithoutCancel(ctx))
		n.done = make(chan struct{})
		go func(l Link) {
			defer close(n.done)
			n.loop(loop, l)
		}(n.link)
		n.link = nil
	}
	n.running.Unlock()
	<-ctx.Done()
	n.running.Lock()
	n.runs--
	last, done := n.runs == 0, n.done
	if last {
		n.end()
	}
	n.running.Unlock()
	if last {
		<-done
	}
	return nil
}

// loop works until ctx ends, connecting again whenever the connection is lost.
func (n *Node) loop(ctx context.Context, l Link) {
	for ctx.Err() == nil {
		err := n.serve(ctx, l)
		if ctx.Err() != nil {
			break
		}
		n.down(err)
		n.o.Log.WarnContext(ctx, "the bus between the nodes is lost, connecting again", "error", err)
		l.Close()
		if l = n.rejoin(ctx); l == nil {
			break
		}
		n.o.Log.InfoContext(ctx, "the bus between the nodes is back")
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	n.leave(bye, l)
}

// down notes that the node is not connected, and fails what waits to be sent.
func (n *Node) down(why error) {
	n.mu.Lock()
	n.up, n.why = false, why
	n.failQueue(why)
	n.mu.Unlock()
	n.peers.Lost() // what is said meanwhile is missed
}

// failQueue needs mu.
func (n *Node) failQueue(err error) {
	for _, out := range n.queue {
		out.Err = fmt.Errorf("%w: %w", ErrAway, err)
		n.failed(out)
		close(out.done)
	}
	n.queue = nil
}

// tellChanged wakes who waits in Complete.
func (n *Node) tellChanged() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}
