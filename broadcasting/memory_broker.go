package broadcasting

import (
	"context"
	"hash/maphash"
	"time"
)

// memoryBroker is the Broker of one node of a Memory. It delivers at once, in the
// publisher's goroutine.
type memoryBroker struct {
	cluster *Memory
	deliver func(ev Event, version uint64)
}

var (
	_ Broker = (*memoryBroker)(nil)

	orderSeed = maphash.MakeSeed()
)

// Attach implements Broker.
func (b *memoryBroker) Attach(deliver func(ev Event, version uint64)) {
	b.deliver = deliver
	m := b.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	list := append(without(*m.brokers.Load(), b), b)
	m.brokers.Store(&list)
}

// Run implements Broker. It also removes expired events from the cache.
func (b *memoryBroker) Run(ctx context.Context) error {
	defer b.detach()
	round := time.NewTicker(countRound)
	defer round.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-round.C:
			b.cluster.cache.sweep(now)
		}
	}
}

// detach removes the node. The last node stays and can still publish.
func (b *memoryBroker) detach() {
	m := b.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	if list := without(*m.brokers.Load(), b); len(list) > 0 {
		m.brokers.Store(&list)
	}
}

// Publish implements Broker. When it returns, the event is queued for every
// subscriber of every node.
func (b *memoryBroker) Publish(_ context.Context, ev Event) error {
	m, version := b.cluster, uint64(0)
	if ev.Kept() {
		order := &m.order[maphash.Comparable(orderSeed, key{ev.App, ev.Channel})%uint64(len(m.order))]
		order.Lock()
		defer order.Unlock()
		version = m.versions.Add(1)
		m.cache.put(ev, version, time.Now())
	}
	for _, node := range *m.brokers.Load() {
		node.deliver(ev, version)
	}
	return nil
}

// Last implements Broker.
func (b *memoryBroker) Last(_ context.Context, app, channel string) (LastEvent, error) {
	return b.cluster.cache.get(key{app, channel}, time.Now()), nil
}

// Interest implements Broker; every node gets everything.
func (b *memoryBroker) Interest(string, string, bool) {}

// RemoveApp implements Broker.
func (b *memoryBroker) RemoveApp(_ context.Context, app string) error {
	b.cluster.cache.forget(app)
	return nil
}

// cached is how many events are kept, for Stats.
func (b *memoryBroker) cached() int { return b.cluster.cache.count() }
