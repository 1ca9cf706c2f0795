package webhook

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"chatcast/broadcasting"
)

// running is the state of the senders that Run has started.
type running struct {
	ctx   context.Context
	group sync.WaitGroup
	stops map[*sender]context.CancelCauseFunc
	more  map[*sender]chan struct{}
}

// start starts the senders of the leased apps.
func (h *Hooks) start(ctx context.Context) {
	h.running = &running{ctx: ctx, stops: map[*sender]context.CancelCauseFunc{}, more: map[*sender]chan struct{}{}}
	h.startLeased(slices.Collect(maps.Keys(h.leased)))
}

func (r *running) start(s *sender) {
	if r.ctx.Err() != nil { // the process stops
		return
	}
	ctx, stop := context.WithCancelCause(r.ctx)
	more := make(chan struct{}, 1)
	r.stops[s], r.more[s] = stop, more
	s.ended = make(chan struct{})
	r.group.Go(func() {
		defer close(s.ended)
		if s.before != nil { // one POST at a time
			<-s.before
		}
		s.run(ctx, more)
	})
}

// stop stops a sender if it was started.
func (r *running) stop(s *sender, cause error) {
	if r.stops[s] == nil {
		return
	}
	r.stops[s](cause)
	delete(r.stops, s)
	delete(r.more, s)
}

// reconcile creates and removes senders to match the settings.
func (h *Hooks) reconcile() {
	h.sendersMu.Lock()
	defer h.sendersMu.Unlock()
	current := h.current.Load()
	if current == h.applied {
		return
	}
	h.applied = current
	gone := map[senderKey]*sender{}
	for key, s := range h.senders {
		gone[key] = s
	}
	for app, list := range *current {
		for _, e := range list {
			key := senderKey{app, e.id}
			s := h.senders[key]
			if s == nil {
				s = h.newSender()
				s.to.Store(e)
				h.senders[key] = s
				if _, leased := h.leased[app]; leased && h.running != nil {
					h.running.start(s)
				}
			}
			s.to.Store(e)
			delete(gone, key)
		}
	}
	for key, s := range gone {
		delete(h.senders, key)
		if h.running != nil {
			h.running.stop(s, nil)
		}
		h.dropQueue(s)
	}
	maps.DeleteFunc(h.elsewhere, func(app string, _ bool) bool { return len((*current)[app]) == 0 })
}

func (h *Hooks) newSender() *sender {
	return &sender{
		client: h.client, log: h.log, report: h.report, reports: h.reports, mayPost: h.mayPost, postTime: min(postTime, h.ttl/3),
		suspendAfter: h.suspendAfter, stats: &counters{}, kick: make(chan struct{}, 1), unknown: true,
	}
}

// dropQueue drops the deliveries that wait for a removed endpoint.
func (h *Hooks) dropQueue(s *sender) {
	s.mu.Lock()
	var done []Ref
	events := 0
	for _, w := range s.queue {
		done = append(done, Ref{w.App, w.ID})
		events += w.Count
	}
	s.mu.Unlock()
	if events > 0 {
		h.log.Warn("webhooks of an endpoint that was removed are dropped", append(s.names(), "reason", "endpoint_removed", "events", events)...)
	}
	h.report(outcome{done: done})
}

// outcomes are the results of deliveries since the last flush. They are bounded by the
// queues: each delivery appears here once.
type outcomes struct {
	done    []Ref
	failed  map[int64]Failure
	givenUp []Attempt
}

func (o *outcomes) reset() { *o = outcomes{failed: map[int64]Failure{}} }

// report notes the results of deliveries.
func (h *Hooks) report(o outcome) {
	h.outcomesMu.Lock()
	h.outcomes.done = append(h.outcomes.done, o.done...)
	for _, f := range o.failed {
		h.outcomes.failed[f.ID] = f
	}
	for _, d := range o.done {
		delete(h.outcomes.failed, d.ID)
	}
	h.outcomes.givenUp = append(h.outcomes.givenUp, o.givenUp...)
	h.outcomesMu.Unlock()
	h.wake()
}

