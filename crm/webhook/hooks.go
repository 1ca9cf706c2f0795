package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/channels/webpost"
	"chatcast/crm"
)

// Defaults of Options.
const (
	DefaultTimeout = 10 * time.Second
	DefaultLease   = 30 * time.Second
	DefaultRetry   = time.Second
	DefaultSlow    = time.Second
	DefaultWait    = 5 * time.Second
	DefaultLook    = time.Second
)

const (
	tendTime    = time.Second // between two looks whether the right to deliver was renewed
	idleTime    = 10 * time.Minute
	finishTime  = 2 * time.Second // for a POST that is on its way when the process stops
	stopTime    = 5 * time.Second // for the last report of a URL
	headsAtOnce = 1000
)

// How many POSTs run at once, and how many of one company.
const (
	postsAtOnce, postsOfCompany     = 64, 8 // to URLs that work
	failingAtOnce, failingOfCompany = 16, 4 // to URLs that fail or are slow
	liveAtOnce, liveOfCompany       = 16, 4 // of events that are not in the journal
	askedAtOnce, askedOfCompany     = 16, 2 // that people wait for
)

// Rules is the part of the CRM that this package uses.
type Rules interface {
	ClaimCallbacks(ctx context.Context, owner string, ttl time.Duration, alone bool) ([]crm.Callback, error)
	ReleaseCallbacks(ctx context.Context, owner string) error
	CallbacksVersion(ctx context.Context) (int64, error)
	NextCallback(ctx context.Context, id, after int64) (*crm.CallbackNext, error)
	ReportCallback(ctx context.Context, owner string, r crm.CallbackReport) (saved bool, err error)
	LiveTargets(ctx context.Context, companyID int64, on crm.Line) (map[int64]crm.CallbackTarget, error)
	ReportLive(ctx context.Context, id int64, r crm.CallbackReported) error
	JournalGrown() <-chan struct{}
	JournalLast(ctx context.Context) (int64, error)
	JournalHeads(ctx context.Context, after int64, limit int) (list []crm.JournalHead, seen int64, err error)
}

var _ Rules = (*crm.Service)(nil)

// Options of Hooks.
type Options struct {
	Log *slog.Logger
	// AllowPrivate lets webhooks go to addresses outside the public internet.
	AllowPrivate bool
	// SuspendAfter is for how long a URL may fail before it is suspended; 0: for ever.
	SuspendAfter time.Duration
	// Retention is for how long the journal keeps events at least; 0: for ever.
	Retention time.Duration
	// Alone says that no other process delivers when this one starts, so what a process that
	// died had is taken at once.
	Alone   bool
	Timeout time.Duration // of one POST; 0 is DefaultTimeout
	Lease   time.Duration // 0 is DefaultLease; the same in all processes, three times Timeout or more
	Retry   time.Duration // before the second attempt; 0 is DefaultRetry
	Slow    time.Duration // a URL that takes longer for an answer is slow; 0 is DefaultSlow
	Wait    time.Duration // for a place when a person asks for a POST; 0 is DefaultWait
	Look    time.Duration // between two looks for changes of other processes; 0 is DefaultLook
	// Formats are those of endpoints in other dialects, by name.
	Formats map[string]Format
}

// Hooks posts to callback URLs while Run runs. It must be given the rules, by Serve, before
// any other call.
type Hooks struct {
	// static
	Options
	owner                 string
	started               time.Time
	client                *http.Client
	rules                 Rules         // set by Serve
	changed               chan struct{} // holds one: "URLs were changed"
	stopping              context.Context
	stop                  context.CancelFunc // ends stopping
	posts, failing, asked *places
	lives                 *places
	live                  *liveLane
	chatapp               *chatapp

	renewed atomic.Int64 // when the last renewal of the right to deliver was requested, in nanoseconds after started

	// owned by Run
	version  int64 // of the URLs that were claimed
	claimed  time.Time
	scanned  int64 // every event up to this one was looked at; -1: there was nobody to look for
	idleAt   time.Time
	troubled bool // the last look at the database failed
	working  context.Context
	group    sync.WaitGroup

	mu      sync.Mutex
	senders map[int64]*sender // by the URL's id; guarded by mu, changed by Run
}

var _ crm.CallbackPoster = (*Hooks)(nil)

// New returns Hooks without rules.
func New(o Options) *Hooks {
	o.Timeout, o.Lease, o.Retry = cmp.Or(o.Timeout, DefaultTimeout), cmp.Or(o.Lease, DefaultLease), cmp.Or(o.Retry, DefaultRetry)
	o.Slow, o.Wait, o.Look = cmp.Or(o.Slow, DefaultSlow), cmp.Or(o.Wait, DefaultWait), cmp.Or(o.Look, DefaultLook)
	stopping, stop := context.WithCancel(context.Background())
	return &Hooks{
		Options: o, stopping: stopping, stop: stop, owner: rand.Text(), started: time.Now(), client: webpost.NewClient(o.Timeout, o.AllowPrivate),
		changed: make(chan struct{}, 1), posts: newPlaces(postsAtOnce, postsOfCompany),
		failing: newPlaces(failingAtOnce, failingOfCompany), asked: newPlaces(askedAtOnce, askedOfCompany),
		lives: newPlaces(liveAtOnce, liveOfCompany), live: newLiveLane(), chatapp: &chatapp{Policy{Timeout: o.Timeout, First: o.Retry, Most: retryMost * o.Retry}}, version: -1, scanned: -1, senders: map[int64]*sender{},
	}
}

