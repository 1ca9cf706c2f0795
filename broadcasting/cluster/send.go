package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/broadcasting"
)

// batchMessages and batchBytes limit a batch.
const (
	batchMessages = 500
	batchBytes    = 1 << 20
)

// Outgoing is a message that waits to be sent.
type Outgoing struct {
	Message
	Kept   bool          // the event becomes the last one of its channel
	Within time.Duration // of an order: how long it counts; 0: until it is cancelled
	Nodes  []string      // of an order: who has to answer; set when it is sent
	Err    error         // why this one was not sent

	done chan struct{} // closed when it is sent, or Err is set
}

func newOutgoing(m Message) *Outgoing { return &Outgoing{Message: m, done: make(chan struct{})} }

// TakesAway reports whether the message is numbered: it takes access away from sockets.
func (o *Outgoing) TakesAway() bool {
	return o.Kind == KindUnsure || o.Kind == KindOrder && o.Order.Kind.TakesAway()
}

// failed counts a message that may not have arrived. What it was to do is made good later:
// reports by sending everything again, and orders that take access away by having the
// others disconnect their sockets. It needs mu.
func (n *Node) failed(out *Outgoing) {
	n.stats.Failed++
	n.resend = n.resend || len(out.Reports) > 0 || out.Kind == KindState
	n.unsure = n.unsure || out.TakesAway()
}

func (o *Outgoing) size() int {
	if o.Event == nil {
		return 100 + 100*len(o.Reports)
	}
	return 100 + len(o.Event.Data)
}

// post queues a message for the loop to send. It does not wait, and the message is lost
// while the node is not connected.
func (n *Node) post(m Message) {
	if n.enqueue(newOutgoing(m)) == nil {
		n.notify()
	}
}

func (n *Node) notify() {
	select {
	case n.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (n *Node) enqueue(out *Outgoing) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up && !n.ended {
		n.failed(out)
		return fmt.Errorf("%w: %w", ErrAway, n.why)
	}
	n.queue = append(n.queue, out)
	return nil
}

// send queues a message and returns when it is sent. Callers that send at the same time
// share a batch.
func (n *Node) send(ctx context.Context, out *Outgoing) error {
	if err := n.enqueue(out); err != nil {
		return err
	}
	for {
		select {
		case <-out.done:
			return out.Err
		case <-ctx.Done():
			return ctx.Err()
		case n.turn <- struct{}{}:
			n.sendBatch(context.WithoutCancel(ctx))
			<-n.turn
		}
	}
}

// flush sends one batch of what waits, and has the loop come back for the rest.
func (n *Node) flush(ctx context.Context) {
	n.takeWanted()
	if !n.waiting() {
		return
	}
	select {
	case n.turn <- struct{}{}:
		n.sendBatch(ctx)
		<-n.turn
	case <-ctx.Done():
	}
	if n.waiting() {
		n.notify()
	}
}

func (n *Node) waiting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.queue) > 0 || n.peers.Wanting()
}

// sendBatch sends the first messages of the queue; needs turn.
func (n *Node) sendBatch(ctx context.Context) {
	n.mu.Lock()
	count, size := 0, 0
	for count < len(n.queue) && count < batchMessages && size < batchBytes {
		size += n.queue[count].size()
		count++
	}
	batch := n.queue[:count:count]
	if n.queue = n.queue[count:]; len(n.queue) == 0 {
		n.queue = nil
	}
	id, over := n.id, !n.ended && n.lease.Over(time.Now())
	n.mu.Unlock()
	if count == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err := errOver // the others may have forgotten this node, and would not hear the end of what it says
	if !over {
		err = n.t.Send(ctx, id, batch)
	}
	for _, out := range batch {
		if err != nil {
			out.Err = err
		}
		if out.Err != nil {
			out.Err = fmt.Errorf("%w: %w", ErrAway, out.Err)
		}
	}
	n.sent(batch)
	for _, out := range batch {
		close(out.done)
	}
}

// sent counts.
func (n *Node) sent(batch []*Outgoing) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, out := range batch {
		if out.Err == nil {
			n.stats.Sent++
		} else {
			n.failed(out)
		}
	}
}

// takeWanted queues what others want to know of this node, when little else waits. Reports
// that are made later are sent after it.
func (n *Node) takeWanted() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) >= batchMessages {
		return
	}
	for _, m := range wirePeers(n.peers.Wanted()) {
		n.queue = append(n.queue, newOutgoing(m))
	}
}

// probe returns the probe of this node. It says how many reports were sent: not those that
// wait, or all others would ask for them. It needs turn.
func (n *Node) probe() Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := wirePeer(n.peers.Probe())
	for _, out := range n.queue {
		if out.Kind == KindReport {
			m.Count = out.Count - 1
			break
		}
	}
	return m
}

// asUnanswered makes an error of sending one of a survey.
func asUnanswered(err error) error { return errors.Join(broadcasting.ErrUnanswered, err) }
