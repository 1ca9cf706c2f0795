package broadcasting

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MemoryOptions are the limits of a Memory.
type MemoryOptions struct {
	CacheTTL   time.Duration // how long the last event of a cache channel is kept; 0: 30 minutes
	CacheBytes int           // limit for all those events together; 0: 64 MiB
}

// Memory connects the engines of one process, which are its nodes; usually there is
// one. Each engine needs a Broker, a Presence and a Control of its own. All nodes must
// be attached before the first socket connects.
type Memory struct {
	cache    *cache
	versions atomic.Uint64  // of kept events
	order    [64]sync.Mutex // locks the order of a channel's kept events; see memoryBroker.Publish

	// The nodes: read for each event and each change, written under mu.
	brokers   atomic.Pointer[[]*memoryBroker]
	presences atomic.Pointer[[]*memoryPresence]

	mu sync.Mutex
	// guarded by mu
	controls []*memoryControl
	nodes    int // how many presences were attached, for their names
}

// NewMemory returns a Memory without nodes.
func NewMemory(o MemoryOptions) *Memory {
	m := &Memory{cache: newCache(o.CacheTTL, o.CacheBytes)}
	m.brokers.Store(new([]*memoryBroker))
	m.presences.Store(new([]*memoryPresence))
	return m
}

// SetCacheLimits replaces the limits of the cached events. A new ttl is for events that
// are published later.
func (m *Memory) SetCacheLimits(ttl time.Duration, bytes int) {
	m.cache.setLimits(ttl, bytes, time.Now())
}

// Broker returns the broker of a node.
func (m *Memory) Broker() Broker { return &memoryBroker{cluster: m} }

// Presence returns the presence of a node.
func (m *Memory) Presence() Presence {
	return &memoryPresence{cluster: m, view: NewPresenceView(), wake: make(chan struct{}, 1)}
}

// Control returns the control of a node.
func (m *Memory) Control() Control { return &memoryControl{cluster: m} }

// without returns a copy of list without one.
func without[T comparable](list []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == one })
}
