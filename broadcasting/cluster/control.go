package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"chatcast/broadcasting"
)

// control implements broadcasting.Control.
type control struct {
	node   *Node
	handle func(ctx context.Context, o broadcasting.Order) broadcasting.Answer

	handlers sync.WaitGroup

	mu sync.Mutex
	// guarded by mu
	ended    bool
	asked    uint64                         // the last order of this node
	surveys  map[uint64]*survey             // that are waited for, by their order
	handling map[handled]context.CancelFunc // orders of others that are carried out
}

// handled is an order of another node.
type handled struct {
	node string
	id   uint64
}

// survey is an order of this node with the answers so far.
type survey struct {
	answers []broadcasting.Answer
	open    map[string]bool // who has to answer; nil until it is sent
	early   map[string]bool // who has answered before that is known, or has left
	lost    map[string]bool // who has left without an answer, and may have the socket
	changed chan struct{}   // holds one
}

var _ broadcasting.Control = (*control)(nil)

// Attach implements broadcasting.Control.
func (c *control) Attach(handle func(ctx context.Context, o broadcasting.Order) broadcasting.Answer) {
	c.handle = handle
}

// Run implements broadcasting.Control.
func (c *control) Run(ctx context.Context) error {
	err := c.node.run(ctx)
	c.mu.Lock()
	c.ended = true
	for _, cancel := range c.handling {
		cancel()
	}
	c.mu.Unlock()
	c.handlers.Wait()
	return err
}

// Survey implements broadcasting.Control.
func (c *control) Survey(ctx context.Context, o broadcasting.Order, enough func(broadcasting.Answer) bool) ([]broadcasting.Answer, error) {
	s := &survey{early: map[string]bool{}, lost: map[string]bool{}, changed: make(chan struct{}, 1)}
	c.mu.Lock()
	c.asked++
	id := c.asked
	c.surveys[id] = s
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.surveys, id)
		c.mu.Unlock()
	}()
	out := newOutgoing(Message{Kind: KindOrder, ID: id, Order: &o})
	if ctx.Err() != nil {
		c.node.mu.Lock()
		defer c.node.mu.Unlock()
		c.node.failed(out)
		return nil, broadcasting.ErrUnanswered
	}
	if end, ok := ctx.Deadline(); ok {
		out.Within = max(time.Until(end), time.Millisecond)
	}
	if err := c.node.send(ctx, out); err != nil {
		return nil, asUnanswered(err)
	}
	c.mu.Lock()
	s.open = map[string]bool{}
	for _, node := range out.Nodes {
		switch {
		case !s.early[node] && !c.node.peers.IsGone(node):
			s.open[node] = true
		case !s.early[node]:
			s.lost[node] = true
		}
	}
	c.mu.Unlock()
	answers, err := c.wait(ctx, s, enough)
	if err == nil && o.SocketID != "" && c.missed(s, out.Nodes, len(answers)) {
		err = broadcasting.ErrUnanswered
	}
	if err != nil || len(answers) < len(out.Nodes) {
		c.node.post(Message{Kind: KindCancel, ID: id})
	}
	return answers, err
}

// missed reports whether a node that was asked about a socket has left without an answer, and
// may have the socket: it was not heard, or has joined again. One that has ended has none.
func (c *control) missed(s *survey, nodes []string, answers int) bool {
	if answers == len(nodes) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(nodes, func(node string) bool { return s.lost[node] })
}

// wait returns the answers as soon as all have come, or enough.
func (c *control) wait(ctx context.Context, s *survey, enough func(broadcasting.Answer) bool) (answers []broadcasting.Answer, err error) {
	for {
		c.mu.Lock()
		list, open := s.answers, len(s.open)
		c.mu.Unlock()
		for len(answers) < len(list) {
			a := list[len(answers)]
			if answers = append(answers, a); enough != nil && enough(a) {
				return answers, nil
			}
		}
		if open == 0 {
			return answers, nil
		}
		if ctx.Err() != nil {
			return answers, broadcasting.ErrUnanswered
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
		}
	}
}

// answered takes the answer of another node.
func (c *control) answered(node string, id uint64, a broadcasting.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.surveys[id]; s != nil && !s.early[node] {
		s.answers = append(s.answers, a)
		s.close(node)
	}
}

// left ends the waiting for a node that has left the cluster: it has ended, or finds that it
// was cut off.
func (c *control) left(node string, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.surveys {
		if !ended && !s.early[node] {
			s.lost[node] = true
		}
		s.close(node)
	}
	for of, cancel := range c.handling {
		if of.node == node {
			cancel()
		}
	}
}

// close no longer waits for a node; needs control.mu.
func (s *survey) close(node string) {
	s.early[node] = true
	delete(s.open, node)
	select {
	case s.changed <- struct{}{}:
	default: // it will look anyway
	}
}

// orderTime limits an order that has no end.
const orderTime = time.Minute

// unsure has the sockets of this node disconnected, because another node gave an order that
// may not have arrived.
func (c *control) unsure(ctx context.Context, m Message, own bool) {
	if own {
		c.compare(ctx, m.Before)
	}
	n := c.node
	n.mu.Lock()
	n.orders = max(n.orders, m.Number)
	n.mu.Unlock()
	if !own {
		n.cutOffNow(ctx, "an order may not have arrived")
	}
}

// heard has an order of another node carried out. Those of this node are only counted.
func (c *control) heard(ctx context.Context, from string, m Message, own bool) {
	n := c.node
	c.compare(ctx, m.Before)
	n.mu.Lock()
	n.orders = max(n.orders, m.Number)
	n.mu.Unlock()
	if own {
		return
	}
	left := orderTime
	if m.Until != 0 {
		left = min(left, time.UnixMicro(m.Until).Sub(n.now()))
	}
	if left <= 0 { // this node was held up, and the other one counts it as missing
		if m.Number != 0 {
			n.cutOffNow(ctx, "an order came too late")
		}
		return
	}
	of := handled{from, m.ID}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), left)
	c.mu.Lock()
	if c.ended || c.handle == nil {
		c.mu.Unlock()
		cancel()
		return
	}
	c.handling[of] = cancel
	c.handlers.Add(1)
	c.mu.Unlock()
	go func() {
		defer c.handlers.Done()
		answer := c.handle(ctx, *m.Order)
		c.mu.Lock()
		delete(c.handling, of)
		c.mu.Unlock()
		cancel()
		n.post(Message{Kind: KindAnswer, To: from, ID: m.ID, Answer: &answer})
	}()
}

// compare has the sockets of this node disconnected when it has not heard an order that
// others have.
func (c *control) compare(ctx context.Context, number int64) {
	n := c.node
	n.mu.Lock()
	missed := number > n.orders
	n.orders = max(n.orders, number)
	n.mu.Unlock()
	if missed {
		n.cutOffNow(ctx, "an order did not arrive")
	}
}

// cancel ends the context of an order whose answer nobody waits for.
func (c *control) cancel(node string, id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.handling[handled{node, id}]; cancel != nil {
		cancel()
	}
}
