package broadcasting_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// memoryJournal is a journal in memory with faults that the tests set.
type memoryJournal struct {
	mu        sync.Mutex // guards all below
	committed []broadcasting.Entry
	times     []time.Time
	numbered  int
	published int64
	pruned    int
	markFails int // how many more times MarkPublished fails
	leads     int
	lose      context.CancelCauseFunc // ends the leadership
}

func (j *memoryJournal) commit(name string, channels ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.committed = append(j.committed, broadcasting.Entry{Name: name, Channels: channels, Data: "{}"})
	j.times = append(j.times, time.Now())
}

func (j *memoryJournal) Lead(ctx context.Context, appended func(), lead func(context.Context) error) error {
	held, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	defer lose(nil)
	j.mu.Lock()
	j.leads++
	j.lose = lose
	j.mu.Unlock()
	appended()
	return lead(held)
}

func (j *memoryJournal) Number(ctx context.Context, limit int) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(limit, len(j.committed)-j.numbered)
	for range n {
		j.committed[j.numbered].Seq = int64(j.numbered + 1)
		j.numbered++
	}
	return n, ctx.Err()
}

func (j *memoryJournal) Unpublished(ctx context.Context, limit int) ([]broadcasting.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rest := j.committed[j.published:j.numbered]
	return slices.Clone(rest[:min(limit, len(rest))]), ctx.Err()
}

func (j *memoryJournal) MarkPublished(_ context.Context, seq int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.markFails > 0 {
		j.markFails--
		return errors.New("mark fails")
	}
	j.published = max(j.published, seq)
	return nil
}

func (j *memoryJournal) Prune(_ context.Context, before time.Time, limit int) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for n < limit && int64(j.pruned) < j.published && j.times[j.pruned].Before(before) {
		j.pruned++
		n++
	}
	return n, nil
}

// state returns what is published and pruned.
func (j *memoryJournal) state() (published int64, pruned int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.published, j.pruned
}

// publisher records published events, and fails when told to.
type publisher struct {
	mu    sync.Mutex // guards all below
	got   []string   // "seq name channel"
	fails int
	stuck bool // Publish waits for its context
}

func (b *publisher) publish(ctx context.Context, ev broadcasting.Event) error {
	b.mu.Lock()
	stuck := b.stuck
	b.mu.Unlock()
	if stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails > 0 && ev.Channel != "first" {
		b.fails--
		return errors.New("broker is down")
	}
	b.got = append(b.got, fmt.Sprint(ev.Seq, " ", ev.Name, " ", ev.Channel))
	return nil
}

func (b *publisher) wants(t *testing.T, want ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.got, want) {
		t.Errorf("published %q, want %q", b.got, want)
	}
}

// inBubble runs the test in fake time with a running relay. stop ends the relay and
// returns when it has ended.
func inBubble(t *testing.T, o broadcasting.RelayOptions, test func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		j, b := &memoryJournal{}, &publisher{}
		o.Journal, o.Publish, o.App, o.Log = j, b.publish, "1", slog.New(slog.DiscardHandler)
		r := broadcasting.NewRelay(o)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := r.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		}()
		stop := func() { cancel(); <-ended }
		defer stop()
		synctest.Wait()
		test(t, j, b, r, stop)
	})
}

func TestRelayPublishesInOrderToEachChannel(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		j.commit("message", "x", "y")
		j.commit("chatRead", "x")
		j.commit("nobody's")
		j.commit("message", "y")
		r.Wake()
		synctest.Wait()
		b.wants(t, "1 message x", "1 message y", "2 chatRead x", "4 message y")
		if published, _ := j.state(); published != 4 {
			t.Errorf("marked up to %d, want 4", published)
		}
		if h := r.Health(); !h.Leading || h.Published != 4 || h.Entries != 4 || r.Ready() != nil {
			t.Errorf("health = %+v, ready = %v", h, r.Ready())
		}
	})
}

func TestRelayTakesManyBatches(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		const n = 1777
		want := make([]string, n)
		for i := range n {
			j.commit("e", "x")
			want[i] = fmt.Sprint(i+1, " e x")
		}
		r.Wake()
		synctest.Wait()
		b.wants(t, want...)
	})
}

