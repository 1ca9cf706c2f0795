package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
)

// hall is a place in memory where nodes meet. It keeps the rules of a transport, by the clock
// of a synctest bubble, and fails when a test says so.
type hall struct {
	mu sync.Mutex
	// guarded by mu
	leases map[string]time.Time
	orders int64
	ears   map[*ear]bool
	said   []cluster.Heard
	drop   cluster.Kind // what nobody hears
}

// door is the transport of one node.
type door struct {
	*hall
	lease time.Duration // of the node; 0: that of a Node

	mu sync.Mutex
	// guarded by mu
	away   error // nothing passes
	refuse func(out *cluster.Outgoing) error
	slow   time.Duration // how long Send takes
	stale  error         // Renew fails
}

// ear is a cluster.Link.
type ear struct {
	of   *door
	more chan struct{} // holds one

	heard  []cluster.Heard // guarded by hall.mu
	broken error           // guarded by hall.mu
}

var errCut = errors.New("cut")

func newHall() *hall { return &hall{leases: map[string]time.Time{}, ears: map[*ear]bool{}} }

// meet starts nodes in a new hall.
func meet(t *testing.T, count int) (h *hall, doors []*door, nodes []*clustertest.Node) {
	t.Helper()
	h = newHall()
	for range count {
		d := &door{hall: h}
		n := enter(t, d)
		doors, nodes = append(doors, d), append(nodes, n)
	}
	for _, n := range nodes {
		n.Complete(t, true)
	}
	return h, doors, nodes
}

func enter(t *testing.T, d *door) *clustertest.Node { return clustertest.Start(t, open(t, d)) }

func open(t *testing.T, d *door) *cluster.Node {
	t.Helper()
	node, err := cluster.Open(t.Context(), cluster.Options{
		Log: slog.New(slog.DiscardHandler), Limits: cluster.NewCacheLimits(0, 0), Lease: d.lease,
	}, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	return node
}

// cut ends the connection of the node and lets none in until it is healed with nil.
func (d *door) cut(err error) {
	d.mu.Lock()
	d.away = err
	d.mu.Unlock()
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	for e := range d.ears {
		if e.of == d && err != nil {
			e.breakOff(err)
		}
	}
}

// set changes the door.
func (d *door) set(change func(d *door)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *door) passes() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.away
}

// count returns how many messages were sent of a kind.
func (h *hall) count(kind cluster.Kind) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.said {
		if m.Kind == kind {
			n++
		}
	}
	return n
}

// breakOff needs hall.mu.
func (e *ear) breakOff(err error) {
	delete(e.of.ears, e)
	e.broken = err
	e.wake()
}

func (e *ear) wake() {
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// say needs mu.
func (h *hall) say(from string, list ...cluster.Message) {
	for _, m := range list {
		h.said = append(h.said, cluster.Heard{From: from, Message: m})
		for e := range h.ears {
			if m.Kind == h.drop {
				continue
			}
			e.heard = append(e.heard, cluster.Heard{From: from, Message: m})
			e.wake()
		}
	}
}

// members needs mu.
func (h *hall) members(id string) cluster.Members {
	m := cluster.Members{Now: time.Now(), Orders: h.orders}
	for node := range h.leases {
		if node != id {
			m.Others = append(m.Others, node)
		}
	}
	return m
}

func (d *door) Listen(context.Context) (cluster.Link, error) {
	if err := d.passes(); err != nil {
		return nil, err
	}
	e := &ear{of: d, more: make(chan struct{}, 1)}
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	d.ears[e] = true
	return e, nil
}

func (e *ear) Close() {
	e.of.hall.mu.Lock()
	defer e.of.hall.mu.Unlock()
	delete(e.of.ears, e)
}

func (e *ear) Receive(ctx context.Context) ([]cluster.Heard, error) {
	for {
		e.of.hall.mu.Lock()
		list, err := e.heard, e.broken
		e.heard = nil
		e.of.hall.mu.Unlock()
		if err != nil || len(list) > 0 {
			return list, err
		}
		select {
		case <-e.more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (d *door) Join(_ context.Context, _ cluster.Link, j cluster.Joining, list []cluster.Message) (m cluster.Members, err error) {
	if err := d.passes(); err != nil {
		return m, err
	}
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	delete(d.leases, j.Before)
	d.leases[j.ID] = time.Now().Add(j.Lease)
	d.say(j.ID, list...)
	return d.members(j.ID), nil
}

func (d *door) Renew(_ context.Context, r cluster.Renewal) (m cluster.Members, dead []string, err error) {
	d.mu.Lock()
	stale := d.stale
	d.mu.Unlock()
	if err := errors.Join(stale, d.passes()); err != nil {
		return m, nil, err
	}
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	if _, ok := d.leases[r.ID]; !ok {
		return m, nil, cluster.ErrBuried
	}
	d.leases[r.ID] = time.Now().Add(r.Lease)
	for node, ends := range d.leases {
		if r.Bury && ends.Before(time.Now()) {
			delete(d.leases, node)
			dead = append(dead, node)
			d.say(r.ID, cluster.Message{Kind: cluster.KindDead, Node: node})
		}
	}
	d.say(r.ID, r.Probe)
	return d.members(r.ID), dead, nil
}

func (d *door) Send(ctx context.Context, id string, batch []*cluster.Outgoing) error {
	d.mu.Lock()
	refuse, slow := d.refuse, d.slow
	d.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := d.passes(); err != nil {
		return err
	}
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	for _, out := range batch {
		if refuse != nil {
			if out.Err = refuse(out); out.Err != nil {
				continue
			}
		}
		if out.TakesAway() {
			d.orders++
			out.Number = d.orders
		}
		out.Nodes = d.members(id).Others
		d.say(id, out.Message)
	}
	return nil
}

func (d *door) Leave(_ context.Context, id string) error {
	if err := d.passes(); err != nil {
		return err
	}
	d.hall.mu.Lock()
	defer d.hall.mu.Unlock()
	delete(d.leases, id)
	d.say(id, cluster.Message{Kind: cluster.KindBye})
	return nil
}

func (d *door) Last(context.Context, string, string) (last broadcasting.LastEvent, err error) {
	return last, d.passes()
}
func (d *door) RemoveApp(context.Context, string) error { return d.passes() }
func (d *door) Sweep(context.Context) error             { return d.passes() }
func (d *door) Interest(string, string, bool)           {}
func (d *door) Close()                                  {}
