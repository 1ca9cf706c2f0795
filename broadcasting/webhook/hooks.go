package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
)

// The times of what is told.
const (
	DefaultGrace       = 3 * time.Second
	DefaultReturnGrace = 10 * time.Second

	batchTime = 50 * time.Millisecond
	quietTime = 10 * time.Second // between log lines about events that are dropped
	stopTime  = 5 * time.Second  // of the last commit
	// How long to wait for the store to be well again.
	storeFirst = 100 * time.Millisecond
	storeMost  = 5 * time.Second
)

// Options of Hooks.
type Options struct {
	Store Store
	Log   *slog.Logger
	Apps  []apps.App // as for Set
	// AllowPrivate lets webhooks go to addresses that are not of the public internet.
	AllowPrivate bool
	// Grace is how long a channel that was vacated, and a member who was removed, may
	// come back before anybody is told; 0 is DefaultGrace.
	Grace time.Duration
	// ReturnGrace is the same after a start, for what was there when the last process
	// ended; 0 is DefaultReturnGrace. It is longer: everybody has to connect again.
	ReturnGrace time.Duration
	// Lease is how long another process waits to deliver in place of this one after it has
	// died; 0 is DefaultLease. All processes have the same.
	Lease time.Duration
	// Alone says that no other process uses the store: what a process that died has leased
	// is taken at once.
	Alone bool
	// Transport replaces the way to the endpoints, AllowPrivate with it; nil: dial.
	Transport http.RoundTripper
}

// Hooks tells endpoints what is recorded. It works while Run does; what is recorded
// before waits for it.
type Hooks struct {
	// static
	store       Store
	owner       string // of the leases
	ttl         time.Duration
	alone       bool
	started     time.Time
	log         *slog.Logger
	returnGrace time.Duration
	client      *http.Client
	in          *intake
	notify      chan struct{} // holds one: there is something to flush

	setMu   sync.Mutex // one Set at a time
	current atomic.Pointer[settings]
	renewed atomic.Int64 // when the renewal of the leases was asked for, in nanoseconds after started

	outcomesMu sync.Mutex
	outcomes   outcomes // guarded by outcomesMu

	// owned by New, then by Run
	held      *Batch   // taken, and not committed
	holders   []*draft // of held.New
	trouble   int      // commits that failed in a row
	applied   *settings
	fullAt    time.Time // when it was last logged that events were dropped
	running   *running
	leased    map[string]int64 // the apps, and up to which id is known what other processes have queued
	elsewhere map[string]bool  // apps that another process leases
	unknown   []unknown

	storeErrors atomic.Uint64

	sendersMu sync.Mutex
	senders   map[senderKey]*sender // guarded by sendersMu; changed by those who own held
}

var _ broadcasting.ChannelEventSink = (*Hooks)(nil)

type senderKey struct{ app, endpoint string }

// New leases the apps that no other process leases, and returns Hooks with what the store
// has kept of them. ctx is for that.
func New(ctx context.Context, o Options) (*Hooks, error) {
	h := &Hooks{
		store: o.Store, owner: rand.Text(), ttl: cmp.Or(o.Lease, DefaultLease), alone: o.Alone, started: time.Now(),
		leased: map[string]int64{}, elsewhere: map[string]bool{},
		log: o.Log, returnGrace: cmp.Or(o.ReturnGrace, DefaultReturnGrace),
		in: newIntake(cmp.Or(o.Grace, DefaultGrace)), notify: make(chan struct{}, 1), senders: map[senderKey]*sender{},
	}
	h.outcomes.reset()
	h.client = &http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.Transport == nil {
		h.client.Transport = newTransport(o.AllowPrivate)
	}
	if err := h.Set(o.Apps); err != nil {
		return nil, err
	}
	h.reconcile()
	if err := h.claim(ctx, h.wanted(), true); err != nil {
		return nil, fmt.Errorf("webhook: load: %w", err)
	}
	return h, nil
}