func TestRelayLooksWithoutBeingWoken(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Poll: time.Second}, func(t *testing.T, j *memoryJournal, b *publisher, _ *broadcasting.Relay, _ func()) {
		j.commit("e", "x")
		synctest.Wait()
		b.wants(t)
		time.Sleep(time.Second) // of the bubble
		synctest.Wait()
		b.wants(t, "1 e x")
	})
}

func TestRelayWakeNeverBlocks(t *testing.T) {
	r := broadcasting.NewRelay(broadcasting.RelayOptions{})
	for range 1000 {
		r.Wake() // it is not running
	}
}

func TestRelayRetriesWithoutSkippingOrRepeating(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Poll: time.Hour}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		b.fails = 3
		j.commit("a", "first", "second")
		j.commit("b", "first")
		r.Wake()
		synctest.Wait()
		b.wants(t, "1 a first")
		if r.Ready() == nil || r.Health().Err == nil {
			t.Error("ready although the broker is down")
		}
		time.Sleep(100*time.Millisecond + 200*time.Millisecond + 400*time.Millisecond - 1)
		synctest.Wait()
		b.wants(t, "1 a first")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		b.wants(t, "1 a first", "1 a second", "2 b first")
		if err := r.Ready(); err != nil {
			t.Errorf("not ready after the bus came back: %v", err)
		}
		if n := r.Health().Entries; n != 2 {
			t.Errorf("counts %d entries, want 2", n)
		}
	})
}

func TestRelayDoesNotRepeatWhatOnlyTheMarkMissed(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Poll: time.Hour}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		j.markFails = 2
		j.commit("a", "x")
		j.commit("b", "x")
		r.Wake()
		time.Sleep(time.Second)
		synctest.Wait()
		b.wants(t, "1 a x", "2 b x")
		if published, _ := j.state(); published != 2 || r.Health().Entries != 2 {
			t.Errorf("marked up to %d, counts %d, want 2 and 2", published, r.Health().Entries)
		}
	})
}

func TestRelayFinishesBeforeItEnds(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Poll: time.Hour}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, stop func()) {
		b.fails = 1 // an event that must be retried is sent too
		j.commit("committed before the end", "x")
		stop()
		b.wants(t, "1 committed before the end x")
		if h := r.Health(); h.Leading || h.Listening || r.Ready() == nil {
			t.Errorf("health after the end = %+v", h)
		}
	})
}

func TestRelayEndsThoughTheBrokerIsStuck(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Grace: 3 * time.Second}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, stop func()) {
		b.stuck = true
		j.commit("e", "x")
		r.Wake()
		synctest.Wait()
		start := time.Now()
		stop()
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("ended after %s, want the grace of 3s", took)
		}
		if published, _ := j.state(); published != 0 {
			t.Error("what was not published is marked")
		}
	})
}

func TestRelayLosesAndRegainsTheLead(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Poll: time.Hour}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		j.commit("a", "x")
		r.Wake()
		synctest.Wait()
		j.lose(errors.New("connection broke"))
		synctest.Wait()
		if h := r.Health(); h.Leading || r.Ready() == nil {
			t.Errorf("health without the lead = %+v", h)
		}
		j.commit("b", "x")
		time.Sleep(time.Second)
		synctest.Wait()
		b.wants(t, "1 a x", "2 b x")
		if j.leads != 2 || r.Ready() != nil {
			t.Errorf("led %d times, ready = %v", j.leads, r.Ready())
		}
	})
}

func TestRelayStopsAtOnceWhenTheLeadIsLost(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Grace: time.Hour}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		b.stuck = true
		j.commit("e", "x")
		r.Wake()
		synctest.Wait()
		j.lose(errors.New("connection broke"))
		synctest.Wait()
		if h := r.Health(); h.Leading {
			t.Errorf("still leads: %+v", h)
		}
	})
}

func TestRelayPrunes(t *testing.T) {
	inBubble(t, broadcasting.RelayOptions{Retention: time.Hour}, func(t *testing.T, j *memoryJournal, b *publisher, r *broadcasting.Relay, _ func()) {
		const n = 1200 // more than two batches
		for range n {
			j.commit("old", "x")
		}
		r.Wake()
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, pruned := j.state(); pruned != 0 {
			t.Errorf("%d entries were pruned within the retention", pruned)
		}
		j.commit("young", "x")
		r.Wake()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, pruned := j.state(); pruned != n {
			t.Errorf("pruned %d, want the %d old ones", pruned, n)
		}
	})
}
