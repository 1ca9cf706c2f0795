package broadcasting

import (
	"container/list"
	"strings"
	"sync"
	"time"
)

// Defaults of the cache.
const (
	defaultCacheTTL   = 30 * time.Minute
	defaultCacheBytes = 64 << 20

	// cachedOverhead is roughly the memory of a cached event besides its strings, in
	// bytes.
	cachedOverhead = 256
)

// cache holds the last event of each cache channel, even while the channel has no
// subscribers. Events expire after ttl. The oldest ones are dropped when all together
// would take more than limit bytes.
type cache struct {
	mu sync.Mutex
	// guarded by mu
	ttl   time.Duration
	limit int
	last  map[key]*list.Element
	most  int        // see drop
	order *list.List // of *cached; the oldest is in front
	bytes int
}

type cached struct {
	ev      Event
	version uint64
	until   time.Time
	bytes   int
}

func newCache(ttl time.Duration, limit int) *cache {
	c := &cache{last: map[key]*list.Element{}, order: list.New()}
	c.setLimits(ttl, limit, time.Time{})
	return c
}

// setLimits replaces the limits. A new ttl is for later events.
func (c *cache) setLimits(ttl time.Duration, limit int, now time.Time) {
	if ttl <= 0 {
		ttl = defaultCacheTTL
	}
	if limit <= 0 {
		limit = defaultCacheBytes
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ttl, c.limit = ttl, limit
	c.trim(now)
}

// put keeps a copy of ev as its channel's last event. An event that alone exceeds the
// limit is not kept, and the one before it is dropped too, because it is no longer the
// last.
func (c *cache) put(ev Event, version uint64, now time.Time) {
	kept := &cached{ev: ev, version: version, bytes: cachedOverhead + len(ev.App) + len(ev.Channel) + len(ev.Name) + len(ev.Data)}
	// Strings may be parts of larger ones, which must not be kept alive.
	kept.ev.Channel, kept.ev.Name, kept.ev.Data = strings.Clone(ev.Channel), strings.Clone(ev.Name), strings.Clone(ev.Data)
	kept.ev.Except = ""
	k := key{ev.App, kept.ev.Channel}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept.until = now.Add(c.ttl)
	if before := c.last[k]; before != nil {
		c.drop(before)
	}
	if kept.bytes > c.limit {
		return
	}
	c.last[k] = c.order.PushBack(kept)
	c.bytes += kept.bytes
	c.trim(now)
}

// trim drops expired events, and the oldest ones beyond the limit; needs mu.
func (c *cache) trim(now time.Time) {
	for e := c.order.Front(); e != nil; e = c.order.Front() {
		if c.bytes <= c.limit && now.Before(e.Value.(*cached).until) {
			return
		}
		c.drop(e)
	}
}

// drop needs mu.
func (c *cache) drop(e *list.Element) {
	gone := c.order.Remove(e).(*cached)
	drop(&c.last, &c.most, key{gone.ev.App, gone.ev.Channel})
	c.bytes -= gone.bytes
}

// get returns a channel's last event.
func (c *cache) get(k key, now time.Time) LastEvent {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.last[k]
	if e == nil {
		return LastEvent{}
	}
	kept := e.Value.(*cached)
	if !now.Before(kept.until) {
		return LastEvent{}
	}
	return LastEvent{Event: kept.ev, Version: kept.version, TTL: kept.until.Sub(now)}
}

// sweep drops expired events.
func (c *cache) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trim(now)
}

// forget drops all events of an app.
func (c *cache) forget(app string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.last {
		if k.app == app {
			c.drop(e)
		}
	}
}

// count returns how many events are kept.
func (c *cache) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.last)
}
