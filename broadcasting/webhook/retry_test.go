package webhook_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
)

// A failing endpoint gets the same body again, byte for byte, at growing intervals.
// Later events wait behind it.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{}
		var at []time.Time
		r.answer = func(w http.ResponseWriter, _ *http.Request, nth int) {
			at = append(at, time.Now())
			if nth <= 8 {
				w.WriteHeader([]int{500, 404, 302, 410, 429, 400, 503, 501}[nth-1])
			}
		}
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r})
		h.Record(occupied("a"))
		time.Sleep(time.Second)
		h.Record(occupied("b"))
		time.Sleep(3 * time.Minute)
		r.exactly("channel_occupied a", "channel_occupied b")
		for i, body := range r.bodies[:9] {
			if body != r.bodies[0] {
				t.Errorf("attempt %d has another body: %s", i+1, body)
			}
		}
		for i := range 8 {
			most := min(time.Second<<i, 30*time.Second)
			if wait := at[i+1].Sub(at[i]); wait < most/2 || wait > most {
				t.Errorf("after attempt %d it waited %s, want %s to %s", i+1, wait, most/2, most)
			}
		}
		st := h.Stats().Endpoints[0]
		if st.Failed != 8 || st.Retried != 8 || st.Delivered != 2 || st.Posts != 2 || st.GivenUp != 0 {
			t.Errorf("the counters are %+v", st)
		}
		h.stop()
		if !strings.Contains(h.log.String(), "taken again") || !strings.Contains(h.log.String(), "answered 500") {
			t.Errorf("the log is\n%s", h.log)
		}
	})
}

// An endpoint that is down loses deliveries that have waited for five minutes, with a
// log line, and gets younger ones when it is up again.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{}
		begin, tried := time.Now(), 0
		r.answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
			tried++
			w.WriteHeader(500)
		}
		const url = "http://user:hunter2@r/hunter2?token=hunter2"
		e := to(url)
		e.Headers = map[string]string{"Authorization": "hunter2"}
		h := start(t, webhook.Options{Store: store, Apps: app(e), Transport: r})
		for i := range 60 { // one each 10 s: ten minutes
			h.Record(missed("cache-" + strconv.Itoa(i)))
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if since := time.Since(begin); since < 5*time.Minute && h.Stats().Endpoints[0].GivenUp > 0 {
				t.Fatalf("given up after %s", since)
			}
		}
		st := h.Stats().Endpoints[0]
		if st.GivenUp < 26 || st.GivenUp > 30 || st.Pending != 60-int(st.GivenUp) || st.Delivered != 0 {
			t.Errorf("the counters are %+v: what waited for 5 minutes is to be given up, and nothing else", st)
		}
		r.respond(nil)
		time.Sleep(time.Minute) // also for the record of the last deliveries given up, which is written a little later
		synctest.Wait()
		gave := slices.DeleteFunc(store.Log(), func(a webhook.Attempt) bool { return a.Kind != webhook.KindGivenUp })
		count := 0
		for _, a := range gave {
			count += a.Count
		}
		if count != int(st.GivenUp) || gave[0].Error != "answered 500" || !strings.Contains(gave[0].Events, `"cache-0"`) || tried < 20 || tried > 60 {
			t.Errorf("noted as given up: %+v after %d attempts", gave, tried)
		}
		var want []string
		for i := int(st.GivenUp); i < 60; i++ {
			want = append(want, "cache_miss cache-"+strconv.Itoa(i))
		}
		r.exactly(want...)
		h.stop()
		log := h.log.String()
		if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "given up") || strings.Contains(log, "hunter2") || strings.Contains(log, secret) {
			t.Errorf("the log is\n%s", log)
		}
		for _, a := range gave {
			if strings.Contains(a.Reason+a.Error, "hunter2") {
				t.Errorf("the reason is %s", a.Error)
			}
		}
	})
}

// Deliveries that wait behind a slow endpoint are not given up at its first failure.
func TestSlowIsNotDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		r.answer = func(w http.ResponseWriter, _ *http.Request, nth int) {
			time.Sleep(4 * time.Second)
			if nth == 100 {
				w.WriteHeader(500)
			}
		}
		e := to("http://r/")
		e.Single = true
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(e), Transport: r})
		var want []string
		for i := range 120 {
			h.Record(missed("cache-" + strconv.Itoa(i)))
			want = append(want, "cache_miss cache-"+strconv.Itoa(i))
		}
		time.Sleep(10 * time.Minute)
		r.exactly(want...)
		if st := h.Stats().Endpoints[0]; st.GivenUp != 0 || st.Failed != 1 {
			t.Errorf("the counters are %+v", st)
		}
	})
}

