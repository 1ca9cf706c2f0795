package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors with which a node gives up its connection, to join again.
var (
	ErrBuried = errors.New("this node was taken for dead: its lease was over")
	errDeaf   = errors.New("this node does not hear its own messages")
	errOver   = errors.New("the lease of this node is over")
)

// deafAfter is how many beats a node may miss its own messages.
const deafAfter = 3

// setClock notes the time by the clock of the leases.
func (n *Node) setClock(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clock, n.clockAt = now, time.Now()
}

// now returns the time by the clock of the leases.
func (n *Node) now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.clock.Add(time.Since(n.clockAt))
}

// beatOnce renews the lease, says that this node hears, and buries nodes that are over. It
// calls lose when the node has to join again.
func (n *Node) beatOnce(ctx context.Context, lose context.CancelCauseFunc) {
	n.mu.Lock()
	deaf := time.Since(n.heard) > deafAfter*n.o.Beat+n.o.Beat/2
	resend, orders, id := n.resend && len(n.queue) < maxQueued/2, n.orders, n.id
	n.resend = n.resend && !resend
	n.mu.Unlock()
	if deaf {
		lose(errDeaf)
		return
	}
	if resend {
		n.queueState("")
	}
	limited, cancel := context.WithTimeout(ctx, deafAfter*n.o.Beat)
	defer cancel()
	select {
	case n.turn <- struct{}{}:
	case <-limited.Done():
		return
	}
	n.sayUnsure(limited)
	m, dead, err := n.t.Renew(limited, Renewal{ID: id, Orders: orders, Bury: n.mayBury(), Now: n.now(), Lease: n.o.Lease})
	<-n.turn
	switch {
	case err == nil:
		if jumped := m.Now.Sub(n.now()); jumped.Abs() > n.o.Lease/Jump {
			n.o.Log.WarnContext(ctx, "the clock of the leases has jumped", "by", jumped.Round(time.Millisecond))
			n.unsteady()
		}
		n.setClock(m.Now)
		for _, node := range n.renewed(m.Others, len(dead)) {
			n.forget(node)
		}
	case errors.Is(err, ErrBuried):
		lose(err)
	case ctx.Err() == nil:
		n.o.Log.WarnContext(ctx, "the lease of this node was not renewed, and will be tried again", "error", err)
	}
	for _, node := range dead {
		n.o.Log.WarnContext(ctx, "a node is dead: its lease was over", "node", node)
	}
	if err == nil {
		n.sweep(limited)
	}
}

// unsteady leaves the others the time to renew their leases.
func (n *Node) unsteady() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steady = time.Now()
}

// sayUnsure has the other nodes disconnect their sockets when an order of this node that takes
// access away may not have arrived. The message is numbered as the order was to be, so a
// node that is not there either finds that it has missed one. It needs turn.
func (n *Node) sayUnsure(ctx context.Context) {
	n.mu.Lock()
	unsure, id := n.unsure, n.id
	n.unsure = false
	n.mu.Unlock()
	if !unsure {
		return
	}
	out := newOutgoing(Message{Kind: KindUnsure})
	err := n.t.Send(ctx, id, []*Outgoing{out})
	if err = errors.Join(err, out.Err); err == nil {
		n.o.Log.WarnContext(ctx, "an order that ends an access may not have arrived: the other nodes disconnect their sockets")
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unsure = true
}

// mayBury reports whether this node has renewed its own lease in time for as long as
// one lasts. After a time in which the leases were out of reach, all are over, and
// each node must have had the time to renew its own.
func (n *Node) mayBury() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	return now.Sub(n.beaten) < 2*n.o.Beat+n.o.Beat/2 && now.Sub(n.steady) >= n.o.Lease
}

// renewed notes who is in the cluster. It returns the nodes that are to be forgotten, because
// they have had no lease for as long as one lasts: the message that buried them was lost.
func (n *Node) renewed(nodes []string, buried int) (lost []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if now.Sub(n.beaten) >= 2*n.o.Beat+n.o.Beat/2 {
		n.steady = now
	}
	n.beaten = now
	n.stats.Buried += uint64(buried)
	for _, node := range nodes {
		if p := n.peer(node); p != nil && !p.known && now.Sub(p.asked) > askAfter*n.o.Beat { // its state, or the question, was lost
			p.asked = now
			n.queue = append(n.queue, newOutgoing(Message{Kind: KindAsk, To: node}))
		}
	}
	for node, p := range n.nodes {
		switch {
		case slices.Contains(nodes, node):
			p.absent = time.Time{}
		case p.absent.IsZero():
			p.absent = now
		case now.Sub(p.absent) > n.o.Lease:
			lost = append(lost, node)
		}
	}
	for node, at := range n.gone {
		if now.Sub(at) > goneTime {
			delete(n.gone, node)
		}
	}
	return lost
}

// askAfter is how many beats a node waits for the state of another one.
const askAfter = 5

// goneTime is how long the name of a node that has gone is remembered, so that what is
// still heard of it is ignored.
const goneTime = 10 * time.Minute

// sweepEvery is how many beats pass between two looks at the kept events.
const sweepEvery = 10

// sweep removes expired events, and the oldest beyond the limit, now and then.
func (n *Node) sweep(ctx context.Context) {
	if n.swept++; n.swept%sweepEvery != 0 {
		return
	}
	if err := n.t.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.o.Log.WarnContext(ctx, "the events of cache channels could not be swept", "error", err)
	}
}

// cutOffNow has the sockets of this node disconnected.
func (n *Node) cutOffNow(ctx context.Context, why string) {
	n.mu.Lock()
	n.stats.CutOffs++
	n.mu.Unlock()
	n.o.Log.WarnContext(ctx, "this node may have missed orders that end an access: its sockets are disconnected", "reason", why)
	n.cutOff()
}

// hears returns nil when this node hears what is sent; needs mu.
func (n *Node) hears() error {
	switch {
	case n.ended:
		return nil
	case !n.up:
		return fmt.Errorf("%w: %w", ErrAway, n.why)
	case time.Since(n.heard) > deafAfter*n.o.Beat:
		return fmt.Errorf("%w: %w", ErrAway, errDeaf)
	}
	return nil
}
