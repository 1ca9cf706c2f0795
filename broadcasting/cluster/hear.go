package cluster

import (
	"context"
	"strings"
	"time"
)

// hear hands on what is heard, in order.
func (n *Node) hear(ctx context.Context, l Link) error {
	list := n.early
	n.early = nil
	for {
		for _, h := range list {
			n.dispatch(ctx, h.From, h.Message)
		}
		var err error
		if list, err = l.Receive(ctx); err != nil {
			return err
		}
	}
}

// dispatch handles one message; called by one goroutine.
func (n *Node) dispatch(ctx context.Context, from string, m Message) {
	n.mu.Lock()
	n.stats.Received++
	own := strings.HasPrefix(from, n.base+".")
	if own && from == n.id { // whatever it is: what waits before its probe may take long
		n.heard = time.Now()
	}
	n.mu.Unlock()
	switch {
	case m.Kind == KindEvent && m.Event != nil:
		n.broker.give(m)
	case m.Kind == KindUnsure:
		n.control.unsure(ctx, m, own)
	case m.Kind == KindOrder && m.Order != nil:
		n.control.heard(ctx, from, m, own)
	case m.Kind == KindDead:
		if m.Node == n.name() {
			n.o.Log.WarnContext(ctx, "the other nodes took this one for dead")
		}
		n.peers.Heard(m.peer(from))
	case own || n.peers.IsGone(from) || m.To != "" && m.To != n.name():
	default:
		n.heardPeer(ctx, from, m)
	}
}

func (n *Node) name() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.id
}

// heardPeer takes what another node says to this one, and sends what the peers answer.
func (n *Node) heardPeer(ctx context.Context, from string, m Message) {
	switch m.Kind {
	case KindCancel:
		n.control.cancel(from, m.ID)
		return
	case KindAnswer:
		if m.Answer != nil {
			n.control.answered(from, m.ID, *m.Answer)
		}
		return
	case KindProbe:
		n.control.compare(ctx, m.Number)
	case KindBye:
		n.control.left(from, true)
	}
	for _, answer := range n.peers.Heard(m.peer(from)) {
		n.post(wirePeer(answer))
	}
	if n.peers.Wanting() {
		n.notify()
	}
	if m.Kind == KindGap {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.stats.Gaps++
	}
}
