package webhook_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
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
// one in a hundred, and events of another line, one after another, to one that works: it
// reports how long those took. Run it with -benchtime=100000x.
func BenchmarkCallbacks(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		b.Run(name, func(b *testing.B) { benchmarkCallbacks(b, testdb.Open(b, url(b))) })
	}
}

func benchmarkCallbacks(b *testing.B, store *models.Store) {
	w := &world{World: crmtest.New(b, store), t: b, log: &testwait.Output{}}
	w.relayed()
	w.hooks = webhook.New(webhook.Options{Log: slog.New(slog.DiscardHandler), AllowPrivate: true, Timeout: 100 * time.Millisecond, Lease: 10 * time.Second, Retry: time.Millisecond})
	w.hooks.Serve(w.Service)
	w.Callbacks = w.hooks
	var taken atomic.Int64
	flaky := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || len(body) == 0 {
			return
		}
		switch {
		case rand.N(100) == 0:
			<-r.Context().Done()
		case rand.N(10) == 0:
			rw.WriteHeader(500)
		default:
			taken.Add(1)
		}
	}))
	b.Cleanup(flaky.Close)
	came := make(chan struct{}, 1)
	well := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 {
			came <- struct{}{}
		}
	}))
	b.Cleanup(well.Close)
	d := w.set(line, crm.CallbackInput{URL: flaky.URL})
	second := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
	w.set(second, crm.CallbackInput{URL: well.URL})
	w.happen(line, "79990001122@c.us", b.N)
	last := w.last()
	b.ResetTimer()
	stop := background(b, w.hooks.Run)
	b.Cleanup(stop)
	var took []time.Duration
	ctx, end := context.WithTimeout(b.Context(), testwait.Scaled(time.Hour))
	defer end()
	for w.status(d.ID).LastEventID < last && ctx.Err() == nil {
		began := time.Now()
		w.happen(second, "100", 1)
		<-came
		took = append(took, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "other-p99-ms")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
