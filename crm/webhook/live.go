package webhook

import (
	"context"
	"sync"
	"time"

	"chatcast/channels/webpost"
	"chatcast/crm"
)

const (
	liveMost    = 1000             // events that wait for a look at who wants them
	liveShare   = 200              // of one company
	liveEach    = 50               // events that wait for one endpoint
	liveAge     = 20 * time.Second // after which an event is left out: codes are no longer good then
	poorMost    = 10_000
	resolveTime = 3 * time.Second
)

// liveLane holds events that are not in the journal: codes, and who types. They are posted once,
// in their order, beside what is in the journal, and what finds no room is lost.
type liveLane struct {
	events chan liveEvent

	mu sync.Mutex
	// guarded by mu
	waiting map[int64]int         // events for a look, by company
	queues  map[int64][]liveEvent // by endpoint, while a goroutine posts to it
	poor    map[int64]bool        // endpoints whose last POST failed or was slow
}

type liveEvent struct {
	companyID int64
	crm.CallbackEvent
	to   crm.CallbackTarget // when it happened
	came time.Time
}

func newLiveLane() *liveLane {
	return &liveLane{events: make(chan liveEvent, liveMost), waiting: map[int64]int{}, queues: map[int64][]liveEvent{}, poor: map[int64]bool{}}
}

// room takes room for an event of a company, which looked gives back. A company in which much is
// typed leaves room for the codes of others.
func (l *liveLane) room(companyID int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[companyID] >= liveShare {
		return false
	}
	l.waiting[companyID]++
	return true
}

func (l *liveLane) looked(companyID int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[companyID]--; l.waiting[companyID] == 0 {
		delete(l.waiting, companyID)
	}
}

// isPoor reports whether an endpoint posts with those that fail or are slow.
func (l *liveLane) isPoor(id int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.poor[id]
}

// judge notes how the last POST to an endpoint went.
func (l *liveLane) judge(id int64, poor bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.poor, id)
	if poor {
		if len(l.poor) >= poorMost { // many may be gone
			clear(l.poor)
		}
		l.poor[id] = true
	}
}

// Live implements crm.CallbackPoster.
func (h *Hooks) Live(companyID int64, ev crm.CallbackEvent) {
	if len(h.Formats) == 0 || !h.live.room(companyID) {
		return
	}
	select {
	case h.live.events <- liveEvent{companyID: companyID, CallbackEvent: ev, came: time.Now()}:
	default:
		h.live.looked(companyID)
	}
}

// runLive posts live events until ctx ends.
func (h *Hooks) runLive(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-h.live.events:
			h.live.looked(ev.companyID)
			targets, err := h.rules.LiveTargets(ctx, ev.companyID, ev.Line)
			if err != nil {
				continue // the next one comes within seconds
			}
			for id, to := range targets {
				ev.to = to
				h.queueLive(ctx, id, ev)
			}
		}
	}
}

// queueLive has an event posted to an endpoint after those that wait for it.
func (h *Hooks) queueLive(ctx context.Context, id int64, ev liveEvent) {
	h.live.mu.Lock()
	defer h.live.mu.Unlock()
	list, runs := h.live.queues[id]
	if len(list) >= liveEach {
		return
	}
	h.live.queues[id] = append(list, ev)
	if !runs {
		h.group.Go(func() { h.postLive(ctx, id) })
	}
}

// postLive posts what waits for an endpoint.
func (h *Hooks) postLive(ctx context.Context, id int64) {
	for {
		h.live.mu.Lock()
		list := h.live.queues[id]
		if len(list) == 0 || ctx.Err() != nil {
			delete(h.live.queues, id)
			h.live.mu.Unlock()
			return
		}
		ev := list[0]
		h.live.queues[id] = list[1:]
		h.live.mu.Unlock()
		h.postOneLive(ctx, id, ev)
	}
}

// postOneLive posts the requests of an event to an endpoint, as that is now: it may have been changed
// or removed while the event waited.
func (h *Hooks) postOneLive(ctx context.Context, id int64, ev liveEvent) {
	if list, err := h.requests(ctx, ev.to, ev.CallbackEvent); err != nil || len(list) == 0 {
		return // without a place
	}
	places := h.lives
	if h.live.isPoor(id) {
		places = h.failing
	}
	leave := places.take(ctx, ev.companyID)
	if leave == nil {
		return
	}
	defer leave()
	of := ""
	for part := 0; time.Since(ev.came) < liveAge; part++ {
		targets, err := h.rules.LiveTargets(ctx, ev.companyID, ev.Line)
		to, wanted := targets[id]
		if err != nil || !wanted {
			return
		}
		list, err := h.requests(ctx, to, ev.CallbackEvent)
		if now := listOf(list); now != of { // settings have changed, or it is the first one
			of, part = now, 0
		}
		if err != nil || part >= len(list) {
			return
		}
		p := *h.policy(to.Format)
		p.Timeout = min(p.Timeout, h.Timeout)
		went := h.post(ctx, ctx, &p, list[part])
		if went.Reason != "" && ctx.Err() != nil {
			return
		}
		h.live.judge(id, went.Reason != "" || went.Duration >= h.Slow)
		err = h.rules.ReportLive(ctx, id, crm.CallbackReported{Event: ev.CallbackEvent, Part: int64(part), Name: list[part].Name, Nth: 1, Attempt: went})
		if err != nil && ctx.Err() == nil {
			h.Log.Warn("an attempt at an event that is not in the journal is missing in the log", "callback", id, "reason", "database", "error", err)
		}
	}
}

// CheckAddress implements crm.CallbackPoster. A name that cannot be resolved now may be later;
// what is dialled is checked again each time.
func (h *Hooks) CheckAddress(ctx context.Context, field, text string) error {
	if h.AllowPrivate {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	if failure := webpost.Check(ctx, text); failure != nil {
		return crm.Invalid(field, "%s", failure.Text)
	}
	return nil
}
