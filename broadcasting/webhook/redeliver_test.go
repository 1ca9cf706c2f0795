package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/webhook"
	"chatcast/broadcasting/webhook/storetest"
)

// A redelivery posts the events as they were, in a new body, with the app's secret of now, and
// whatever the endpoint's state is.
func TestRedeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		hook := to("http://r/")
		h := start(t, webhook.Options{Store: store, Apps: app(hook), Transport: r})
		h.Record(occupied("a"))
		h.Record(missed("cache-b"))
		time.Sleep(2 * time.Second)
		list := app(hook)
		list[0].Secret = "another secret"
		r.mu.Lock()
		r.secret = "another secret"
		r.mu.Unlock()
		logged := store.Log()[0]
		a, err := h.Redeliver(t.Context(), func() (webhook.Redelivery, error) {
			return webhook.Redelivery{App: list[0], Batch: logged.Batch, Events: logged.Events}, nil
		})
		if err != nil || a.App != "1" || a.Endpoint != logged.Endpoint || a.Kind != webhook.KindRedelivery || a.Status != 200 || a.Reason != "" || a.Events != logged.Events || a.Batch != logged.Batch || a.Nth != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		no := errors.New("no")
		if _, err := h.Redeliver(t.Context(), func() (webhook.Redelivery, error) { return webhook.Redelivery{}, no }); !errors.Is(err, no) {
			t.Errorf("what may not be read: %v", err)
		}
		r.exactly("channel_occupied a", "cache_miss cache-b", "channel_occupied a", "cache_miss cache-b")
		var bodies [2]struct {
			TimeMS int64 `json:"time_ms"`
			Events []any
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for i, text := range r.bodies {
			if err := json.Unmarshal([]byte(text), &bodies[i]); err != nil {
				t.Fatal(err)
			}
		}
		if bodies[1].TimeMS < bodies[0].TimeMS+1000 || fmt.Sprint(bodies[0].Events) != fmt.Sprint(bodies[1].Events) {
			t.Errorf("the bodies are %s", r.bodies)
		}
	})
}

// Who asked may go away: what was posted is still known. A POST does not hold up the end of the
// process for long.
func TestRedeliveryFinishes(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(h *running, cancel func())
		want  string // reason
	}{
		"the person goes away": {func(_ *running, cancel func()) { cancel() }, ""},
		"the process stops":    {func(h *running, _ func()) { h.Stopping() }, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t)
				r.answer = func(_ http.ResponseWriter, r *http.Request, _ int) {
					select {
					case <-time.After(4 * time.Second):
					case <-r.Context().Done():
					}
				}
				hook := to("http://r/")
				h := start(t, webhook.Options{Store: &storetest.Memory{}, Apps: app(hook), Transport: r})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				defer time.AfterFunc(time.Second, func() { c.leave(h, cancel) }).Stop()
				a, err := h.Redeliver(ctx, func() (webhook.Redelivery, error) {
					return webhook.Redelivery{App: app(hook)[0], Events: `{"name":"cache_miss","channel":"a"}`}, nil
				})
				if err != nil || a.Reason != c.want {
					t.Errorf("%+v, %v", a, err)
				}
			})
		})
	}
}

// Endpoints that hang take few places of those who ask, and none of the deliveries.
func TestRedeliveriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		r.answer = func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }
		hook := to("http://r/")
		h := start(t, webhook.Options{Store: &storetest.Memory{}, Apps: app(hook), Transport: r})
		again, began := webhook.Redelivery{App: app(hook)[0], Events: `{"name":"cache_miss","channel":"a"}`}, time.Now()
		results := make(chan error, 9)
		for range 9 {
			go func() {
				a, err := h.Redeliver(t.Context(), func() (webhook.Redelivery, error) { return again, nil })
				if err == nil && a.Reason != "timeout" {
					err = fmt.Errorf("%+v", a)
				}
				results <- err
			}()
		}
		busy := 0
		for range 9 {
			if err := <-results; errors.Is(err, webhook.ErrBusy) {
				busy++
			} else if err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); busy == 0 || took > 11*time.Second {
			t.Errorf("%d were refused, after %s", busy, took)
		}
	})
}
