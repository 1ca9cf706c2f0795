package broadcasting

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// ErrTaken is returned by Connect when the socket's id is in use.
var ErrTaken = errors.New("broadcasting: a socket of this id is connected")

// Options are the seams between the nodes. With the zero value, the engine is the only
// node.
type Options struct {
	Broker   Broker   // nil: that of a Memory with one node
	Presence Presence // the same
	Control  Control  // the same
	Queued   Observer // of the time from Publish until an event is queued for this node's subscribers; nil: none
}

// Engine holds the subscriptions of this node and brings events to them. It is safe for
// concurrent use.
type Engine struct {
	// static
	broker      Broker
	presence    Presence
	control     Control
	hub         *hub
	signedIn    signedInUsers
	watch       Watcher                    // set before the first socket; may be nil
	sink        ChannelEventSink           // set before the first socket; may be nil
	appsChanged func(ctx context.Context)  // set before Run; may be nil
	shared      func(key string, has bool) // the same
	counts      counts
	queued      Observer // may be nil
	replays     replays
	received    received

	published atomic.Uint64
	delivered atomic.Uint64

	connsMu   sync.RWMutex
	conns     map[key]*Conn // by app and socket id; guarded by connsMu
	mostConns int           // see drop; guarded by connsMu

	usersMu   sync.Mutex
	users     map[string]map[*Conn]struct{} // known sockets by user; guarded by usersMu
	mostUsers int                           // see drop; guarded by usersMu
}

// NewEngine returns an engine that is attached to the seams of o.
func NewEngine(o Options) *Engine {
	alone := NewMemory(MemoryOptions{})
	if o.Broker == nil {
		o.Broker = alone.Broker()
	}
	if o.Presence == nil {
		o.Presence = alone.Presence()
	}
	if o.Control == nil {
		o.Control = alone.Control()
	}
	e := &Engine{
		broker: o.Broker, presence: o.Presence, control: o.Control, hub: newHub(o.Broker.Interest), queued: o.Queued,
		signedIn: signedInUsers{presence: o.Presence, known: map[key]*person{}},
		replays:  replays{log: slog.New(slog.DiscardHandler), wake: make(chan struct{}, replayReaders)},
		conns:    map[key]*Conn{}, users: map[string]map[*Conn]struct{}{},
	}
	e.broker.Attach(e.deliver)
	e.presence.Attach(node{e})
	e.control.Attach(node{e}.handle)
	return e
}

// Watch sets the watcher of users that enter and leave channels. It must be called
// before the first socket connects.
func (e *Engine) Watch(w Watcher) { e.watch = w }

// OnAppsChanged sets the function that is called when another node has changed an app.
// It must be called before Run.
func (e *Engine) OnAppsChanged(f func(ctx context.Context)) { e.appsChanged = f }

// Run runs the seams, the rounds in which crowded channels are counted, and the replays,
// until ctx ends or one of the seams fails.
func (e *Engine) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.broker.Run(ctx) })
	group.Go(func() error { return e.presence.Run(ctx) })
	group.Go(func() error { return e.control.Run(ctx) })
	group.Go(func() error {
		round := time.NewTicker(countRound)
		defer round.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-round.C:
				e.countRound()
			}
		}
	})
	for range replayReaders {
		group.Go(func() error { return e.runReplays(ctx) })
	}
	return group.Wait()
}

// Publish brings ev to every subscriber of its channel, on every node. It does
// not wait for any socket.
func (e *Engine) Publish(ctx context.Context, ev Event) error {
	e.published.Add(1)
	if e.queued != nil {
		ev.Published = time.Now().UnixMicro()
	}
	return e.broker.Publish(ctx, ev)
}

// Deliver gives a numbered event to this node's subscribers. It is for a history that each
// node reads itself: events of other nodes come by it too. The events of a channel must
// come in the order of their numbers.
func (e *Engine) Deliver(ev Event) { e.deliver(ev, 0) }

// Kept counts n events that this node has added to a history, as published.
func (e *Engine) Kept(n int) { e.published.Add(uint64(n)) }

// PublishHere is Publish for this node alone. It is for the journal that every node reads by
// itself, see Tail.
func (e *Engine) PublishHere(_ context.Context, ev Event) error {
	e.published.Add(1)
	if e.queued != nil {
		ev.Published = time.Now().UnixMicro()
	}
	e.deliver(ev, 0)
	return nil
}

// deliver gives ev to this node's subscribers.
func (e *Engine) deliver(ev Event, version uint64) {
	ch := e.hub.find(key{ev.App, ev.Channel})
	if ch == nil {
		return
	}
	except := e.exception(&ev)
	ch.mu.Lock()
	if version > 0 {
		ch.missed, ch.version = false, max(ch.version, version)
	}
	n := ch.tell(ev, version, except)
	ch.mu.Unlock()
	e.delivered.Add(uint64(n))
	if n > 0 && ev.Published != 0 && e.queued != nil {
		e.queued.Observe(since(ev.Published))
	}
}

// exception returns the subscription that must not get ev, or nil when there is none.
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

// Stats are the counters of an Engine.
type Stats struct {
	Published uint64 // events given to Publish on this node
	Delivered uint64 // frames of events queued for sockets of this node
	Channels  int    // that have subscribers here, now
	Sockets   int    // here, now
	Users     int    // known to have sockets here, now
	Cached    int    // events of cache channels that a Memory keeps, now

	Resumed      uint64 // subscriptions that got from the history all that they missed
	Replayed     uint64 // events that they got from it
	ResumeFailed uint64 // how often the history could not be continued from where a socket was
}

// Stats returns the counters now.
func (e *Engine) Stats() Stats {
	st := Stats{Published: e.published.Load(), Delivered: e.delivered.Load(), Channels: e.hub.count()}
	if b, ok := e.broker.(interface{ cached() int }); ok {
		st.Cached = b.cached()
	}
	st.Resumed, st.Replayed, st.ResumeFailed = e.replays.done.Load(), e.replays.replayed.Load(), e.replays.lost.Load()
	e.connsMu.RLock()
	st.Sockets = len(e.conns)
	e.connsMu.RUnlock()
	e.usersMu.Lock()
	st.Users = len(e.users)
	e.usersMu.Unlock()
	return st
}
