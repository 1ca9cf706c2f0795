package history

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// Event is a kept event.
type Event struct {
	broadcasting.Event
	At time.Time // when it was added
}

// Store keeps the events of all apps. It is safe for concurrent use.
type Store interface {
	// Append gives the events the next numbers, in order and without a gap, and commits them
	// all or none.
	// Whoever can read a number can read all lower ones that are kept.
	Append(ctx context.Context, list []broadcasting.KeptEvent) error
	// Last returns the last number that was given.
	Last(ctx context.Context) (int64, error)
	// After lists at most limit events of all apps with numbers above seq, in order. more
	// reports whether there may be more.
	After(ctx context.Context, seq int64, limit int) (list []Event, more bool, err error)
	// Since is broadcasting.History's, of a channel of an app. The position before the first
	// kept event is 0.
	Since(ctx context.Context, app, channel string, seq int64, limit int) (broadcasting.Missed, error)
	// RemoveExpired removes at most limit events with numbers up to a last one that were kept
	// long enough, and returns how many.
	RemoveExpired(ctx context.Context, last int64, limit int) (int, error)
	// Bytes returns how much is kept of each app.
	Bytes(ctx context.Context) (map[string]int64, error)
	// RemoveExcess removes the oldest events of an app with numbers up to a last one, at most
	// limit, until at most the given bytes are kept. It returns how many it removed.
	RemoveExcess(ctx context.Context, app string, most, last int64, limit int) (int, error)
}

// Engine is what a Keeper needs of the engine.
type Engine interface {
	Publish(ctx context.Context, ev broadcasting.Event) error
	Deliver(ev broadcasting.Event)
	Kept(n int)
	Reread()
}

var _ Engine = (*broadcasting.Engine)(nil)

// Options are the options of a Keeper.
type Options struct {
	Store  Store
	Engine Engine
	Log    *slog.Logger
	// MaxBytes returns how much may be kept of an app.
	MaxBytes func(app string) int64
	Poll     time.Duration // how often a node looks without being woken; 0 is 5 s
	Sweep    time.Duration // how often the sweep looks; 0 is 10 s
}

const (
	tailPage   = 500 // events of one read
	sweepBatch = 500 // events that are removed in one transaction

	backoffFirst = 100 * time.Millisecond
	backoffMost  = 5 * time.Second
)

// Keeper keeps events and brings them to this node's subscribers. It is safe for concurrent
// use.
type Keeper struct {
	// static
	opt  Options
	wake chan struct{} // holds one: "look again"

	told atomic.Int64 // the last number that this node's subscribers have got

	mu sync.Mutex
	// guarded by mu
	waiting    []*commit      // not committed yet, in order
	events     int            // of waiting
	bytes      int            // of waiting
	ofApp      map[string]int // bytes of waiting, by app
	committing bool           // a goroutine commits them
}

// New returns a Keeper that begins after the last event that the store has now. It must be
// called before the first socket connects.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Poll <= 0 {
		o.Poll = 5 * time.Second
	}
	if o.Sweep <= 0 {
		o.Sweep = 10 * time.Second
	}
	last, err := o.Store.Last(ctx)
	k := &Keeper{opt: o, wake: make(chan struct{}, 1), ofApp: map[string]int{}}
	k.told.Store(last)
	return k, err
}

// Wake tells the keeper that events were added, by any node. It never blocks.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Position returns a number up to which this node's subscribers have got all events.
func (k *Keeper) Position() int64 { return k.told.Load() }

// Of returns the history of an app.
func (k *Keeper) Of(app string) broadcasting.History { return view{k.opt.Store, app} }

// view is the history of one app. All who may enter a channel may read what is kept of it.
type view struct {
	store Store
	app   string
}

func (view) View(context.Context, string, string) (string, error) { return "", nil }

func (v view) Since(ctx context.Context, channel, _ string, seq int64, limit int) (broadcasting.Missed, error) {
	return v.store.Since(ctx, v.app, channel, seq, limit)
}

// Run brings events to subscribers, and removes old ones, until ctx ends. It returns nil:
// failures are logged and tried again.
func (k *Keeper) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { k.tail(ctx); return nil })
	group.Go(func() error { k.sweep(ctx); return nil })
	return group.Wait()
}

// tail tells this node's subscribers what the store has.
func (k *Keeper) tail(ctx context.Context) {
	poll := time.NewTicker(k.opt.Poll)
	defer poll.Stop()
	wait := backoffFirst
	for ctx.Err() == nil {
		more, err := k.tell(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			k.opt.Log.WarnContext(ctx, "the history could not be read, trying again", "error", err)
			sleep(ctx, wait)
			wait = min(2*wait, backoffMost)
			continue
		case more:
			continue
		}
		wait = backoffFirst
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-poll.C:
		}
	}
}

// tell reads one page and tells it.
func (k *Keeper) tell(ctx context.Context) (more bool, err error) {
	list, more, err := k.opt.Store.After(ctx, k.told.Load(), tailPage)
	for _, e := range list {
		if e.Seq != k.told.Load()+1 {
			k.opt.Log.ErrorContext(ctx, "events were removed from the history before they were delivered here; those who resume are told",
				"after", k.told.Load(), "before", e.Seq)
			k.opt.Engine.Reread()
		}
		if name, parseErr := channels.Parse(e.Channel); parseErr != nil || !name.Cache { // see Keep
			e.Published = e.At.UnixMicro()
			k.opt.Engine.Deliver(e.Event)
		}
		k.told.Store(e.Seq)
	}
	return more, err
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
