package clustertest

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
)

// Bench measures how long an event takes from one node to another, published one at a time,
// and how many a node publishes in a second with 8 publishers.
func Bench(b *testing.B, nodes []*cluster.Node) {
	arrived := make(chan string, 1<<16)
	ctx, cancel := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	for i, n := range nodes {
		n.Broker().Attach(func(ev broadcasting.Event, _ uint64) {
			if i == 1 {
				arrived <- ev.Data
			}
		})
		n.Presence().Attach(nobody{})
		n.Control().Attach(func(context.Context, broadcasting.Order) broadcasting.Answer { return broadcasting.Answer{} })
		n.Broker().Interest("1", "news", true)
		for _, run := range []func(context.Context) error{n.Broker().Run, n.Presence().Run, n.Control().Run} {
			runs.Go(func() { _ = run(ctx) })
		}
	}
	defer func() { cancel(); runs.Wait() }()
	publish := func(b *testing.B, data string) {
		if err := nodes[0].Broker().Publish(ctx, broadcasting.Event{App: "1", Channel: "news", Name: "e", Data: data}); err != nil {
			b.Error(err)
		}
	}
	b.Run("one at a time", func(b *testing.B) {
		var took []time.Duration
		for i := range b.N {
			data := strconv.Itoa(i)
			began := time.Now()
			publish(b, data)
			for <-arrived != data {
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	})
	b.Run("8 publishers", func(b *testing.B) {
		var publishers sync.WaitGroup
		for i := range 8 {
			publishers.Go(func() {
				for range (b.N + 7 - i) / 8 {
					publish(b, "x")
				}
			})
		}
		for range b.N {
			<-arrived
		}
		publishers.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// nobody is a listener to whom nothing matters.
type nobody struct{}

func (nobody) OthersSubscribed(string, string)                       {}
func (nobody) OtherMemberAdded(string, string, *broadcasting.Member) {}
func (nobody) OtherMemberRemoved(string, string, string)             {}
func (nobody) OtherSignedIn(string, string, bool)                    {}
