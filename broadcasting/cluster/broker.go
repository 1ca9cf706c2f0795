package cluster

import (
	"context"

	"chatcast/broadcasting"
)

// broker implements broadcasting.Broker.
type broker struct {
	node    *Node
	deliver func(ev broadcasting.Event, version uint64)
}

var _ broadcasting.Broker = (*broker)(nil)

// Attach implements broadcasting.Broker.
func (b *broker) Attach(deliver func(ev broadcasting.Event, version uint64)) { b.deliver = deliver }

// Run implements broadcasting.Broker.
func (b *broker) Run(ctx context.Context) error { return b.node.run(ctx) }

// Publish implements broadcasting.Broker. When it returns nil, the event is sent.
func (b *broker) Publish(ctx context.Context, ev broadcasting.Event) error {
	out := newOutgoing(Message{Kind: KindEvent, Event: wireEvent(ev)})
	out.Kept = ev.Kept()
	return b.node.send(ctx, out)
}

// give delivers an event that was heard.
func (b *broker) give(m Message) {
	if b.deliver != nil {
		b.deliver(m.Event.Engine(), m.Version)
	}
}

// Last implements broadcasting.Broker.
func (b *broker) Last(ctx context.Context, app, channel string) (broadcasting.LastEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return b.node.t.Last(ctx, app, channel)
}

// Interest implements broadcasting.Broker.
func (b *broker) Interest(app, channel string, interested bool) {
	b.node.t.Interest(app, channel, interested)
}

// RemoveApp implements broadcasting.Broker.
func (b *broker) RemoveApp(ctx context.Context, app string) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return b.node.t.RemoveApp(ctx, app)
}
