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
	liveEach    = 50               // events that wait for one endpoint
	liveAge     = 20 * time.Second // after which an event is left out: codes are no longer good then
	resolveTime = 3 * time.Second
)

// liveLane holds events that are not in the journal: codes, and who types. They are posted once,
// in their order, beside what is in the journal, and what finds no room is lost.
type liveLane struct {
	events chan liveEvent

	mu     sync.Mutex
	queues map[int64][]liveEvent // by endpoint, while a goroutine posts to it; guarded by mu
}

type liveEvent struct {
	companyID int64
	crm.CallbackEvent
	to   crm.CallbackTarget // when it happened
	came time.Time
}

func newLiveLane() *liveLane {
	return &liveLane{events: make(chan liveEvent, liveMost), queues: map[int64][]liveEvent{}}
}

// Live implements crm.CallbackPoster.
func (h *Hooks) Live(companyID int64, ev crm.CallbackEvent) {
	if len(h.Formats) == 0 {
		return
	}
	select {
	case h.live.events <- liveEvent{companyID: companyID, CallbackEvent: ev, came: time.Now()}:
	default:
	}
}

// runLive posts live events until ctx ends.
func (h *Hooks) runLive(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-h.live.events:
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
	leave := h.failing.take(ctx, ev.companyID)
	if leave == nil {
		return
	}
	defer leave()
	for part := 0; time.Since(ev.came) < liveAge; part++ {
		targets, err := h.rules.LiveTargets(ctx, ev.companyID, ev.Line)
		to, wanted := targets[id]
		if err != nil || !wanted {
			return
		}
		list, err := h.requests(ctx, to, ev.CallbackEvent)
		if err != nil || part >= len(list) {
			return
		}
		p := *h.policy(to.Format)
		p.Timeout = min(p.Timeout, h.Timeout)
		went := h.post(ctx, ctx, &p, list[part])
		if went.Reason != "" && ctx.Err() != nil {
			return
		}
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
