package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatcast/broadcasting"
)

// batchMessages and batchBytes limit what one transaction sends.
const (
	batchMessages = 500
	batchBytes    = 1 << 20
)

// outgoing is a message that waits to be sent.
type outgoing struct {
	message
	kept   bool          // the event becomes the last one of its channel
	within time.Duration // of an order: how long it counts; 0: until it is cancelled
	nodes  []string      // of an order: who has to answer; set when it is sent
	err    error
	done   chan struct{} // closed when it is sent, or err is set
}

func newOutgoing(m message) *outgoing { return &outgoing{message: m, done: make(chan struct{})} }

func (o *outgoing) finish(err error) {
	o.err = err
	close(o.done)
}

func (o *outgoing) size() int {
	if o.Event == nil {
		return 100 + 100*len(o.Reports)
	}
	return 100 + len(o.Event.Data)
}

// post queues a message for the loop to send. It does not wait, and the message is lost
// while the node is not connected.
func (n *Node) post(m message) {
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

func (n *Node) enqueue(out *outgoing) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up && !n.ended {
		n.stats.Failed++
		return fmt.Errorf("%w: %w", ErrAway, n.why)
	}
	n.queue = append(n.queue, out)
	return nil
}

// send queues a message and returns when it is committed. Callers that send at the same
// time share a transaction.
func (n *Node) send(ctx context.Context, out *outgoing) error {
	if err := n.enqueue(out); err != nil {
		return err
	}
	for {
		select {
		case <-out.done:
			return out.err
		case <-ctx.Done():
			return ctx.Err()
		case n.turn <- struct{}{}:
			n.sendBatch(context.WithoutCancel(ctx))
			<-n.turn
		}
	}
}

// flush sends everything that waits now.
func (n *Node) flush(ctx context.Context) {
	for n.waiting() {
		select {
		case n.turn <- struct{}{}:
			n.sendBatch(ctx)
			<-n.turn
		case <-ctx.Done():
			return
		}
	}
}

func (n *Node) waiting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.queue) > 0
}

// sendBatch sends the first messages of the queue in one transaction; needs turn.
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
	id := n.id
	n.mu.Unlock()
	if count == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err := n.write(ctx, id, batch)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	n.sent(batch, err)
	for _, out := range batch {
		out.finish(err)
	}
}

// sent counts. Reports that may be lost are made good by sending everything again.
func (n *Node) sent(batch []*outgoing, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		n.stats.Sent += uint64(len(batch))
		return
	}
	n.stats.Failed += uint64(len(batch))
	for _, out := range batch {
		n.resend = n.resend || len(out.Reports) > 0 || out.Kind == kindState
	}
}

// write commits a batch; needs turn. Most have only messages, which is one statement.
func (n *Node) write(ctx context.Context, id string, batch []*outgoing) error {
	var kept, orders []*outgoing
	for _, out := range batch {
		if out.kept {
			kept = append(kept, out)
		}
		if out.Kind == kindOrder {
			orders = append(orders, out)
		}
	}
	if len(kept) == 0 && len(orders) == 0 {
		return n.notifyAll(ctx, n.pool, id, batch)
	}
	return pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) error {
		if len(orders) > 0 {
			if err := prepareOrders(ctx, tx, id, orders); err != nil {
				return err
			}
		}
		if len(kept) > 0 {
			if err := n.keep(ctx, tx, kept); err != nil {
				return err
			}
		}
		return n.notifyAll(ctx, tx, id, batch)
	})
}

// execer is a transaction, or a pool that makes one of each statement.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// notifyAll sends the messages as notifications; needs turn.
func (n *Node) notifyAll(ctx context.Context, db execer, id string, batch []*outgoing) error {
	list := make([]message, len(batch))
	for i, out := range batch {
		list[i] = out.message
	}
	return n.notifyMessages(ctx, db, id, list)
}

// notifyMessages needs turn.
func (n *Node) notifyMessages(ctx context.Context, db execer, id string, list []message) error {
	n.number++
	parts, err := payloads(id, n.number, list)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, "SELECT pg_notify('"+topic+"', p) FROM unnest($1::text[]) WITH ORDINALITY AS t (p, i) ORDER BY i", parts)
	return err
}

// state returns everything that this node reports, as messages; needs mu, so that later
// reports are sent after it.
func (n *Node) state(to string) (list []message) {
	reports := n.presence.mine.Reports(self)
	for {
		part := reports[:min(stateParts, len(reports))]
		reports = reports[len(part):]
		m := message{Kind: kindState, To: to, Done: len(reports) == 0}
		for _, r := range part {
			m.Reports = append(m.Reports, wireReport(r))
		}
		list = append(list, m)
		if m.Done {
			return list
		}
	}
}

// queueState queues everything that this node reports.
func (n *Node) queueState(to string) {
	n.mu.Lock()
	if n.up {
		for _, m := range n.state(to) {
			n.queue = append(n.queue, newOutgoing(m))
		}
	}
	n.mu.Unlock()
	n.notify()
}

// asUnanswered makes an error of sending one of a survey.
func asUnanswered(err error) error { return errors.Join(broadcasting.ErrUnanswered, err) }