// An attempt at a hanging endpoint ends after five seconds.
func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		begin := time.Now()
		var left time.Duration
		r.answer = func(_ http.ResponseWriter, req *http.Request, nth int) {
			if nth == 1 {
				<-req.Context().Done()
				left = time.Since(begin)
			}
		}
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(to("http://r/")), Transport: r})
		h.Record(occupied("a"))
		time.Sleep(10 * time.Second)
		r.exactly("channel_occupied a")
		if left < 5*time.Second || left > 5200*ms {
			t.Errorf("it was left after %s", left)
		}
		h.stop()
		if !strings.Contains(h.log.String(), "reason=timeout") {
			t.Errorf("the log is\n%s", h.log)
		}
	})
}

// The end of the process waits briefly for a POST that is on its way, and leaves what
// was not accepted to the next start.
func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		taken bool // in time
	}{"finishes": {time.Second, true}, "is cut": {4 * time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, store := newReceiver(t), &memory{}
				r.answer = func(_ http.ResponseWriter, req *http.Request, _ int) {
					select {
					case <-time.After(c.takes):
					case <-req.Context().Done():
					}
				}
				o := webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r}
				h := start(t, o)
				h.Record(missed("cache-a"))
				time.Sleep(100 * ms)
				h.Record(missed("cache-b"))
				time.Sleep(100 * ms)
				h.Record(missed("cache-c"))
				begin := time.Now()
				h.stop()
				if took := time.Since(begin); took > 2100*ms {
					t.Errorf("the end took %s", took)
				}
				rows, _ := store.Left()
				if got := len(r.lines()) == 1; got != c.taken || rows != map[bool]int{true: 2, false: 3}[c.taken] {
					t.Errorf("taken: %q; %d rows are left", r.lines(), rows)
				}
				r.respond(nil)
				start(t, o)
				time.Sleep(time.Second)
				r.exactly("cache_miss cache-a", "cache_miss cache-b", "cache_miss cache-c")
			})
		})
	}
}

// Endpoints change while Hooks run: one that stays keeps its waiting deliveries, one
// that is removed loses them, and later POSTs are signed with a rotated secret.
func TestSetWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, store := newReceiver(t), newReceiver(t), &memory{}
		a.answer, b.answer = code(500), code(500)
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://a/"), to("http://b/")), Transport: byHost{"a": a, "b": b}})
		h.Record(missed("cache-1"))
		time.Sleep(time.Second)
		const rotated = "another secret"
		changed := to("http://b/")
		changed.Headers = map[string]string{"X-New": "1"}
		if err := h.Set([]apps.App{{ID: "1", Key: key, Secret: rotated, Webhooks: []apps.Webhook{changed}}}); err != nil {
			t.Fatal(err)
		}
		b.mu.Lock()
		b.secret = rotated
		b.mu.Unlock()
		b.respond(nil)
		time.Sleep(10 * time.Second)
		h.Record(missed("cache-2"))
		time.Sleep(10 * time.Second)
		b.exactly("cache_miss cache-1", "cache_miss cache-2")
		a.exactly()
		if b.header.Get("X-New") != "1" {
			t.Errorf("the headers are %v", b.header)
		}
		if st := h.Stats().Endpoints; len(st) != 1 || st[0].Endpoint != 0 || st[0].Delivered != 2 {
			t.Errorf("the counters are %+v", st)
		}
		if rows, _ := store.Left(); rows != 0 {
			t.Errorf("%d rows are left", rows)
		}
		if err := h.Set(app(to("http://a/"), to("ftp://hunter2/"))); err == nil || !strings.Contains(err.Error(), "webhooks[1].url: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a wrong endpoint: %v", err)
		}
		h.stop()
		if !strings.Contains(h.log.String(), "reason=endpoint_removed") {
			t.Errorf("the log is\n%s", h.log)
		}
		// Deliveries of an endpoint that is no longer configured are dropped at the
		// start.
		if err := store.Commit(t.Context(), "earlier", &webhook.Batch{New: []webhook.Delivery{{App: "9", Endpoint: "x", Events: "{}", Count: 1}}}); err != nil {
			t.Fatal(err)
		}
		start(t, webhook.Options{Store: store, Apps: app(changed), Transport: b}).stop()
		if rows, _ := store.Left(); rows != 0 {
			t.Errorf("%d rows are left at the next start", rows)
		}
	})
}

// Two endpoints may have the same URL.
func TestSameURLTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		first, second := to("http://r/"), to("http://r/")
		first.Events, second.Events = []string{"cache_miss"}, []string{"channel_occupied"}
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(first, second), Transport: r})
		h.Record(missed("cache-a"))
		time.Sleep(time.Second)
		h.Record(occupied("b"))
		time.Sleep(time.Second)
		r.exactly("cache_miss cache-a", "channel_occupied b")
		if st := h.Stats().Endpoints; len(st) != 2 || fmt.Sprint(st[0].Delivered, st[1].Delivered) != "1 1" {
			t.Errorf("the counters are %+v", st)
		}
	})
}
