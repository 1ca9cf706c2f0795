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
type counters struct{ delivered, failed, lost, givenUp atomic.Uint64 }

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
	ahead    []spot                 // requests that were taken before their turn
	view     view                   // of what is behind the request that is stuck
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

// step delivers the next request. It returns false when there is nothing more to do.
func (d *delivery) step(ctx context.Context) bool {
	leave := d.place(ctx) // before reading: what waits holds no event in memory
	if leave == nil {
		return false
	}
	t, err := d.attempt(ctx)
	leave() // before the database is waited for
	switch {
	case crm.IsCallbackGone(err):
		d.attempts = nil
		return false
	case err != nil:
		return d.database(ctx, err)
	case t.next == nil: // not now
		return true
	case !t.next.Same(d.Callback):
		d.h.Changed() // Run brings the change
		return false
	case t.next.Lost != nil:
		d.gap(t.next.Lost)
		return true
	case t.next.Event == nil:
		d.moveTo(max(d.CursorSeq, t.next.Seen))
		return t.next.More
	case t.of <= d.CursorPart: // nothing, or nothing more, in the words of the endpoint
		d.moveTo(t.next.Event.ID)
		return true
	}
	d.trouble = 0
	if t.cut || t.went.Reason != "" && ctx.Err() != nil {
		return ctx.Err() == nil // cut short, which is no failure of the URL
	}
	if d.slow = max(0, d.slow-1); t.went.Duration >= d.h.Slow {
		d.slow = slowFor
	}
	d.note(t)
	if d.stuck(t) {
		return d.lookAhead(ctx, t)
	}
	return true
}

// place waits for a place to post.
func (d *delivery) place(ctx context.Context) (leave func()) {
	places := d.h.posts
	if d.Failures > 0 || d.slow > 0 {
		places = d.h.failing
	}
	return places.take(ctx, d.companyID)
}

// moveTo makes an event the last one that is done with.
func (d *delivery) moveTo(seq int64) {
	if seq != d.CursorSeq {
		d.CursorSeq, d.CursorPart, d.CursorList, d.HeadTries, d.HeadSinceMS = seq, 0, "", 0, 0
	}
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
