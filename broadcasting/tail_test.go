package broadcasting_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// tailed is a memoryJournal whose entries are read by every node.
type tailed struct {
	*memoryJournal
	grown chan struct{}
	err   error
}

func (j *tailed) LastPublished(context.Context) (int64, error) {
	published, _ := j.state()
	return published, j.err
}

func (j *tailed) PublishedAfter(_ context.Context, seq int64, limit int) ([]broadcasting.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from := max(seq, int64(j.pruned))
	if from >= j.published || j.err != nil {
		return nil, j.err
	}
	list := j.committed[from:j.published]
	return append([]broadcasting.Entry(nil), list[:min(limit, len(list))]...), nil
}

func (j *tailed) Grown() <-chan struct{} { return j.grown }

func (j *tailed) Mark(context.Context) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.published = int64(j.numbered)
	return j.published, nil
}

// TestTail tests that a node delivers what the relay marks, from its start on, once and in
// order, also when it is not woken or the journal fails, and that it notices a gap.
func TestTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &tailed{memoryJournal: &memoryJournal{}, grown: make(chan struct{})}
		b, missed := &publisher{}, 0
		log := slog.New(slog.DiscardHandler)
		relay := broadcasting.NewRelay(broadcasting.RelayOptions{Journal: j, Mark: j.Mark, App: "1", Log: log})
		tail := broadcasting.NewTail(broadcasting.TailOptions{
			Journal: j, Deliver: b.publish, App: "1", Log: log, Missed: func() { missed++ },
		})
		ctx, cancel := context.WithCancel(t.Context())
		j.commit("before", "a")
		run := func(f func(context.Context) error) (wait func()) {
			ended := make(chan error, 1)
			go func() { ended <- f(ctx) }()
			return func() {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
		}
		relayed := run(relay.Run)
		synctest.Wait()
		if err := tail.Start(ctx); err != nil {
			t.Fatal(err)
		}
		delivered := run(tail.Run)
		commit := func(name string, channels ...string) {
			j.commit(name, channels...)
			relay.Wake()
			synctest.Wait()
		}
		commit("x", "a", "b")
		time.Sleep(time.Second) // nobody wakes the tail: it looks
		synctest.Wait()
		b.wants(t, "2 x a", "2 x b")
		if h := relay.Health(); h.Published != 2 || h.Entries != 1 {
			t.Errorf("the relay says %+v", h)
		}

		j.mu.Lock()
		j.err = fmt.Errorf("the journal is away")
		j.mu.Unlock()
		commit("y", "a")
		time.Sleep(time.Second)
		synctest.Wait()
		if tail.Ready() == nil {
			t.Error("it is ready and cannot read")
		}
		j.mu.Lock()
		j.err = nil
		j.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		b.wants(t, "2 x a", "2 x b", "3 y a")
		if err := tail.Ready(); err != nil || missed > 0 {
			t.Errorf("%v, %d missed", err, missed)
		}

		j.mu.Lock()
		j.pruned = 4
		j.mu.Unlock()
		commit("gone", "a")
		commit("z", "a")
		time.Sleep(time.Second)
		synctest.Wait()
		b.wants(t, "2 x a", "2 x b", "3 y a", "5 z a")
		if missed != 1 {
			t.Errorf("a gap was noticed %d times", missed)
		}
		cancel()
		relayed()
		delivered()
	})
}
