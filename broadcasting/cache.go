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

	// cachedOverhead is about what a cached event takes besides its strings.
	cachedOverhead = 256
)

// cache holds the last event of each cache channel. It outlives the channel's
// subscribers. Events expire after ttl, and the oldest ones go when all together
// would take more than limit bytes.
type cache struct {
	ttl   time.Duration
	limit int

	mu sync.Mutex
	// guarded by mu
	last  map[key]*list.Element
	most  int        // see drop
	order *list.List // of *cached; the oldest is in front
	bytes int
}

type cached struct {
	ev    Event
	until time.Time
	bytes int
}

func newCache(ttl time.Duration, limit int) *cache {
	if ttl <= 0 {
		ttl = defaultCacheTTL
	}
	if limit <= 0 {
		limit = defaultCacheBytes
	}
	return &cache{ttl: ttl, limit: limit, last: map[key]*list.Element{}, order: list.New()}
}

// put keeps a copy of ev as its channel's last event. One that alone is over the
// limit is not kept, and neither is the one before it: it would be a lie.
func (c *cache) put(ev *Event, now time.Time) {
	kept := &cached{ev: *ev, until: now.Add(c.ttl), bytes: cachedOverhead + len(ev.App) + len(ev.Channel) + len(ev.Name) + len(ev.Data)}
	// Strings may be parts of larger ones, which must not live as long.
	kept.ev.Channel, kept.ev.Name, kept.ev.Data = strings.Clone(ev.Channel), strings.Clone(ev.Name), strings.Clone(ev.Data)
	kept.ev.Except = ""
	k := key{ev.App, kept.ev.Channel}
	c.mu.Lock()
	defer c.mu.Unlock()
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

// trim drops what is too old or too much; needs mu.
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

// get returns a channel's last event, nil when it has none, and until when it is
// kept. The event must not be changed.
func (c *cache) get(k key, now time.Time) (ev *Event, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.last[k]
	if e == nil {
		return nil, time.Time{}
	}
	kept := e.Value.(*cached)
	if !now.Before(kept.until) {
		return nil, time.Time{}
	}
	return &kept.ev, kept.until
}

// sweep drops what is too old.
func (c *cache) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trim(now)
}

// forget drops everything of an app.
func (c *cache) forget(app string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.last {
		if k.app == app {
			c.drop(e)
		}
	}
}

// count is how many events are kept.
func (c *cache) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.last)
}
