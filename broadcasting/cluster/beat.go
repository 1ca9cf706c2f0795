package cluster

import (
	"context"
	"errors"
	"fmt"
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

// now returns the time by the clock of the leases.
func (n *Node) now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lease.Clock(time.Now())
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
		n.peers.Again()
		n.notify()
	}
	limited, cancel := context.WithTimeout(ctx, deafAfter*n.o.Beat)
	defer cancel()
	select {
	case n.turn <- struct{}{}:
	case <-limited.Done():
		return
	}
	n.sayUnsure(limited)
	m, dead, err := n.t.Renew(limited, n.renewal(id, orders))
	<-n.turn
	switch {
	case err == nil:
		if jumped := n.renewed(m.Now, len(dead)); jumped != 0 {
			n.o.Log.WarnContext(ctx, "the clock of the leases has jumped", "by", jumped.Round(time.Millisecond))
		}
		n.peers.Listed(m.Others)
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

// renewal says what this node renews; it needs turn.
func (n *Node) renewal(id string, orders int64) Renewal {
	probe := n.probe()
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	return Renewal{ID: id, Orders: orders, Bury: n.lease.MayBury(now), Now: n.lease.Clock(now), Probe: probe, Lease: n.o.Lease}
}

// renewed notes that the lease was renewed. It returns by how much its clock has jumped, if that
// is too much.
func (n *Node) renewed(clock time.Time, buried int) (jumped time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stats.Buried += uint64(buried)
	return n.lease.Renewed(time.Now(), clock)
}

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
