package crmtest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"chatcast/crm"
	"chatcast/crm/bridge"
)

// Connector is a messenger whose lines have an account of their own. It does nothing
// by itself: a test reads the calls of the rules and sets the answers. Lines that were
// never paired are bridges. Safe for concurrent use.
type Connector struct {
	Sessions interface { // the world's rules
		SessionOf(ctx context.Context, on crm.Line) (*crm.LineSession, error)
	}

	mu      sync.Mutex
	ids     int         // guarded by mu
	queued  []crm.Line  // guarded by mu
	typed   []string    // guarded by mu
	pairing crm.Pairing // guarded by mu
	fault   error       // guarded by mu; of Pair and Logout
}

var _ crm.Queued = (*Connector)(nil)

// Connect assigns the world's lines of the type to a new Connector, and returns it.
func (w *World) Connect(messenger string) *Connector {
	p := &Connector{Sessions: w.Service}
	w.Messengers[messenger] = p
	return p
}

// Status implements crm.Messenger.
func (p *Connector) Status(ctx context.Context, l crm.Line) (crm.LineStatus, error) {
	x, err := p.Sessions.SessionOf(ctx, l)
	if err != nil {
		return crm.LineStatus{}, err
	}
	return p.StatusOf(ctx, l, x)
}

// StatusOf implements crm.OfSession.
func (p *Connector) StatusOf(ctx context.Context, l crm.Line, x *crm.LineSession) (crm.LineStatus, error) {
	if x == nil || !x.Paired && x.State == crm.StateDisconnected {
		return bridge.Messenger{}.Status(ctx, l)
	}
	return x.Status("connector"), nil
}

// Configure implements crm.Configured.
func (p *Connector) Configure(crm.Line) {}

// MessageID implements crm.Messenger.
func (p *Connector) MessageID(crm.Line) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids++
	return fmt.Sprintf("3EB0PLUG%04d", p.ids)
}

// Typing implements crm.Messenger.
func (p *Connector) Typing(_ context.Context, _ crm.Line, chat, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.typed = append(p.typed, chat)
	return nil
}

// Typed returns the chats in which typing was shown.
func (p *Connector) Typed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.typed)
}

// Pair implements crm.Messenger.
func (p *Connector) Pair(context.Context, crm.Line, string) (crm.Pairing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pairing, p.fault
}

// Logout implements crm.Messenger.
func (p *Connector) Logout(context.Context, crm.Line) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// Queue implements crm.Queued.
func (p *Connector) Queue(l crm.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queued = append(p.queued, l)
}

// Answer sets the results of later calls of Pair and Logout.
func (p *Connector) Answer(pairing crm.Pairing, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pairing, p.fault = pairing, err
}

// Queued returns the lines given to Queue.
func (p *Connector) Queued() []crm.Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.queued)
}
