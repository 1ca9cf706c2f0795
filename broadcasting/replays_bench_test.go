package broadcasting_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
)

// empty is a history in which nobody has missed anything. It answers once it is released.
type empty struct{ released chan struct{} }

func (h empty) View(_ context.Context, reader, _ string) (string, error) { return reader, nil }

func (h empty) Since(context.Context, string, string, int64, int) (broadcasting.Missed, error) {
	<-h.released
	return broadcasting.Missed{}, nil
}

// BenchmarkResumeOfManyPeople brings back 10,000 people of one company, each with a channel
// of their own. It measures how long their turns take, while the journal answers at once.
func BenchmarkResumeOfManyPeople(b *testing.B) {
	const people = 10_000
	for b.Loop() {
		e, h := broadcasting.NewEngine(broadcasting.Options{}), empty{make(chan struct{})}
		e.SetHistory(h, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		for i := range people {
			m, channel := connect(b, e, "1", strconv.Itoa(i), words("")), fmt.Sprint("private-", i)
			grant(b, e, "1", m.id, channel, strconv.Itoa(i))
			w := want(b, channel)
			w.NeedsGrant, w.Resume = true, true
			if err := m.Subscribe(context.Background(), w); err != nil {
				b.Fatal(err)
			}
		}
		began := time.Now()
		close(h.released)
		testwait.Count(b, "resumed sockets", people, func() int { return int(e.Stats().Resumed) })
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/storm")
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}
