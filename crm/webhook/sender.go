package webhook

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/channels/webpost"
	"chatcast/crm"
)

// Bounds of a sender.
const (
	circuitAfter = 8   // failures in a row, after which attempts are rare
	retryMost    = 60  // times Options.Retry, before that
	retryCircuit = 300 // times Options.Retry, after that
	afterMost    = time.Hour

	reportEvents = 50
	reportTime   = 250 * time.Millisecond

	moveMost   = 1000      // numbers of the journal that a stored cursor may lie behind
	slowFor    = 8         // answers after a slow one, until a URL counts as quick
	dryRunTime = time.Hour // for which a dry run may fail
)

var errChanged = errors.New("the callback URL was changed")

// sender delivers to one URL.
type sender struct {
	// static
	h         *Hooks
	id        int64
	companyID int64
	channel   string // of the line; empty: of the company
	stats     counters
	slow      int // answers that must not be slow until it is quick again; only for work

	mu sync.Mutex
	// guarded by mu
	cb      crm.Callback
	stored  int64 // the cursor in the database
	store   bool  // the cursor is to be stored, however little it has moved
	more    bool  // there may be something to do
	running bool
	over    bool
	cut     context.CancelCauseFunc // ends the current deliver; nil: none runs
}

// counters count for one URL since this process delivers to it.
type counters struct{ delivered, failed, lost atomic.Uint64 }

func newSender(h *Hooks, cb crm.Callback) *sender {
	return &sender{h: h, id: cb.ID, companyID: cb.CompanyID, channel: cb.Line.Channel(), cb: cb, stored: cb.CursorSeq}
}

// kick makes the sender look for something to do.
func (s *sender) kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = true
	if !s.running && !s.over {
		s.running = true
		s.h.group.Go(s.work)
	}
}

// kickToStore is kick, and has the cursor stored however little it has moved.
func (s *sender) kickToStore() {
	s.mu.Lock()
	s.store = true
	s.mu.Unlock()
	s.kick()
}

// update takes a change of the URL, or of who had it meanwhile. It cuts a POST that is on its way.
func (s *sender) update(cb crm.Callback) {
	s.mu.Lock()
	same := cb.Same(s.cb)
	if !same {
		s.cb, s.stored, s.store = cb, cb.CursorSeq, true
		if s.cut != nil {
			s.cut(errChanged)
		}
	}
	s.mu.Unlock()
	if !same {
		s.kick()
	}
}

// end ends the sender at once: the URL is gone, or another process delivers to it.
func (s *sender) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.cut != nil {
		s.cut(errChanged)
	}
}

// work delivers as long as there may be something to do.
func (s *sender) work() {
	for {
		s.mu.Lock()
		if !s.more || s.over || s.h.working.Err() != nil {
			s.running = false
			s.mu.Unlock()
			return
		}
		ctx, cut := context.WithCancelCause(s.h.working)
		d := &delivery{sender: s, Callback: s.cb, failingSince: time.UnixMilli(s.cb.FailingSinceMS), always: s.store || s.cb.DryRun()}
		s.more, s.store, s.cut = false, false, cut
		s.mu.Unlock()

		d.run(ctx)

		s.mu.Lock()
		s.cut = nil
		s.mu.Unlock()
		cut(nil)
	}
}

// delivery is the work of a sender on one generation of its URL.
type delivery struct {
	*sender
	crm.Callback // with the progress so far
	failingSince time.Time

	attempts []crm.CallbackReported // not reported yet
	since    time.Time              // of the first of them
	lost     *crm.CallbackGap       // not reported yet
	always   bool                   // store the cursor, however little it has moved
	trouble  int                    // failures of the database in a row
}

// run delivers until nothing is left, the URL is suspended, or ctx ends.
func (d *delivery) run(ctx context.Context) {
	defer d.reportLast(ctx)
	for ctx.Err() == nil {
		switch wait := d.wait(); {
		case d.SuspendedAt != 0 || d.DryRun() && d.CursorSeq >= d.UntilID:
			return
		case len(d.attempts) >= reportEvents || len(d.attempts) > 0 && (wait > reportTime || time.Since(d.since) >= reportTime):
			if !d.report(ctx) {
				return
			}
		case d.lost != nil: // one gap is told of before the next one is found
			if !d.report(ctx) {
				return
			}
		case wait > 0:
			webpost.Sleep(ctx, wait)
			d.NextAtMS = 0
		case !d.h.mayPost():
			webpost.Sleep(ctx, tendTime)
		default:
			if !d.step(ctx) {
				return
			}
		}
	}
}

