package broadcasting

import (
	"container/list"
	"strings"
	"sync"
	"time"

	"chatcast/channels"
)

// Defaults of the cache.
const (
	defaultCacheTTL   = 30 * time.Minute
	defaultCacheBytes = 64 << 20

	// cachedOverhead is about what a cached event takes besides its strings.
	cachedOverhead = 256
)

// cache is the last event of each cache channel, for who comes later. It outlives
// the channel's subscribers. What is older than ttl is gone, and the oldest goes
// when all together would be over limit bytes.
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

// Cached is the data of a cache channel's last event and how much longer it is
// kept; ok is false when there is none.
func (e *Engine) Cached(app, channel string) (data string, ttl time.Duration, ok bool) {
	now := time.Now()
	ev, until := e.cache.get(key{app, channel}, now)
	if ev == nil {
		return "", 0, false
	}
	return ev.Data, until.Sub(now), true
}

// deliverCached is deliver for an event that is kept. The channel is there while it
// is kept and told, with subscribers or without: so who subscribes meanwhile is
// either told it or finds it, and never both.
func (e *Engine) deliverCached(ev *Event, name channels.Name) {
	except := e.exception(ev)
	ch := e.hub.enter(key{ev.App, ev.Channel}, name)
	e.cache.put(ev, time.Now())
	ch.missed = false
	n := ch.tell(ev, except)
	e.hub.unlock(ch)
	e.delivered.Add(uint64(n))
}

// greet gives a socket that has come to a cache channel the last event, or says
// that there is none; needs s.ch.mu.
func (e *Engine) greet(s *subscription) {
	ch, peer := s.ch, &s.conn.peer
	if ev, _ := e.cache.get(ch.key, time.Now()); ev != nil {
		peer.Out.Queue(peer.Dialect.Event(ev))
		e.delivered.Add(1)
		return
	}
	peer.Out.Queue(peer.Dialect.CacheMissed(ch.key.name))
	if !ch.missed {
		ch.missed = true
		e.record(ch, ChannelEvent{Kind: CacheMissed})
	}
}