// Serve gives h the rules.
func (h *Hooks) Serve(rules Rules) { h.rules = rules }

// Changed implements crm.CallbackPoster.
func (h *Hooks) Changed() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. Then it lets the POSTs on their way finish, and lets another
// process deliver. It may be called once.
func (h *Hooks) Run(ctx context.Context) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h.working = working
	h.group.Go(func() { h.runLive(working) })
	h.loop(ctx)
	stop()
	h.group.Wait()
	h.client.CloseIdleConnections()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if len(h.senders) > 0 {
		if err := h.rules.ReleaseCallbacks(last, h.owner); err != nil {
			h.Log.Warn("the callback URLs could not be given back", "error", err) // others take them when the time is over
		}
	}
	return nil
}

func (h *Hooks) loop(ctx context.Context) {
	tick := time.NewTicker(min(h.Look, h.Lease/4))
	defer tick.Stop()
	for tend := true; ctx.Err() == nil; {
		grown := h.rules.JournalGrown() // before looking
		err := error(nil)
		if tend {
			err = h.tend(ctx)
		}
		h.trouble(ctx, errors.Join(err, h.scan(ctx)))
		tend = true
		select {
		case <-ctx.Done():
		case <-h.changed:
		case <-tick.C:
		case <-grown:
			tend = false
		}
	}
}

// trouble logs that the database is away, and that it is back.
func (h *Hooks) trouble(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	switch {
	case err != nil && !h.troubled:
		h.Log.Error("callback URLs wait: the database does not answer as it should", "reason", "database", "error", err)
	case err == nil && h.troubled:
		h.Log.Info("callback URLs go on: the database answers again")
	}
	h.troubled = err != nil
}

// tend renews the right to deliver, and takes the changes of URLs.
func (h *Hooks) tend(ctx context.Context) error {
	version, err := h.rules.CallbacksVersion(ctx) // before the URLs, which it must not be newer than
	if err != nil {
		return err
	}
	if version == h.version && time.Since(h.claimed) < h.Lease/3 {
		return nil
	}
	asked := time.Now()
	list, err := h.rules.ClaimCallbacks(ctx, h.owner, h.Lease, h.Alone && h.claimed.IsZero())
	if err != nil {
		return err
	}
	h.version, h.claimed = version, asked
	h.renewed.Store(int64(asked.Sub(h.started)))
	h.apply(list)
	return nil
}

// whileMine returns a context that ends when the right to deliver is about to be lost, because it
// could not be renewed: another process posts then what comes next.
func (h *Hooks) whileMine(ctx context.Context) (mine context.Context, stop func()) {
	mine, cut := context.WithCancelCause(ctx)
	left := func() time.Duration { return h.Lease*9/10 - (time.Since(h.started) - time.Duration(h.renewed.Load())) }
	var timer *time.Timer
	set := make(chan struct{})
	timer = time.AfterFunc(left(), func() {
		<-set
		if mine.Err() != nil { // stopped while this began: else each turn would set the next one
			return
		}
		if more := left(); more > 0 {
			timer.Reset(more)
			return
		}
		cut(errChanged)
	})
	close(set)
	return mine, func() {
		timer.Stop()
		cut(nil)
	}
}

// mayPost reports whether a POST that begins now ends before another process can deliver.
func (h *Hooks) mayPost() bool {
	return time.Since(h.started)-time.Duration(h.renewed.Load()) < h.Lease*3/5
}

// scan looks at what the journal has got, and wakes the senders that may want it. Now and
// then it wakes all whose cursors lie behind: what they do not want may be removed.
func (h *Hooks) scan(ctx context.Context) error {
	byCompany := map[int64][]*sender{}
	for _, s := range h.all() {
		byCompany[s.companyID] = append(byCompany[s.companyID], s)
	}
	if len(byCompany) == 0 {
		h.scanned = -1
		return nil
	}
	if h.scanned < 0 {
		last, err := h.rules.JournalLast(ctx)
		if err != nil {
			return err
		}
		h.scanned = last
		h.kickAll() // they may have looked before
	}
	for {
		heads, seen, err := h.rules.JournalHeads(ctx, h.scanned, headsAtOnce)
		if err != nil {
			return err
		}
		for _, head := range heads {
			for _, s := range byCompany[head.CompanyID] {
				if s.channel == "" || head.Anywhere || slices.Contains(head.Channels, s.channel) {
					s.kick()
				}
			}
		}
		h.scanned = seen
		if len(heads) < headsAtOnce {
			break
		}
	}
	if idle := h.idle(); time.Since(h.idleAt) > idle {
		h.idleAt = time.Now()
		for _, s := range h.all() {
			s.kickToStore()
		}
	}
	return nil
}
