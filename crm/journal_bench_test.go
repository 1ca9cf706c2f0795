package crm_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
	"chatcast/models/testdb"
)

// BenchmarkCommitToPublish measures the time from one change until the relay publishes
// its event.
func BenchmarkCommitToPublish(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			store := testdb.Open(b, url(b))
			published := make(chan struct{})
			relay := broadcasting.NewRelay(broadcasting.RelayOptions{
				Journal: crm.NewJournal(store), Poll: time.Hour, Log: slog.New(slog.DiscardHandler),
				Publish: func(context.Context, broadcasting.Event) error { published <- struct{}{}; return nil },
			})
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- relay.Run(ctx) }()
			defer func() { cancel(); <-ended }()
			b.ReportAllocs()
			var commits time.Duration
			for b.Loop() {
				start := time.Now()
				if err := appendNamed(b.Context(), store, "e"); err != nil {
					b.Fatal(err)
				}
				commits += time.Since(start)
				relay.Wake()
				<-published
			}
			b.ReportMetric(float64(commits.Microseconds())/float64(b.N), "µs/commit")
		})
	}
}
