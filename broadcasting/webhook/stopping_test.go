package webhook_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/webhook"
)

// Once a process has announced that it stops, it waits for the POST that is on its way
// and begins no other: a slow endpoint holds up the next process only while sockets are
// still served. What was recorded is kept, also what comes later.
func TestStoppingPostsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{}
		r.answer = func(_ http.ResponseWriter, req *http.Request, _ int) {
			select {
			case <-time.After(time.Second):
			case <-req.Context().Done():
			}
		}
		o := webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r}
		h := start(t, o)
		h.Record(missed("cache-a"))
		time.Sleep(100 * ms) // it is on its way
		h.Record(missed("cache-b"))
		time.Sleep(100 * ms)
		began := time.Now()
		h.Stopping()
		h.Record(missed("cache-c"))
		h.Quiet(t.Context())
		if took := time.Since(began); took > time.Second {
			t.Errorf("the POST on its way took %v", took)
		}
		r.exactly("cache_miss cache-a")
		h.Record(missed("cache-d"))
		time.Sleep(10 * time.Second)
		r.exactly("cache_miss cache-a")
		began = time.Now()
		h.stop()
		if took := time.Since(began); took > 100*ms {
			t.Errorf("the end took %v", took)
		}
		r.respond(nil)
		start(t, o)
		time.Sleep(time.Second)
		r.exactly("cache_miss cache-a", "cache_miss cache-b", "cache_miss cache-c", "cache_miss cache-d")
	})
}

// Quiet waits no longer than its context.
func TestQuietInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(to("http://r/")), Transport: newReceiver(t)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		h.Quiet(ctx) // without Stopping
		if took := time.Since(began); took != time.Second {
			t.Errorf("it waited for %v", took)
		}
	})
}
