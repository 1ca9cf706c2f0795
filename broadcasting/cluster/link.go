package cluster

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// join connects this node under a new name, which replaces the one that it had: first it
// listens, then it has a lease, so whoever has one hears what is sent from then on.
func (n *Node) join(ctx context.Context) (Link, error) {
	l, err := n.t.Listen(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		l.Close()
		return nil, ctx.Err()
	}
	defer func() { <-n.turn }()
	n.mu.Lock()
	before, first := n.id, n.id == ""
	n.names++
	id := n.base + "." + strconv.Itoa(n.names)
	list := wirePeers(n.peers.Join(id))
	known := n.orders
	n.up, n.why, n.resend = true, nil, false // reports from here on follow the state
	n.mu.Unlock()
	m, err := n.t.Join(ctx, l, Joining{ID: id, Before: before, Orders: known, Lease: n.o.Lease}, list)
	if err != nil {
		n.down(err)
		l.Close()
		return nil, err
	}
	n.entered(id, m.Now)
	n.peers.Joined(m.Others, m.Young)
	n.mu.Lock()
	missed := !first && m.Orders != n.orders
	n.orders = max(m.Orders, n.orders)
	n.mu.Unlock()
	if missed {
		n.cutOffNow(ctx, "orders were given while this node was cut off")
	}
	return l, nil
}

// entered notes that this node is in the cluster under a new name.
func (n *Node) entered(id string, clock time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.id != "" {
		n.stats.Joins++
	}
	n.id, n.heard = id, time.Now()
	n.lease.Joined(n.heard, clock)
}

// rejoin joins again until it succeeds. It returns nil when ctx ends.
func (n *Node) rejoin(ctx context.Context) Link {
	wait := 50 * time.Millisecond
	for {
		limited, cancel := context.WithTimeout(ctx, openTime)
		l, err := n.join(limited)
		cancel()
		if err == nil {
			return l
		}
		n.o.Log.DebugContext(ctx, "the bus between the nodes is still away", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// ErrUnheard means that what a node sends does not arrive.
var ErrUnheard = errors.New("the node does not hear its own messages")

// hearsItself waits for the hello of this node. Messages of others that come before are
// for a node that is not attached yet, and none of them is an order to its sockets.
func (n *Node) hearsItself(ctx context.Context) error {
	for {
		list, err := n.link.Receive(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return ErrUnheard
			}
			return err
		}
		n.early = append(n.early, list...)
		for _, h := range list {
			if h.From == n.id {
				return nil
			}
		}
	}
}

// serve works on a connection until it is lost, which is the error, or ctx ends.
func (n *Node) serve(ctx context.Context, l Link) error {
	ctx, lose := context.WithCancelCause(ctx)
	hearing := make(chan struct{})
	n.mu.Lock()
	n.heard = time.Now() // the time between Open and Run does not count
	n.mu.Unlock()
	go func() {
		defer close(hearing)
		lose(n.hear(ctx, l))
	}()
	defer func() { <-hearing }()
	beat := time.NewTicker(n.o.Beat)
	defer beat.Stop()
	n.beatOnce(ctx, lose)
	for ctx.Err() == nil {
		n.flush(ctx)
		select { // before more is sent: the lease must not wait for an endless queue
		case <-beat.C:
			n.beatOnce(ctx, lose)
			continue
		default:
		}
		select {
		case <-ctx.Done():
		case <-n.wake:
		case <-beat.C:
			n.beatOnce(ctx, lose)
		}
	}
	return context.Cause(ctx)
}

// leave ends the lease of this node and says so, and ends the connection.
func (n *Node) leave(ctx context.Context, l Link) {
	n.mu.Lock()
	n.ended, n.up = true, false
	id := n.id
	n.mu.Unlock()
	n.tellChanged()
	if l != nil {
		defer l.Close()
	}
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-n.turn }()
	n.sayUnsure(ctx)
	if err := n.t.Leave(ctx, id); err != nil {
		n.o.Log.WarnContext(ctx, "the other nodes were not told that this one ends, and will see it in seconds", "error", err)
	}
}
