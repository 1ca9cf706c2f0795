package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting/webhook"
)

// The next process loads what was committed unchanged and in order.
func keeps(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("x", "x")
	subjects := []webhook.Subject{
		{App: "x", Channel: "presence-\x00\xff'"}, {App: "x", Channel: "presence-\x00\xff'", Member: true, User: "ä\x00"}, {App: "x", Channel: "gone"},
	}
	batch := &webhook.Batch{Announced: subjects}
	for i := range 5 {
		batch.New = append(batch.New, webhook.Delivery{App: "x", Endpoint: "e", Events: fmt.Sprint(i), Count: i + 1, Created: time.UnixMilli(int64(i))})
	}
	a.commit(batch)
	ref := func(i int) webhook.Ref { return webhook.Ref{App: "x", ID: batch.New[i].ID} }
	a.commit(&webhook.Batch{
		Done: []webhook.Ref{ref(0), ref(3)}, Cleared: subjects[2:], Announced: subjects[:1],
		Failed:  []webhook.Failure{{Ref: ref(2), Attempts: 3, Reason: "answered 500", At: time.UnixMilli(9)}},
		GivenUp: []webhook.Attempt{{App: "x", Endpoint: "e", Kind: webhook.KindGivenUp, Batch: "b", Events: "3", Count: 4, Began: time.UnixMilli(9), Reason: "status", Error: "answered 500"}},
	})
	a.release("x")
	kept := b.gets("x", "x", "1", "2", "4")
	want := slices.Clone(batch.New[1:3])
	want[1].Attempts = 3
	for i, w := range want {
		if got := kept.Deliveries[i]; got != w {
			t.Errorf("delivery %d is %+v, want %+v", i, got, w)
		}
	}
	if len(kept.Announced) != 2 || !slices.Contains(kept.Announced, subjects[0]) || !slices.Contains(kept.Announced, subjects[1]) {
		t.Errorf("announced are %+v", kept.Announced)
	}
}

// An app that two processes want goes to the first that asks.
func one(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.queues("x", "1", "2")
	a.queues("y", "3")
	a.queues("z", "4")
	a.gets("xy", "xy", "1", "2", "3")
	b.gets("xyz", "z", "4")
	a.gets("xyz", "xy", "1", "2", "3") // again: its own apps
}

// The same holds when both ask at one time.
func atOnce(t *testing.T, s Subject) {
	a, b := s.processes(t)
	var apps []string
	for i := range 20 {
		apps = append(apps, string(rune('a'+i)))
		a.queues(apps[i], apps[i])
	}
	var group sync.WaitGroup
	var kept [2]webhook.Kept
	var errs [2]error
	for i, p := range []*process{a, b} {
		claim := p.claim(apps...)
		if i == 1 {
			claim.Apps = slices.Clone(apps)
			slices.Reverse(claim.Apps)
		}
		group.Go(func() { kept[i], errs[i] = p.store.Load(t.Context(), claim) })
	}
	group.Wait()
	if errs[0] != nil || errs[1] != nil {
		t.Fatal(errs)
	}
	all := append(slices.Clone(kept[0].Apps), kept[1].Apps...)
	slices.Sort(all)
	events := append(texts(kept[0].Deliveries), texts(kept[1].Deliveries)...)
	slices.Sort(events)
	if !slices.Equal(all, apps) || !slices.Equal(events, apps) {
		t.Errorf("leased are %q, handed over %q: each is for one", all, events)
	}
}

// A lease ends when its time is over by the store's clock, not before.
func expiry(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.queues("x", "1")
	a.gets("x", "x", "1")
	s.Pass(t, ttl-time.Second)
	b.gets("x", "")
	s.Pass(t, 2*time.Second)
	b.gets("x", "x", "1")
	a.gets("x", "")
	if apps := a.renew(); len(apps) > 0 {
		t.Errorf("the old owner renews %q", apps)
	}
}

// A lease that is given back can be taken at once. The lease of another process cannot
// be given back.
func release(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.queues("x", "1")
	a.queues("y", "2")
	a.gets("xy", "xy", "1", "2")
	b.release("x", "y")
	b.gets("xy", "")
	a.release("x")
	b.gets("xy", "x", "1")
	a.release("x", "y")
	b.gets("xy", "xy", "1", "2")
}

