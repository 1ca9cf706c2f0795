package webhook

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"chatcast/broadcasting"
)

// running is what Run has started.
type running struct {
	ctx   context.Context
	group sync.WaitGroup
	stops map[*sender]context.CancelFunc
	more  map[*sender]chan struct{}
}

// start starts the senders that there are.
func (h *Hooks) start(ctx context.Context) {
	h.running = &running{ctx: ctx, stops: map[*sender]context.CancelFunc{}, more: map[*sender]chan struct{}{}}
	for _, s := range h.senders {
		h.running.start(s)
	}
}

func (r *running) start(s *sender) {
	ctx, stop := context.WithCancel(r.ctx)
	more := make(chan struct{}, 1)
	r.stops[s], r.more[s] = stop, more
	r.group.Go(func() { s.run(ctx, more) })
}

func (r *running) stop(s *sender) {
	r.stops[s]()
	delete(r.stops, s)
	delete(r.more, s)
}

// reconcile makes the senders those of the settings.
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
				s = &sender{client: h.client, log: h.log, report: h.report}
				s.to.Store(e)
				h.senders[key] = s
				if h.running != nil {
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
			h.running.stop(s)
		}
		h.dropQueue(s)
	}
}

// dropQueue forgets what waits for an endpoint that was removed.
func (h *Hooks) dropQueue(s *sender) {
	s.mu.Lock()
	var done []int64
	events := 0
	for _, w := range s.queue {
		done = append(done, w.ID)
		events += w.Count
	}
	s.mu.Unlock()
	if events > 0 {
		h.log.Warn("webhooks of an endpoint that was removed are dropped", append(s.names(), "reason", "endpoint_removed", "events", events)...)
	}
	h.report(outcome{done: done})
}

// outcomes are what became of deliveries since the last flush. They are bounded by
// the queues: each delivery stands here once.
type outcomes struct {
	done    []int64
	failed  map[int64]Failure
	givenUp []Failure
}

func (o *outcomes) reset() { *o = outcomes{failed: map[int64]Failure{}} }

// report notes what became of deliveries.
func (h *Hooks) report(o outcome) {
	h.outcomesMu.Lock()
	h.outcomes.done = append(h.outcomes.done, o.done...)
	for _, f := range o.failed {
		h.outcomes.failed[f.ID] = f
	}
	for _, f := range o.givenUp {
		delete(h.outcomes.failed, f.ID)
	}
	for _, id := range o.done {
		delete(h.outcomes.failed, id)
	}
	h.outcomes.givenUp = append(h.outcomes.givenUp, o.givenUp...)
	h.outcomesMu.Unlock()
	h.wake()
}

// flush commits what happened, and hands to the senders what is to be delivered. What
// could not be committed is held and tried again before anything that came later.
func (h *Hooks) flush(ctx context.Context) error {
	h.reconcile()
	if h.held == nil {
		h.held, h.holders = h.collect(time.Now())
	}
	if !h.held.empty() {
		if err := h.store.Commit(ctx, h.held); err != nil {
			h.trouble++
			h.storeErrors.Add(1)
			h.log.Warn("webhooks are not kept and held until they are", "error", err, "attempts", h.trouble)
			return err
		}
	}
	h.trouble = 0
	now := time.Now()
	for i, d := range h.held.New {
		h.handOver(h.holders[i], d, now)
	}
	h.held, h.holders = nil, nil
	return nil
}

// hold is a sender whose delivery is in the batch that is held.
type hold struct {
	*sender
	key senderKey
}

// handOver queues d, unless its endpoint was removed while it was held.
func (h *Hooks) handOver(to hold, d Delivery, now time.Time) {
	if h.senders[to.key] != to.sender {
		h.report(outcome{done: []int64{d.ID}})
		return
	}
	to.put(d, now)
	if h.running == nil {
		return
	}
	select {
	case h.running.more[to.sender] <- struct{}{}:
	default: // it has been woken
	}
}

// collect makes a batch of everything that there is.
func (h *Hooks) collect(now time.Time) (*Batch, []hold) {
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
	drafts := h.drafts(latest(t.events), now)
	holders := make([]hold, len(drafts))
	for i, d := range drafts {
		d.Events = strings.Join(d.texts, ",")
		b.New, holders[i] = append(b.New, d.Delivery), d.to
	}
	return b, holders
}

// mayLogFull says whether it is time to log that something is full: the counters say
// it exactly.
func (h *Hooks) mayLogFull(now time.Time) bool {
	if now.Sub(h.fullAt) < quietTime {
		return false
	}
	h.fullAt = now
	return true
}

// latest leaves of each channel's counts the last: the others are true no more.
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
