package webhook_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/crm"
	"chatcast/crm/webhook"
)

// slow is a receiver that answers after four seconds.
type slow struct{}

func (slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(4 * time.Second):
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// Who asked for a POST may go away: what was posted is still known. It does not hold up the end
// of the process for long.
func TestPostFinishes(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(h *webhook.Hooks, cancel func())
		want  string // reason
	}{
		"the person goes away": {func(_ *webhook.Hooks, cancel func()) { cancel() }, ""},
		"the process stops":    {func(h *webhook.Hooks, _ func()) { h.Stopping() }, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := webhook.New(webhook.Options{Log: slog.New(slog.DiscardHandler)})
				h.Through(slow{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				defer time.AfterFunc(time.Second, func() { c.leave(h, cancel) }).Stop()
				went, err := h.Post(ctx, 1, func() (crm.CallbackTarget, crm.CallbackEvent, error) {
					to := crm.CallbackTarget{URL: "http://r.example/", Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of the tests"))}
					return to, crm.CallbackEvent{ID: 1, Name: "message", Body: []byte("{}")}, nil
				})
				if err != nil || went.Reason != c.want {
					t.Errorf("%+v, %v", went, err)
				}
			})
		})
	}
}
