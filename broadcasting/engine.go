package broadcasting

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/channels"
)

// ErrTaken is what Connect returns when the socket's id is in use.
var ErrTaken = errors.New("broadcasting: a socket of this id is connected")

// Options of an Engine.
type Options struct {
	Bus Bus // nil: Memory

	CacheTTL   time.Duration // how long the last event of a cache channel is kept; 0: 30 minutes
	CacheBytes int           // of all those events together; 0: 64 MiB
}

// Engine is the subscriptions of this node and the way of events to them. Safe
// for concurrent use.
type Engine struct {
	// static
	bus      Bus
	hub      *hub
	cache    *cache
	signedIn signedInUsers
	watch    Watcher          // set before the first socket; nil: nobody watches
	sink     ChannelEventSink // set before the first socket; nil: nobody records
	counts   counts

	published atomic.Uint64
	delivered atomic.Uint64

	connsMu   sync.RWMutex
	conns     map[key]*Conn // by app and socket id; guarded by connsMu
	mostConns int           // see drop; guarded by connsMu

	usersMu   sync.Mutex
	users     map[string]map[*Conn]struct{} // whose sockets we know; guarded by usersMu
	mostUsers int                           // see drop; guarded by usersMu
}

// NewEngine returns an engine over o.Bus, attached to it.
func NewEngine(o Options) *Engine {
	e := &Engine{
		bus: o.Bus, hub: newHub(), cache: newCache(o.CacheTTL, o.CacheBytes), signedIn: signedInUsers{known: map[key]*person{}},
		conns: map[key]*Conn{}, users: map[string]map[*Conn]struct{}{},
	}
	if e.bus == nil {
		e.bus = &Memory{}
	}
	e.bus.Attach(e.deliver)
	return e
}

// Watch sets who is told of users that enter and leave channels. It must be called
// before the first socket connects.
func (e *Engine) Watch(w Watcher) { e.watch = w }

// Run works until ctx ends: the bus, and the rounds in which crowded channels are
// counted and the cache loses what is too old.
func (e *Engine) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- e.bus.Run(ctx) }()
	round := time.NewTicker(countRound)
	defer round.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case now := <-round.C:
			e.countRound()
			e.cache.sweep(now)
		}
	}
}

// Publish brings ev to every subscriber of its channel, on every node. It does
// not wait for any socket.
func (e *Engine) Publish(ctx context.Context, ev Event) error {
	e.published.Add(1)
	return e.bus.Publish(ctx, &ev)
}

// deliver gives ev to this node's subscribers.
func (e *Engine) deliver(ev *Event) {
	ch := e.hub.find(key{ev.App, ev.Channel})
	if !ev.Object && (ch == nil && channels.HasCache(ev.Channel) || ch != nil && ch.cache) {
		if name, err := channels.Parse(ev.Channel); err == nil {
			e.deliverCached(ev, name)
			return
		}
	}
	if ch == nil {
		return
	}
	except := e.exception(ev)
	ch.mu.Lock()
	n := ch.tell(ev, except)
	ch.mu.Unlock()
	e.delivered.Add(uint64(n))
}

// exception is the subscription that must not get ev, nil when there is none.
func (e *Engine) exception(ev *Event) *subscription {
	if ev.Except == "" {
		return nil
	}
	c := e.conn(ev.App, ev.Except)
	if c == nil {
		return nil
	}
	return c.subscription(ev.Channel)
}

func (e *Engine) conn(app, id string) *Conn {
	e.connsMu.RLock()
	defer e.connsMu.RUnlock()
	return e.conns[key{app, id}]
}

// Connect registers a socket. The caller must Close the Conn when the socket ends.
func (e *Engine) Connect(p Peer) (*Conn, error) {
	c := &Conn{engine: e, peer: p}
	k := key{p.App, p.ID}
	e.connsMu.Lock()
	defer e.connsMu.Unlock()
	if e.conns[k] != nil {
		return nil, ErrTaken
	}
	e.conns[k] = c
	return c, nil
}

