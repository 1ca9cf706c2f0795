package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting/webhook"
)

// No process may change an unleased app, but every process may queue for it.
func noLease(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.refused(&webhook.Batch{Announced: []webhook.Subject{{App: "x", Channel: "c"}}}, "x")
	a.queues("x", "1")
	b.queues("x", "2")
	a.queues("x", "3")
	b.gets("x", "x", "1", "2", "3")
}

// The process with the lease gets what others queue, once and in order, and nothing
// that it queued itself or that belongs to others.
func queued(t *testing.T, s Subject) {
	a, b := s.processes(t)
	b.queues("x", "0")
	kept := a.gets("xy", "xy", "0")
	b.gets("z", "z")
	after := map[string]int64{"x": kept.Deliveries[0].ID, "y": 0}
	if list := a.others(after); len(list) > 0 {
		t.Fatalf("what was loaded is handed over again: %q", texts(list))
	}
	b.queues("x", "1", "2")
	a.queues("x", "mine")
	b.queues("z", "not mine")
	b.queues("y", "3")
	last := b.queues("x", "4")[0]
	a.queues("x", "mine too")
	list := a.others(after)
	got := texts(list)
	slices.Sort(got)
	if !slices.Equal(got, []string{"1", "2", "3", "4"}) {
		t.Fatalf("others queued %q", got)
	}
	if list := b.others(map[string]int64{"x": 0, "y": 0, "z": 0}); len(list) > 0 {
		t.Errorf("the process without the lease is handed %q", texts(list))
	}
	if list := a.others(map[string]int64{"y": 0}); !slices.Equal(texts(list), []string{"3"}) {
		t.Errorf("of y alone was handed over %q", texts(list))
	}
	if list := a.others(map[string]int64{"x": last.ID, "y": last.ID}); len(list) > 0 {
		t.Errorf("handed over twice: %q", texts(list))
	}
	many := make([]string, 1201) // more than one statement takes
	for i := range many {
		many[i] = fmt.Sprint("n", i)
	}
	b.queues("x", many...)
	if list := a.others(map[string]int64{"x": last.ID}); !slices.Equal(texts(list), many) {
		t.Errorf("of %d, %d were handed over, or not in order", len(many), len(list))
	}
}

// However many processes commit at one time, the process with the lease skips nothing,
// and the deliveries of each process keep their order.
func missesNothing(t *testing.T, s Subject) {
	const each = 30
	a, b := s.processes(t)
	c := &process{t, s.B, "c"}
	a.gets("x", "x")
	var group sync.WaitGroup
	errs := make(chan error, 2*each)
	for _, p := range []*process{b, c} {
		group.Go(func() {
			for i := range each {
				errs <- p.store.Commit(t.Context(), p.owner, &webhook.Batch{New: []webhook.Delivery{
					{App: "x", Endpoint: "e", Events: p.owner, Count: i, Created: time.UnixMilli(1)},
				}})
			}
		})
	}
	var got []webhook.Delivery
	after := int64(0)
	read := func() {
		for _, d := range a.others(map[string]int64{"x": after}) {
			got, after = append(got, d), d.ID
		}
	}
	for i := range 2 * each {
		if err := <-errs; err != nil {
			t.Error(err)
		}
		if i%5 == 0 {
			read()
		}
	}
	group.Wait()
	read()
	next := map[string]int{}
	for _, d := range got {
		if d.Count != next[d.Events] {
			t.Fatalf("of %s comes %d when %d is next", d.Events, d.Count, next[d.Events])
		}
		next[d.Events]++
	}
	if next["b"] != each || next["c"] != each {
		t.Errorf("handed over were %v, %d were committed by each", next, each)
	}
}