// wait returns how long to wait before the next attempt. However the clock was set
// meanwhile, that is not longer than any wait.
func (d *delivery) wait() time.Duration {
	if d.NextAtMS == 0 {
		return 0
	}
	return min(time.Until(time.UnixMilli(d.NextAtMS)), max(afterMost, retryCircuit*d.h.Retry))
}

// step delivers the next event. It returns false when there is nothing more to do.
func (d *delivery) step(ctx context.Context) bool {
	places := d.h.posts
	if d.Failures > 0 || d.slow > 0 {
		places = d.h.failing
	}
	leave := places.take(ctx, d.companyID) // before reading: what waits holds no event in memory
	if leave == nil {
		return false
	}
	next, went, err := d.attempt(ctx)
	leave() // before the database is waited for
	switch {
	case crm.IsCallbackGone(err):
		d.attempts = nil
		return false
	case err != nil:
		return d.database(ctx, err)
	case next == nil: // not now
		return true
	case !next.Same(d.Callback):
		d.h.Changed() // Run brings the change
		return false
	case next.Lost != nil:
		d.gap(next.Lost)
		return true
	case next.Event == nil:
		d.CursorSeq = max(d.CursorSeq, next.Seen)
		return next.More
	}
	d.trouble = 0
	if went.Reason != "" && ctx.Err() != nil {
		return false // cut short, which is no failure of the URL
	}
	if d.slow = max(0, d.slow-1); went.Duration >= d.h.Slow {
		d.slow = slowFor
	}
	d.note(*next.Event, went)
	return true
}

// attempt reads the next event and posts it, if there is one and nothing to note before. It
// returns nothing when the right to deliver has to be renewed first: waiting for a place or
// for the journal may have taken long.
func (d *delivery) attempt(ctx context.Context) (next *crm.CallbackNext, went crm.CallbackAttempt, err error) {
	if !d.h.mayPost() {
		return nil, went, nil
	}
	next, err = d.h.rules.NextCallback(ctx, d.ID, d.CursorSeq)
	if err != nil || !next.Same(d.Callback) || next.Lost != nil || next.Event == nil {
		return next, went, err
	}
	if !d.h.mayPost() {
		return nil, went, nil
	}
	return next, d.h.post(ctx, ctx, next.Target, *next.Event), nil
}

// database waits after a failure of the database.
func (d *delivery) database(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	d.trouble++
	if d.trouble == 1 {
		d.h.Log.Error("a callback URL waits: the database does not answer as it should", "callback", d.ID, "reason", "database", "error", err)
	}
	webpost.Sleep(ctx, webpost.Backoff(d.trouble, 100*time.Millisecond, 5*time.Second))
	return true
}

// note counts an attempt.
func (d *delivery) note(ev crm.CallbackEvent, went crm.CallbackAttempt) {
	if len(d.attempts) == 0 {
		d.since = time.Now()
	}
	d.attempts = append(d.attempts, crm.CallbackReported{Event: ev, Nth: d.Failures + 1, Attempt: went})
	if went.Reason == "" {
		if d.Failures > 0 {
			d.h.Log.Info("a callback URL takes events again", "callback", d.ID, "attempts", d.Failures+1)
		}
		d.stats.delivered.Add(1)
		d.Failures, d.FailingSinceMS, d.NextAtMS, d.LastError = 0, 0, 0, ""
		d.CursorSeq = ev.ID
		return
	}
	d.failed(went)
}

func (d *delivery) failed(went crm.CallbackAttempt) {
	d.stats.failed.Add(1)
	if d.Failures == 0 {
		d.failingSince, d.FailingSinceMS = went.Began, went.Began.UnixMilli()
	}
	d.Failures++
	d.LastError = went.Error
	log := d.h.Log.With("callback", d.ID, "reason", went.Reason, "error", went.Error, "attempts", d.Failures)
	limit := d.h.SuspendAfter
	if d.DryRun() {
		limit = dryRunTime
	}
	if went.Gone || limit > 0 && time.Since(d.failingSince) >= limit {
		d.SuspendedAt, d.NextAtMS = time.Now().Unix(), 0
		log.Error("a callback URL is suspended: it took nothing for too long, or wants nothing more")
		return
	}
	wait := webpost.Backoff(int(d.Failures), d.h.Retry, retryMost*d.h.Retry)
	if d.Failures >= circuitAfter {
		wait = webpost.Backoff(1, retryCircuit*d.h.Retry, retryCircuit*d.h.Retry)
	}
	wait = max(wait, min(went.After, afterMost))
	d.NextAtMS = time.Now().Add(wait).UnixMilli()
	switch d.Failures {
	case 1:
		log.Warn("a callback URL did not take an event, which is sent again", "again_in", wait.Round(time.Millisecond))
	case circuitAfter:
		log.Warn("a callback URL fails again and again: the circuit is open", "again_in", wait.Round(time.Millisecond))
	}
}