// Grant says that the user was allowed to enter channel on the socket, so that we
// know whose the subscription will be, and lifts what Evict did to this socket and
// channel. It is false when the socket is not here.
//
// Who grants should ask for the permission once more afterwards and Evict when it
// is gone: an Evict that came just before the Grant is undone by it.
func (e *Engine) Grant(app, socketID, channel, userID string) bool {
	c := e.conn(app, socketID)
	return c != nil && c.grant(channel, userID)
}

// Evict ends the user's subscriptions to the channels, on every socket of theirs,
// at once: each socket is told, and cannot come back with the signature it has.
func (e *Engine) Evict(userID string, channels ...string) {
	for _, c := range e.socketsOf(userID) {
		for _, name := range channels {
			c.evict(name, userID)
		}
	}
}

// Identify says that the socket is the user's without a word about channels, so
// that Disconnect closes it. It is false when the socket is not here.
func (e *Engine) Identify(app, socketID, userID string) bool {
	c := e.conn(app, socketID)
	return c != nil && c.identify(userID)
}

// Disconnect closes every socket of the user.
func (e *Engine) Disconnect(userID string) {
	for _, c := range e.socketsOf(userID) {
		c.peer.Expel()
	}
}

// Forget ends everything of an app that is gone: its sockets leave their channels
// and are nobody's any more, and its cache channels have no event. Whoever is left in
// its channels hears of that as of any leaving. Closing the sockets is the caller's.
func (e *Engine) Forget(app string) {
	e.connsMu.RLock()
	var list []*Conn
	for k, c := range e.conns {
		if k.app == app {
			list = append(list, c)
		}
	}
	e.connsMu.RUnlock()
	for _, c := range list {
		c.Close()
	}
	e.cache.forget(app)
}

func (e *Engine) socketsOf(userID string) []*Conn {
	e.usersMu.Lock()
	defer e.usersMu.Unlock()
	list := make([]*Conn, 0, len(e.users[userID]))
	for c := range e.users[userID] {
		list = append(list, c)
	}
	return list
}

func (e *Engine) index(userID string, c *Conn) {
	e.usersMu.Lock()
	defer e.usersMu.Unlock()
	set := e.users[userID]
	if set == nil {
		set = map[*Conn]struct{}{}
		e.users[userID] = set
	}
	set[c] = struct{}{}
}

func (e *Engine) unindex(userID string, c *Conn) {
	e.usersMu.Lock()
	defer e.usersMu.Unlock()
	delete(e.users[userID], c)
	if len(e.users[userID]) == 0 {
		drop(&e.users, &e.mostUsers, userID)
	}
}

// Count is how many sockets are subscribed to a channel now and, on a presence
// channel, how many different users that is.
func (e *Engine) Count(_ context.Context, app, channel string) (subscriptions, users int, err error) {
	ch := e.hub.find(key{app, channel})
	if ch == nil {
		return 0, 0, nil
	}
	o := ch.occupancy()
	return o.Subscriptions, o.Users, nil
}

// Stats are the counters of an Engine.
type Stats struct {
	Published uint64 // events given to Publish on this node
	Delivered uint64 // frames of events queued for sockets of this node
	Channels  int    // with subscribers here, now
	Sockets   int    // here, now
	Users     int    // known to have sockets here, now
	Cached    int    // events of cache channels that are kept, now
}

// Stats returns the counters now.
func (e *Engine) Stats() Stats {
	st := Stats{Published: e.published.Load(), Delivered: e.delivered.Load(), Channels: e.hub.count(), Cached: e.cache.count()}
	e.connsMu.RLock()
	st.Sockets = len(e.conns)
	e.connsMu.RUnlock()
	e.usersMu.Lock()
	st.Users = len(e.users)
	e.usersMu.Unlock()
	return st
}