// A renewed lease lasts, and so does one that had expired but was not taken.
func renews(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("xy", "xy")
	for range 4 {
		s.Pass(t, ttl/3)
		if apps := a.renew(); !slices.Equal(apps, []string{"x", "y"}) {
			t.Fatalf("renewed are %q", apps)
		}
	}
	b.gets("xy", "")
	s.Pass(t, 2*ttl)
	a.commit(&webhook.Batch{Announced: []webhook.Subject{{App: "x", Channel: "c"}}})
	if apps := a.renew(); len(apps) != 2 {
		t.Fatalf("what was over and nobody took is %q", apps)
	}
	b.gets("xy", "")
	s.Pass(t, 2*ttl)
	b.gets("y", "y")
	if apps := a.renew(); !slices.Equal(apps, []string{"x"}) {
		t.Errorf("after another took y, renewed are %q", apps)
	}
}

// The old owner cannot change what belongs to the new one.
func fences(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("x", "x")
	refs := a.queues("x", "1", "2")
	room := webhook.Subject{App: "x", Channel: "room"}
	a.commit(&webhook.Batch{Announced: []webhook.Subject{room}})
	s.Pass(t, 2*ttl)
	b.gets("x", "x", "1", "2")
	failure := []webhook.Failure{{Ref: refs[0], Attempts: 7, Reason: "answered 500", At: time.UnixMilli(1)}}
	for _, batch := range []*webhook.Batch{
		{Done: refs}, {Failed: failure}, {GivenUp: []webhook.Attempt{{App: "x", Endpoint: "e", Kind: webhook.KindGivenUp, Batch: "b"}}}, {Announced: []webhook.Subject{{App: "x", Channel: "other"}}}, {Cleared: []webhook.Subject{room}},
	} {
		a.refused(batch, "x")
	}
	check := func(p *process) {
		t.Helper()
		kept := p.gets("x", "x", "1", "2")
		if kept.Deliveries[0].Attempts != 0 || !slices.Equal(kept.Announced, []webhook.Subject{room}) {
			t.Fatalf("kept is %+v", kept)
		}
	}
	check(b)
	b.release("x")
	a.refused(&webhook.Batch{Done: refs}, "x") // nor when no process has the lease
	check(a)
	a.commit(&webhook.Batch{Done: refs, Cleared: []webhook.Subject{room}})
	a.gets("x", "x")
}

// A refused batch has no effect.
func wholly(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("x", "x")
	b.gets("yz", "yz")
	refs := a.queues("x", "1")
	a.refused(&webhook.Batch{
		New:  []webhook.Delivery{{App: "x", Endpoint: "e", Events: "2", Count: 1}},
		Done: append(refs, webhook.Ref{App: "z", ID: 1}), Announced: []webhook.Subject{{App: "x", Channel: "c"}, {App: "y", Channel: "c"}},
	}, "yz")
	if kept := a.gets("x", "x", "1"); len(kept.Announced) > 0 {
		t.Errorf("announced are %+v", kept.Announced)
	}
}

// Rest claims apps that are no longer configured but of which something is kept.
func rest(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.queues("x", "1")
	a.queues("y", "2")
	a.gets("z", "z")
	a.commit(&webhook.Batch{Announced: []webhook.Subject{{App: "z", Channel: "c"}}})
	claim := b.claim("x")
	claim.Rest = true
	b.compare(b.load(claim), "xy", "1", "2")
	a.release("z")
	if kept := b.compare(b.load(claim), "xyz", "1", "2"); len(kept.Announced) != 1 {
		t.Errorf("announced are %+v", kept.Announced)
	}
}

// A process that is alone does not wait for leases. The previous owner is refused.
func alone(t *testing.T, s Subject) {
	a, b := s.processes(t)
	a.gets("x", "x")
	refs := a.queues("x", "1")
	claim := b.claim("x")
	claim.Alone = true
	b.compare(b.load(claim), "x", "1")
	a.refused(&webhook.Batch{Done: refs}, "x")
	b.commit(&webhook.Batch{Done: refs})
}

// Times that processes pass do not affect leases: those of a are an hour late, those of
// b an hour early, and the store's clock is elsewhere.
func skew(t *testing.T, s Subject) {
	a, b := s.processes(t)
	s.Pass(t, 100*time.Hour)
	late, early := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	a.gets("x", "x")
	batch := &webhook.Batch{New: []webhook.Delivery{{App: "x", Endpoint: "e", Events: "1", Count: 1, Created: late}}}
	a.commit(batch)
	a.commit(&webhook.Batch{Failed: []webhook.Failure{{Ref: webhook.Ref{App: "x", ID: batch.New[0].ID}, Attempts: 1, At: late}}})
	b.commit(&webhook.Batch{New: []webhook.Delivery{{App: "x", Endpoint: "e", Events: "2", Count: 1, Created: early}}})
	b.gets("x", "")
	s.Pass(t, ttl-time.Second)
	b.gets("x", "")
	s.Pass(t, 2*time.Second)
	b.gets("x", "x", "1", "2")
	a.gets("x", "")
}
