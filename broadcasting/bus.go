package broadcasting

import "context"

// Bus brings events to every node.
type Bus interface {
	// Attach is called once, before anything else. deliver gives an event to this
	// node's subscribers; it does not block and keeps the event only during the call.
	Attach(deliver func(*Event))
	// Publish brings ev to every node, this one included. Events that one caller
	// publishes one after the other arrive in that order.
	Publish(ctx context.Context, ev *Event) error
	// Run works until ctx ends.
	Run(ctx context.Context) error
}

// Memory is the bus of a single node: it delivers at once.
type Memory struct{ deliver func(*Event) }

var _ Bus = (*Memory)(nil)

// Attach implements Bus.
func (m *Memory) Attach(deliver func(*Event)) { m.deliver = deliver }

// Publish implements Bus; when it returns the event is queued for every subscriber.
func (m *Memory) Publish(_ context.Context, ev *Event) error {
	m.deliver(ev)
	return nil
}

// Run implements Bus.
func (m *Memory) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
