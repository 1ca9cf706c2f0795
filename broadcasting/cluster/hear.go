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
	_, over := n.gone[from]
	if own && from == n.id { // whatever it is: what waits before its probe may take long
		n.heard = time.Now()
	}
	n.mu.Unlock()
	switch {
	case m.Kind == KindEvent && m.Event != nil:
		n.broker.give(m)
		return
	case m.Kind == KindUnsure:
		n.control.unsure(ctx, m, own)
		return
	case m.Kind == KindOrder && m.Order != nil:
		n.control.heard(ctx, from, m, own)
		return
	case own && m.Kind != KindDead:
		return
	case over || m.To != "" && m.To != n.name():
		return
	}
	switch m.Kind {
	case KindHello:
		n.welcome(from)
	case KindProbe:
		n.control.compare(ctx, m.Number)
	case KindGap:
		n.ask(from)
	case KindAsk:
		n.queueState(from)
	case KindState, KindReport:
		n.presence.heard(from, m)
	case KindBye:
		n.control.left(from, true)
		n.forget(from)
	case KindDead:
		if m.Node == n.name() {
			n.o.Log.WarnContext(ctx, "the other nodes took this one for dead")
		}
		n.forget(m.Node)
	case KindCancel:
		n.control.cancel(from, m.ID)
	case KindAnswer:
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

// welcome notes a node that has joined. Its state follows.
func (n *Node) welcome(node string) {
	n.mu.Lock()
	n.peer(node)
	n.mu.Unlock()
	n.queueState(node)
}
