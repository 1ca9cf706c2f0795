package webhook

import (
	"context"
	"slices"
	"time"

	"chatcast/crm"
)

// try is an attempt at a request.
type try struct {
	next   *crm.CallbackNext
	policy *Policy
	part   int64 // of the requests of the event
	of     int64 // how many these are
	list   string
	name   string
	went   crm.CallbackAttempt
	cut    bool // the right to deliver was about to be lost
	before bool // it was posted while the one before it was stuck
}

// attempt reads the next event and posts the next request for it, if there is one and nothing
// to note before. It returns no event when the right to deliver has to be renewed first: waiting
// for a place or for the journal may have taken long.
func (d *delivery) attempt(ctx context.Context) (t try, err error) {
	if !d.h.mayPost() {
		return t, nil
	}
	t.next, err = d.h.rules.NextCallback(ctx, d.ID, d.CursorSeq)
	if err != nil || !t.next.Same(d.Callback) || t.next.Lost != nil || t.next.Event == nil {
		return t, err
	}
	list, failed := d.h.requests(ctx, t.next.Target, *t.next.Event)
	if failed != nil { // one request that cannot be made
		t.part, t.of, t.policy = d.CursorPart, d.CursorPart+1, d.h.policy(t.next.Target.Format)
		t.went = crm.CallbackAttempt{Began: time.Now(), Reason: reasonFormat, Error: failed.Error()}
		return t, nil
	}
	if !d.h.mayPost() {
		return try{}, nil
	}
	d.countIn(listOf(list))
	t.part = d.CursorPart
	d.post(ctx, &t, list)
	return t, nil
}

// countIn has the position count in a list of requests. When that is another one than before,
// because settings have changed, all of it is posted, rather than leave one out.
func (d *delivery) countIn(list string) {
	if d.CursorList != list && d.CursorList != "" {
		d.CursorPart, d.HeadTries, d.HeadSinceMS = 0, 0, 0
	}
	d.CursorList = list
}

// post posts one of the requests of an event.
func (d *delivery) post(ctx context.Context, t *try, list []Request) {
	t.of, t.list, t.policy = int64(len(list)), listOf(list), d.h.policy(t.next.Target.Format)
	if t.part >= t.of {
		return
	}
	r := list[t.part]
	t.name = r.Name
	if i := slices.Index(d.ahead, spot{t.next.Event.ID, t.part, t.list}); i >= 0 {
		t.before, d.ahead = true, slices.Delete(d.ahead, i, i+1)
		return
	}
	mine, stop := d.h.whileMine(ctx)
	defer stop()
	t.went = d.h.post(ctx, mine, t.policy, r)
	t.cut = t.went.Reason != "" && mine.Err() != nil
}
