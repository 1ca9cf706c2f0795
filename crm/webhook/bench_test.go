package webhook_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// BenchmarkCallbacks posts b.N events to a receiver that fails for one in ten and hangs for
// one in a hundred: each must come, in order, and a rewind must give exactly the rest. It
// reports how long events of another line took, one after another, to a receiver that works:
// alone, and meanwhile. Run it with -benchtime=100000x.
func BenchmarkCallbacks(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		b.Run(name, func(b *testing.B) { benchmarkCallbacks(b, testdb.Open(b, url(b))) })
	}
}

// flaky is a receiver that fails and hangs, and notes what it took.
type flaky struct {
	mu    sync.Mutex
	taken []string // Webhook-Id of what it answered with 200, in order
}

func (f *flaky) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if body, err := io.ReadAll(r.Body); err != nil || len(body) == 0 {
		return
	}
	switch {
	case rand.N(100) == 0:
		<-r.Context().Done()
	case rand.N(10) == 0:
		rw.WriteHeader(500)
	case r.Context().Err() == nil:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.taken = append(f.taken, r.Header.Get("Webhook-Id"))
	}
}

// take returns what was taken, without repetitions of the last one, and forgets it.
func (f *flaky) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.Compact(f.taken)
	f.taken = nil
	return list
}

func benchmarkCallbacks(b *testing.B, store *models.Store) {
	w := &world{World: crmtest.New(b, store), t: b, log: &testwait.Output{}}
	w.relayed()
	w.hooks = webhook.New(webhook.Options{Log: slog.New(slog.DiscardHandler), AllowPrivate: true, Timeout: 100 * time.Millisecond, Lease: 10 * time.Second, Retry: time.Millisecond})
	w.hooks.Serve(w.Service)
	w.Callbacks = w.hooks
	var bad flaky
	atBad := httptest.NewServer(&bad)
	b.Cleanup(atBad.Close)
	came := make(chan struct{}, 1)
	var newest atomic.Value // Webhook-Id: a slow answer is taken for none, and the event comes again
	well := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("Webhook-Id")
		if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 && newest.Swap(id) != id {
			came <- struct{}{}
		}
	}))
	b.Cleanup(well.Close)
	d := w.set(line, crm.CallbackInput{URL: atBad.URL})
	second := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
	w.set(second, crm.CallbackInput{URL: well.URL})
	w.run()
	ctx, end := context.WithTimeout(b.Context(), testwait.Scaled(time.Hour))
	defer end()
	p99 := func(over func(n int) bool) float64 {
		var took []time.Duration
		for len(took) == 0 || !over(len(took)) && ctx.Err() == nil {
			began := time.Now()
			w.happen(second, "100", 1)
			<-came
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return float64(took[len(took)*99/100].Microseconds()) / 1000
	}
	alone := p99(func(n int) bool { return n == 200 })

	first := w.last() + 1
	b.ResetTimer()
	w.happen(line, "79990001122@c.us", b.N)
	last := w.last()
	meanwhile := p99(func(int) bool { return w.status(d.ID).LastEventID >= last })
	b.StopTimer()
	b.ReportMetric(alone, "other-p99-alone-ms")
	b.ReportMetric(meanwhile, "other-p99-ms")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")

	var all []string
	for id := first; id <= last; id++ {
		all = append(all, fmt.Sprint("event_", id))
	}
	if got := bad.take(); !slices.Equal(got, all) {
		b.Fatalf("%d events came, want %d, each once and in order", len(got), len(all))
	}
	from := first + int64(b.N)*9/10 - 1
	if _, err := w.RewindCallback(ctx, w.Owner, d.ID, crm.CallbackRewind{EventID: crm.Value(from)}); err != nil {
		b.Fatal(err)
	}
	w.await(d.ID, "the rest has come again", func(d crm.CallbackData) bool { return d.LastEventID >= last })
	if got := bad.take(); !slices.Equal(got, all[from-first+1:]) {
		b.Errorf("after the rewind %d events came, want %d", len(got), len(all[from-first+1:]))
	}
}
