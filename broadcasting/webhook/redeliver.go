package webhook

import (
	"context"
	"errors"
	"slices"
	"time"

	"chatcast/broadcasting/apps"
)

// Bounds of what people ask for.
const (
	askedAtOnce = 4
	askedWait   = 5 * time.Second // for a place
)

// ErrBusy means that too many POSTs that people asked for are under way.
var ErrBusy = errors.New("webhook: too many POSTs that people asked for are under way")

// Redelivery is what to post once more: events, as JSON objects joined with commas, to one of
// the webhooks of an app that was checked.
type Redelivery struct {
	App    apps.App
	Index  int    // of the webhook
	Batch  string // that names the events
	Events string
}

// Redeliver waits for its turn, and posts once what read returns then. Whatever waits for the
// endpoint does not matter, and does not change. The result is how that went; nothing is kept
// of it. An error is that of read, or ErrBusy. A POST that has begun goes on when ctx ends: it
// may have arrived, and somebody has to be told.
func (h *Hooks) Redeliver(ctx context.Context, read func() (Redelivery, error)) (Attempt, error) {
	place, cancel := context.WithTimeout(ctx, askedWait)
	defer cancel()
	select {
	case h.asked <- struct{}{}:
		defer func() { <-h.asked }()
	case <-place.Done():
		if ctx.Err() != nil {
			return Attempt{}, ctx.Err()
		}
		return Attempt{}, ErrBusy
	}
	r, err := read()
	if err != nil {
		return Attempt{}, err
	}
	to := newEndpoint(r.App, r.Index, r.App.Webhooks[r.Index].Clone(), r.App.WebhookIDs()[r.Index])
	request, end := finishing(ctx, h.stopping, postTime)
	defer end()
	a := to.post(request, h.client, body(time.Now().UnixMilli(), r.Events), postTime)
	a.Kind, a.Batch, a.Events, a.Nth = KindRedelivery, r.Batch, r.Events, 1
	return a, nil
}

// Resumed is called after a person has resumed an endpoint, so that this process looks at
// once; others do within a second.
func (h *Hooks) Resumed() {
	select {
	case h.looks <- struct{}{}:
	default:
	}
}

// lookForResumed sees what people have resumed, in any process.
func (h *Hooks) lookForResumed(ctx context.Context) error {
	ask := false
	for key, s := range h.senders {
		_, leased := h.leased[key.app]
		ask = ask || leased && s.asks()
	}
	if !ask {
		return nil
	}
	states, err := h.store.States(ctx, h.owner)
	if err == nil {
		h.restore(nil, states)
	}
	return err
}

// restore takes the states that the store has of leased apps; nil: of all of them. One that
// is missing is the zero state.
func (h *Hooks) restore(apps []string, states []State) {
	found := map[senderKey]State{}
	for _, st := range states {
		found[senderKey{st.App, st.Endpoint}] = st
	}
	for key, s := range h.senders {
		if _, leased := h.leased[key.app]; leased && (apps == nil || slices.Contains(apps, key.app)) {
			s.restore(found[key])
		}
	}
}