// flush commits what happened, and hands new deliveries to the senders. A batch that
// could not be committed is held and tried again before anything later.
func (h *Hooks) flush(ctx context.Context) error {
	h.reconcile()
	err, held := h.claimNew(ctx), h.held != nil
	if err == nil {
		if !held {
			h.collect(time.Now())
		}
		err = h.commit(ctx)
	}
	if err != nil {
		h.trouble++
		h.storeErrors.Add(1)
		h.log.Warn("webhooks are not kept and held until they are", "error", err, "attempts", h.trouble)
		return err
	}
	h.trouble = 0
	now := time.Now()
	for i, d := range h.held.New {
		h.handOver(h.holders[i], d, now)
	}
	h.held, h.holders = nil, nil
	if !held {
		h.releaseUnwanted(ctx)
	}
	return nil
}

// commit commits the held batch. If another process has taken a lease, it leaves that
// app's part of the batch to that process.
func (h *Hooks) commit(ctx context.Context) error {
	for !h.held.empty() {
		var lost *LeaseError
		err := h.store.Commit(ctx, h.owner, h.held)
		if !errors.As(err, &lost) || len(h.held.Leased()) == 0 {
			return err
		}
		for _, app := range lost.Apps {
			h.lose(app)
		}
	}
	return nil
}

// handOver queues d, unless another process delivers it or its endpoint was removed
// while it was held.
func (h *Hooks) handOver(from *draft, d Delivery, now time.Time) {
	s := h.senders[senderKey{d.App, d.Endpoint}]
	_, leased := h.leased[d.App]
	switch {
	case !leased:
		from.to.unreserve(from)
	case s == nil || s.stats != from.to.stats:
		h.report(outcome{done: []Ref{{d.App, d.ID}}})
	case s != from.to: // the lease was lost and taken again
		s.resume(d, now)
	default:
		h.queue(s, d, now)
	}
}

// queue gives s a delivery for which room was reserved.
func (h *Hooks) queue(s *sender, d Delivery, now time.Time) {
	s.put(d, now)
	if h.running == nil {
		return
	}
	select {
	case h.running.more[s] <- struct{}{}:
	default: // it is woken already
	}
}

// collect fills the held batch with everything that waits to be committed.
func (h *Hooks) collect(now time.Time) {
	t, more := h.in.take(now)
	if more {
		h.wake()
	}
	if t.lost > 0 && h.mayLogFull(now) {
		h.log.Error("events of webhooks are dropped: the database does not take them", "reason", "intake_full", "events", t.lost)
	}
	b := &Batch{Announced: t.announced, Cleared: t.cleared}
	h.outcomesMu.Lock()
	b.Done, b.GivenUp = h.outcomes.done, h.outcomes.givenUp
	for _, f := range h.outcomes.failed {
		b.Failed = append(b.Failed, f)
	}
	h.outcomes.reset()
	h.outcomesMu.Unlock()
	// A sender may have reported after its lease was lost.
	lost := func(app string) bool { _, leased := h.leased[app]; return !leased }
	b.Done = slices.DeleteFunc(b.Done, func(r Ref) bool { return lost(r.App) })
	b.GivenUp = slices.DeleteFunc(b.GivenUp, func(a Attempt) bool { return lost(a.App) })
	b.Failed = slices.DeleteFunc(b.Failed, func(f Failure) bool { return lost(f.App) })
	h.holders = h.drafts(latest(t.events), now)
	b.New = deliveries(h.holders)
	h.held = b
}

// mayLogFull reports whether it is time to log again that something is full. The
// counters have the exact numbers.
func (h *Hooks) mayLogFull(now time.Time) bool {
	if now.Sub(h.fullAt) < quietTime {
		return false
	}
	h.fullAt = now
	return true
}

// latest keeps only the last count of each channel: earlier ones are out of date.
func latest(events []broadcasting.ChannelEvent) []broadcasting.ChannelEvent {
	type channel struct{ app, name string }
	seen := map[channel]bool{}
	kept := make([]broadcasting.ChannelEvent, 0, len(events))
	for _, h := range slices.Backward(events) {
		if h.Kind == broadcasting.Counted {
			c := channel{h.App, h.Channel}
			if seen[c] {
				continue
			}
			seen[c] = true
		}
		kept = append(kept, h)
	}
	slices.Reverse(kept)
	return kept
}
