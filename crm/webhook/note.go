package webhook

import (
	"context"
	"slices"
	"time"

	"chatcast/channels/webpost"
	"chatcast/crm"
)

const (
	failingAfter = 24 * time.Hour // of failures, after which an endpoint that is not suspended is tried rarely
	failingRetry = time.Minute

	aheadMost  = 5  // requests behind one that is stuck that are tried in turn
	aheadTaken = 64 // requests that were taken before their turn and are remembered
	aheadReads = 50 // looks into the journal for one of them; the next turn goes on from there
)

// spot is a request of an event, in the list of those that the event was.
type spot struct {
	seq, part int64
	list      string
}

// view is what is known of the requests behind one that is stuck.
type view struct {
	head   spot
	posted int    // how often one of them was posted
	seen   int64  // events up to this one were looked at
	known  []spot // the first requests that were found, aheadMost at most
}

// reported adds an attempt to those that are not reported yet.
func (d *delivery) reported(a crm.CallbackReported) {
	if len(d.attempts) == 0 {
		d.since = time.Now()
	}
	d.attempts = append(d.attempts, a)
}

// note counts an attempt at the next request.
func (d *delivery) note(t try) {
	if t.before {
		d.done(t)
		return
	}
	nth := d.Failures + 1
	if t.policy.Tries > 0 {
		nth = d.HeadTries + 1
	}
	d.reported(crm.CallbackReported{Event: *t.next.Event, Part: t.part, Name: t.name, Nth: nth, Attempt: t.went})
	if t.went.Reason == "" {
		d.took()
		d.done(t)
		return
	}
	d.failed(t)
}

// took notes that the endpoint has taken a request.
func (d *delivery) took() {
	if d.Failures > 0 {
		d.h.Log.Info("a callback URL takes events again", "callback", d.ID, "attempts", d.Failures+1)
	}
	d.stats.delivered.Add(1)
	d.Failures, d.FailingSinceMS, d.NextAtMS, d.LastError = 0, 0, 0, ""
}

// done goes on behind a request.
func (d *delivery) done(t try) {
	d.HeadTries, d.HeadSinceMS = 0, 0
	if t.part+1 < t.of {
		d.CursorPart = t.part + 1
		return
	}
	d.moveTo(t.next.Event.ID)
}

func (d *delivery) failed(t try) {
	went := t.went
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
	forGood := t.policy.Tries > 0 && !d.DryRun() // it is never suspended
	if !forGood && (went.Gone || limit > 0 && time.Since(d.failingSince) >= limit) {
		d.SuspendedAt, d.NextAtMS = time.Now().Unix(), 0
		log.Error("a callback URL is suspended: it took nothing for too long, or wants nothing more")
		return
	}
	if t.policy.Tries > 0 {
		d.failedInFormat(t)
	} else {
		d.failedInChatApp(went)
	}
	again := time.Until(time.UnixMilli(d.NextAtMS)).Round(time.Millisecond)
	switch {
	case d.Failures == 1:
		log.Warn("a callback URL did not take an event, which is sent again", "again_in", max(0, again))
	case d.Failures == circuitAfter && t.policy.Tries == 0:
		log.Warn("a callback URL fails again and again: the circuit is open", "again_in", again)
	}
}

func (d *delivery) failedInChatApp(went crm.CallbackAttempt) {
	wait := webpost.Backoff(int(d.Failures), d.h.Retry, retryMost*d.h.Retry)
	if d.Failures >= circuitAfter {
		wait = webpost.Backoff(1, retryCircuit*d.h.Retry, retryCircuit*d.h.Retry)
	}
	d.NextAtMS = time.Now().Add(max(wait, min(went.After, afterMost))).UnixMilli()
}

// failedInFormat counts an attempt in vain at a request that is given up one day.
func (d *delivery) failedInFormat(t try) {
	p := t.policy
	if d.HeadTries == 0 {
		d.HeadSinceMS = t.went.Began.UnixMilli()
	}
	d.HeadTries++
	if slices.Contains(p.Final, t.went.Status) {
		d.giveUp(t)
		return
	}
	wait := waitAfter(p, d.HeadTries)
	if left := p.Block - time.Since(time.UnixMilli(d.HeadSinceMS)); p.Block > 0 && left > 0 {
		wait = min(wait, left) // the last attempt is not later than that
	}
	if time.Since(d.failingSince) >= failingAfter {
		if wait = failingRetry; d.Failures%100 == 0 {
			d.h.Log.Error("a callback URL has taken nothing for a day, and is tried once a minute", "callback", d.ID, "attempts", d.Failures)
		}
	}
	d.NextAtMS = time.Now().Add(max(wait, min(t.went.After, afterMost))).UnixMilli()
}

// giveUp goes on behind a request that the endpoint did not take. It stays in the log, and can be
// posted again from there.
func (d *delivery) giveUp(t try) {
	if d.Failures <= 1 || d.Failures%100 == 0 { // an endpoint may refuse each event
		d.h.Log.Error("an event is given up at a callback URL", "callback", d.ID, "event", t.next.Event.ID, "reason", t.went.Reason, "error", t.went.Error, "attempts", d.HeadTries, "so_far", d.GivenUp+1)
	}
	d.reported(crm.CallbackReported{Event: *t.next.Event, Part: t.part, Name: t.name, Nth: d.HeadTries, Attempt: t.went, GivenUp: true})
	d.stats.givenUp.Add(1)
	d.GivenUp++
	d.NextAtMS = 0
	d.done(t)
}