// resume queues what was not delivered when the lease was taken.
func (h *Hooks) resume(list []Delivery, now time.Time) {
	gone := 0
	for _, d := range list {
		h.leased[d.App] = max(h.leased[d.App], d.ID)
		switch s := h.senders[senderKey{d.App, d.Endpoint}]; {
		case s != nil:
			s.resume(d, now)
		case h.running != nil: // this process may hear of the endpoint later
			h.unknown = append(h.unknown, unknown{d, now})
		default:
			gone += d.Count
			h.report(outcome{done: []Ref{{d.App, d.ID}}})
		}
	}
	h.logRemoved(gone)
}

func (h *Hooks) logRemoved(gone int) {
	if gone > 0 {
		h.log.Warn("webhooks of endpoints that are configured no more are dropped", "reason", "endpoint_removed", "events", gone)
	}
}

// Set replaces all apps and their endpoints, at any time. An error, which names the
// app and the field, changes nothing. An endpoint that has the same URL as before
// keeps what waits for it; what waits for others is dropped.
func (h *Hooks) Set(list []apps.App) error {
	s, err := newSettings(list)
	if err != nil {
		return err
	}
	h.setMu.Lock()
	defer h.setMu.Unlock()
	h.in.set(s)
	h.current.Store(&s)
	h.update(s)
	h.wake()
	return nil
}

// update gives the senders that stay what is new, so that the next POST is signed with
// the secret that the app has now. Those that come and go wait for the next flush.
func (h *Hooks) update(s settings) {
	h.sendersMu.Lock()
	defer h.sendersMu.Unlock()
	for app, list := range s {
		for _, e := range list {
			if sender := h.senders[senderKey{app, e.id}]; sender != nil {
				sender.to.Store(e)
			}
		}
	}
}

// Record implements broadcasting.Recorder.
func (h *Hooks) Record(ev broadcasting.ChannelEvent) {
	if len((*h.current.Load())[ev.App]) > 0 && h.in.record(ev, time.Now()) {
		h.wake()
	}
}

// Stopping says that sockets are about to be sent away because the process stops.
// From now on no channel's end is told, and no member's: the next process does, when
// they do not come back.
func (h *Hooks) Stopping() { h.in.freeze() }

func (h *Hooks) wake() {
	select {
	case h.notify <- struct{}{}:
	default:
	}
}

// Run tells until ctx ends, then lets the POSTs on their way finish, commits what
// there is, gives the leases back, and returns. What was not delivered is kept for
// another process, or the next start. Its error is that of the last commit. It may be
// called once.
func (h *Hooks) Run(ctx context.Context) error {
	h.in.begin(time.Now().Add(h.returnGrace))
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h.start(sending)
	h.loop(ctx)
	h.in.freeze()
	stop()
	h.running.group.Wait()
	h.client.CloseIdleConnections()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	defer func() {
		if err := h.store.Release(last, h.owner, slices.Collect(maps.Keys(h.leased))); err != nil {
			h.log.Warn("the leases of webhooks could not be given back", "error", err) // they end by themselves, later
		}
	}()
	for range 2 { // what was held, and what came behind it
		if err := h.flush(last); err != nil {
			return fmt.Errorf("webhook: what happened last is not kept: %w", err)
		}
	}
	return nil
}

// loop flushes what there is, at most once in batchTime, until ctx ends.
func (h *Hooks) loop(ctx context.Context) {
	due := time.NewTimer(0)
	defer due.Stop()
	tend := time.NewTicker(min(tendTime, h.ttl/3))
	defer tend.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tend.C:
			h.tend(ctx)
			continue
		case <-due.C:
		case <-h.notify:
			sleep(ctx, batchTime) // the first waits for what comes with it
		}
		if ctx.Err() != nil {
			return
		}
		if h.flush(ctx) != nil {
			sleep(ctx, min(storeFirst<<min(h.trouble, 10), storeMost, h.ttl/3))
			h.wake()
		}
		due.Stop()
		if next, some := h.in.next(); some {
			due.Reset(max(time.Until(next), batchTime))
		}
	}
}
