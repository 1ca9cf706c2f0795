package postgres

import (
	"context"
	"strings"
	"time"

	"chatcast/broadcasting"
)

// serve works on a connection until it is lost, which is the error, or ctx ends.
func (n *Node) serve(ctx context.Context, l *link) error {
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
	for first := true; ctx.Err() == nil; first = false {
		if first {
			n.beatOnce(ctx, lose)
		}
		n.flush(ctx)
		select {
		case <-ctx.Done():
		case <-n.wake:
		case <-beat.C:
			n.beatOnce(ctx, lose)
		}
	}
	return context.Cause(ctx)
}

// hear hands on what is heard, in order.
func (n *Node) hear(ctx context.Context, l *link) error {
	early := n.early
	n.early = nil
	for _, m := range early {
		n.dispatch(ctx, m.from, m.message)
	}
	for {
		note, err := l.conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		from, list, err := l.parts.add(note.Payload)
		if err != nil {
			n.o.Log.DebugContext(ctx, "the bus brought what is not a message", "error", err)
			continue
		}
		for _, m := range list {
			n.dispatch(ctx, from, m)
		}
	}
}

// dispatch handles one message; called by one goroutine.
func (n *Node) dispatch(ctx context.Context, from string, m message) {
	n.mu.Lock()
	n.stats.Received++
	own := strings.HasPrefix(from, n.base+".")
	_, over := n.gone[from]
	n.mu.Unlock()
	switch {
	case m.Kind == kindEvent && m.Event != nil:
		n.broker.give(m)
		return
	case m.Kind == kindOrder && m.Order != nil:
		n.control.heard(ctx, from, m, own)
		return
	case own && m.Kind != kindDead:
		if m.Kind == kindProbe || m.Kind == kindHello {
			n.heardItself()
		}
		return
	case over || m.To != "" && m.To != n.name():
		return
	}
	switch m.Kind {
	case kindHello:
		n.welcome(from)
	case kindState, kindReport:
		n.presence.heard(from, m)
	case kindBye:
		n.forget(from)
	case kindDead:
		if m.Node == n.name() {
			n.o.Log.WarnContext(ctx, "the other nodes took this one for dead")
		}
		n.forget(m.Node)
	case kindCancel:
		n.control.cancel(from, m.ID)
	case kindAnswer:
		if m.Answer != nil {
			n.control.answered(from, m.ID, *m.Answer)
		}
	}
}

func (n *Node) name() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.id
}

func (n *Node) heardItself() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = time.Now()
}

// welcome notes a node that has joined. Its state follows.
func (n *Node) welcome(node string) {
	n.mu.Lock()
	n.peer(node)
	n.mu.Unlock()
	n.queueState(node)
}

// baseOf returns the part of a node's name that stays when the node joins again.
func baseOf(node string) string {
	base, _, _ := strings.Cut(node, ".")
	return base
}

// peer finds or notes another node, unless it has gone; needs mu.
func (n *Node) peer(node string) *peer {
	if _, over := n.gone[node]; over || node == n.id {
		return nil
	}
	p := n.nodes[node]
	if p == nil {
		p = &peer{}
		n.nodes[node] = p
		n.tellChanged()
	}
	return p
}

// forget forgets a node and everything that it has reported.
func (n *Node) forget(node string) {
	n.mu.Lock()
	n.gone[node] = time.Now()
	delete(n.nodes, node)
	n.tellChanged()
	own := node == n.id
	n.mu.Unlock()
	if own {
		return // the next beat finds that the row is gone
	}
	n.control.left(node)
	n.presence.tell(n.presence.view.Apply(broadcasting.PresenceReport{Node: node, Kind: broadcasting.NodeGoneReport}))
}