// stuck reports whether the request of an attempt in vain has held up the others for long enough.
func (d *delivery) stuck(t try) bool {
	p := t.policy
	if p.Tries == 0 || d.HeadTries == 0 || d.SuspendedAt != 0 {
		return false
	}
	return d.HeadTries >= p.Tries || p.Block > 0 && time.Since(time.UnixMilli(d.HeadSinceMS)) >= p.Block-time.Millisecond
}

// lookAhead posts a request behind the one that is stuck. If the endpoint takes it, the stuck one
// is given up: it is what the endpoint does not want. If not, the endpoint does not work, and
// everything waits in its order. It returns false when there is nothing more to do.
func (d *delivery) lookAhead(ctx context.Context, head try) bool {
	leave := d.place(ctx)
	if leave == nil {
		return false
	}
	t, err := d.behind(ctx, head)
	leave()
	if err != nil {
		return d.database(ctx, err)
	}
	if t == nil && head.went.Reason == reasonFormat && len(d.ahead) > 0 {
		d.giveUp(head) // the endpoint is not why: it works for what is behind
		return true
	}
	if t == nil || t.cut || t.went.Reason != "" && ctx.Err() != nil {
		return ctx.Err() == nil
	}
	d.view.posted++
	d.reported(crm.CallbackReported{Event: *t.next.Event, Part: t.part, Name: t.name, Nth: 1, Attempt: t.went})
	if t.went.Reason != "" {
		d.stats.failed.Add(1)
		return true
	}
	d.took()
	d.giveUp(head)
	d.tookAhead(spot{t.next.Event.ID, t.part, t.list})
	return true
}

// tookAhead remembers a request that the endpoint has taken before its turn. Of too many the oldest
// are forgotten, and posted again.
func (d *delivery) tookAhead(at spot) {
	d.ahead = slices.DeleteFunc(d.ahead, func(s spot) bool { return s.seq <= d.CursorSeq })
	if len(d.ahead) >= aheadTaken {
		d.ahead = slices.Delete(d.ahead, 0, 1)
	}
	d.ahead = append(d.ahead, at)
}

// behind posts one of the requests behind the head, each in its turn; nil: none is found yet, or it
// may not post now.
func (d *delivery) behind(ctx context.Context, head try) (*try, error) {
	v := &d.view
	if at := (spot{head.next.Event.ID, head.part, head.list}); v.head != at {
		*v = view{head: at, seen: at.seq}
		d.found(at.seq, head.part+1, head.of, head.list)
	}
	nth := v.posted % aheadMost
	for reads := 0; reads < aheadReads && len(v.known) <= nth; reads++ {
		if more, err := d.lookOn(ctx); err != nil {
			return nil, err
		} else if !more {
			break
		}
	}
	if len(v.known) == 0 {
		return nil, nil
	}
	return d.postKnown(ctx, min(nth, len(v.known)-1))
}

// lookOn looks at the next event behind the stuck request. It returns false when there is none now.
// What cannot be read is stepped over: it is told of when it is its turn.
func (d *delivery) lookOn(ctx context.Context) (more bool, err error) {
	next, err := d.nextAfter(ctx, d.view.seen)
	switch {
	case err != nil || next == nil:
		return false, err
	case next.Lost != nil:
		d.view.seen = max(d.view.seen, next.Lost.To)
		return true, nil
	case next.Event == nil:
		d.view.seen = max(d.view.seen, next.Seen)
		return next.More, nil
	}
	list, err := d.h.requests(ctx, next.Target, *next.Event)
	if ctx.Err() != nil {
		return false, nil
	}
	d.view.seen = next.Event.ID
	if err == nil { // else it is given up when it is its turn
		d.found(next.Event.ID, 0, int64(len(list)), listOf(list))
	}
	return true, nil
}

// found notes the requests of an event from one on, without those that were taken before: they do not
// say that the endpoint takes anything now.
func (d *delivery) found(seq, part, of int64, list string) {
	for ; part < of && len(d.view.known) < aheadMost; part++ {
		if at := (spot{seq, part, list}); !slices.Contains(d.ahead, at) {
			d.view.known = append(d.view.known, at)
		}
	}
}

// postKnown posts a request that was found. It is read again, because it may be gone by now.
func (d *delivery) postKnown(ctx context.Context, i int) (*try, error) {
	at := d.view.known[i]
	next, err := d.nextAfter(ctx, at.seq-1)
	if err != nil || next == nil {
		return nil, err
	}
	if next.Event != nil && next.Event.ID == at.seq {
		list, err := d.h.requests(ctx, next.Target, *next.Event)
		if !d.h.mayPost() || ctx.Err() != nil {
			return nil, nil
		}
		if err == nil && at.part < int64(len(list)) && at.list == listOf(list) {
			t := &try{next: next, part: at.part}
			d.post(ctx, t, list)
			return t, nil
		}
	}
	d.view.known = slices.Delete(d.view.known, i, i+1)
	return nil, nil
}

// nextAfter reads the event after an id; nil: the URL is gone or changed, or it may not post now.
func (d *delivery) nextAfter(ctx context.Context, seq int64) (*crm.CallbackNext, error) {
	if !d.h.mayPost() || ctx.Err() != nil {
		return nil, nil
	}
	next, err := d.h.rules.NextCallback(ctx, d.ID, seq)
	if crm.IsCallbackGone(err) || err == nil && !next.Same(d.Callback) {
		return nil, nil
	}
	return next, err
}
