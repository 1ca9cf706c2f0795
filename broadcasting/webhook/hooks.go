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
	"chatcast/channels/webpost"
)

// Default periods and intervals.
const (
	DefaultGrace = 3 * time.Second
	// DefaultReturnGrace is longer than clients wait between two attempts to connect:
	// pusher-js, that was refused while nobody listened, waits 15, 30, then 60 s.
	DefaultReturnGrace = 90 * time.Second

	batchTime = 50 * time.Millisecond
	quietTime = 10 * time.Second // between log lines about dropped events
	stopTime  = 5 * time.Second  // for the last commit
	// How long to wait after the store has failed.
	storeFirst = 100 * time.Millisecond
	storeMost  = 5 * time.Second
)

// Hooks tells endpoints of recorded events while Run runs. Events that are recorded
// before Run wait for it.
type Hooks struct {
	// static
	store   Store
	owner   string // of the leases
	ttl     time.Duration
	alone   bool
	started time.Time
	// suspendAfter is as in Options.
	suspendAfter time.Duration
	log          *slog.Logger
	returnGrace  time.Duration
	client       *http.Client
	in           *intake
	reports      *reporter
	asked        chan struct{}   // holds one for each POST that a person asked for
	looks        chan struct{}   // holds one: "a person has resumed an endpoint"
	notify       chan struct{}   // holds one: "there is something to flush"
	stopping     context.Context // ended by Stopping
	stop         context.CancelFunc
	quiet        chan struct{} // closed when the senders have ended

	setMu   sync.Mutex // one Set at a time
	current atomic.Pointer[settings]
	renewed atomic.Int64 // when the last renewal of the leases was requested, in nanoseconds after started

	outcomesMu sync.Mutex
	outcomes   outcomes // guarded by outcomesMu

	// owned by New, then by Run
	held      *Batch   // taken from the intake, not committed
	holders   []*draft // the drafts of held.New
	trouble   int      // commits that failed in a row
	applied   *settings
	fullAt    time.Time // when it was last logged that events were dropped
	running   *running
	leased    map[string]int64 // by app: the last id up to which other processes' deliveries are known
	elsewhere map[string]bool  // apps that another process leases
	unknown   []unknown

	storeErrors atomic.Uint64

	sendersMu sync.Mutex
	senders   map[senderKey]*sender // guarded by sendersMu; changed by the owner of held
}

var _ broadcasting.ChannelEventSink = (*Hooks)(nil)

type senderKey struct{ app, endpoint string }

// New leases the apps that no other process leases, and returns Hooks with what the
// store has kept of them. ctx bounds only that.
func New(ctx context.Context, o Options) (*Hooks, error) {
	h := &Hooks{
		store: o.Store, owner: rand.Text(), ttl: cmp.Or(o.Lease, DefaultLease), alone: o.Alone, started: time.Now(),
		suspendAfter: o.SuspendAfter, reports: newReporter(), asked: make(chan struct{}, askedAtOnce), looks: make(chan struct{}, 1),
		leased: map[string]int64{}, elsewhere: map[string]bool{},
		log: o.Log, returnGrace: cmp.Or(o.ReturnGrace, DefaultReturnGrace),
		in: newIntake(cmp.Or(o.Grace, DefaultGrace)), notify: make(chan struct{}, 1), senders: map[senderKey]*sender{},
		quiet: make(chan struct{}),
	}
	h.stopping, h.stop = context.WithCancel(context.Background())
	h.outcomes.reset()
	if h.client = webpost.Client(o.Transport); o.Transport == nil {
		h.client = webpost.NewClient(postTime, o.AllowPrivate)
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
		case h.running != nil: // this process may learn of the endpoint later
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

// Set replaces all apps and their endpoints. It may be called at any time. On an error,
// which names the app and the field, it changes nothing. An endpoint with the same URL
// as before keeps its waiting deliveries; those of other endpoints are dropped.
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

// update gives the remaining senders their new settings, so that the next POST is
// signed with the app's current secret. Senders that come or go wait for the next
// flush.
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

// Record implements broadcasting.ChannelEventSink.
func (h *Hooks) Record(ev broadcasting.ChannelEvent) {
	if len((*h.current.Load())[ev.App]) > 0 && h.in.record(ev, time.Now()) {
		h.wake()
	}
}

// Stopping announces that the process stops and is about to close its sockets. From now
// on the ends of channels and members are not reported: the next process reports them
// if they do not return. No POST begins any more, so that a slow endpoint does not
// delay the next process; what is recorded is still committed.
func (h *Hooks) Stopping() {
	h.in.freeze()
	h.stop()
}

// Quiet returns when no POST is on its way any more after Stopping, or ctx ends.
func (h *Hooks) Quiet(ctx context.Context) {
	select {
	case <-h.quiet:
	case <-ctx.Done():
	}
}

func (h *Hooks) wake() {
	select {
	case h.notify <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. Then it lets the POSTs on their way finish, commits what
// is left, gives the leases back, and returns the error of the last commit. What was
// not delivered is kept for another process, or the next start. Run may be called once.
func (h *Hooks) Run(ctx context.Context) error {
	h.in.begin(time.Now().Add(h.returnGrace))
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h.start(sending)
	var reporting sync.WaitGroup
	reporting.Go(func() { h.reportAll(ctx) })
	h.loop(ctx, stop)
	<-h.quiet
	reporting.Wait()
	h.client.CloseIdleConnections()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	defer func() {
		if err := h.store.Release(last, h.owner, slices.Collect(maps.Keys(h.leased))); err != nil {
			h.log.Warn("the leases of webhooks could not be given back", "error", err) // they expire by themselves
		}
	}()
	_ = h.sendReport(last) // it logs an error
	for range 2 {          // the held batch, then what came after it
		if err := h.flush(last); err != nil {
			return fmt.Errorf("webhook: what happened last is not kept: %w", err)
		}
	}
	return nil
}

// loop flushes at most once in batchTime, until ctx ends. After Stopping, or in the end,
// it calls stop for the senders, and quiet is closed when they have ended.
func (h *Hooks) loop(ctx context.Context, stop func()) {
	stopping := h.stopping.Done()
	hush := func() {
		if stopping != nil {
			stopping = nil
			stop()
			go func() { h.running.group.Wait(); close(h.quiet) }()
		}
	}
	defer hush()
	defer h.Stopping()
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
		case <-h.looks:
			h.tend(ctx)
			continue
		case <-stopping:
			hush()
			continue
		case <-due.C:
		case <-h.notify:
			webpost.Sleep(ctx, batchTime) // wait for further events
		}
		if ctx.Err() != nil {
			return
		}
		if h.flush(ctx) != nil {
			webpost.Sleep(ctx, min(storeFirst<<min(h.trouble, 10), storeMost, h.ttl/3))
			h.wake()
		}
		due.Stop()
		if next, some := h.in.next(); some {
			due.Reset(max(time.Until(next), batchTime))
		}
	}
}
