package crm_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// testRelay is a running relay. Its published events must be received from events.
type testRelay struct {
	relay  *broadcasting.Relay
	events chan broadcasting.Event
	leads  chan struct{} // receives one value each time it becomes the leader
	stop   func()        // ends it as SIGTERM would; may be called again
}

// startRelay runs a relay over the journal that reads it only when it is woken.
func startRelay(t *testing.T, name string, journal broadcasting.Journal) *testRelay {
	t.Helper()
	r := &testRelay{events: make(chan broadcasting.Event, 1000), leads: make(chan struct{}, 10)}
	r.relay = broadcasting.NewRelay(broadcasting.RelayOptions{
		Journal: leadWatch{journal, r.leads}, Poll: time.Hour, App: "1", Log: slog.New(slog.DiscardHandler),
		Publish: func(_ context.Context, ev broadcasting.Event) error { r.events <- ev; return nil },
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.relay.Run(ctx); close(ended) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("relay %s: %v", name, err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// leadWatch reports when the relay leads, and lets it lead only once.
type leadWatch struct {
	broadcasting.Journal
	leads chan struct{}
}

func (j leadWatch) Lead(ctx context.Context, appended func(), lead func(context.Context) error) error {
	if len(j.leads) > 0 { // it has led and lost the lead: a dead node does not come back
		<-ctx.Done()
		return ctx.Err()
	}
	return j.Journal.Lead(ctx, appended, func(held context.Context) error {
		j.leads <- struct{}{}
		return lead(held)
	})
}

// next returns the next event that the relay publishes.
func (r *testRelay) next(t *testing.T) broadcasting.Event {
	t.Helper()
	select {
	case ev := <-r.events:
		return ev
	case <-time.After(testwait.Long):
		t.Fatal("the relay publishes nothing")
		panic("unreachable")
	}
}

// wants receives as many events as want has, as "seq name". No more may have been
// published by then.
func (r *testRelay) wants(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		ev := r.next(t)
		if got := fmt.Sprint(ev.Seq, " ", ev.Name); got != w || ev.Channel != journalChannel || ev.App != "1" {
			t.Fatalf("published %s on %s of app %s, want %s", got, ev.Channel, ev.App, w)
		}
		if want := fmt.Sprintf(`{"payload":{"data":[],"meta":{"type":"%s","eventId":%d}}}`, ev.Name, ev.Seq); ev.Data != want {
			t.Fatalf("data = %s, want %s", ev.Data, want)
		}
	}
	if len(r.events) > 0 {
		t.Fatalf("published too much: %+v", <-r.events)
	}
}

// notifyAppended wakes the leading relay, as the program does on each node after a commit.
func notifyAppended(t *testing.T, store *models.Store) {
	t.Helper()
	if err := store.NotifyAppended(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestTwoRelays checks that one of two nodes relays for both, and that the other takes
// over when its connection breaks.
func TestTwoRelays(t *testing.T) {
	url := testdb.PostgresURL(t)
	stores := []*models.Store{testdb.Open(t, url), testdb.Open(t, url)}
	nodes := []*testRelay{startRelay(t, "one", crm.NewJournal(stores[0])), startRelay(t, "two", crm.NewJournal(stores[1]))}
	var leader, other int
	select {
	case <-nodes[0].leads:
		leader, other = 0, 1
	case <-nodes[1].leads:
		leader, other = 1, 0
	case <-time.After(testwait.Long):
		t.Fatal("nobody leads")
	}
	nodes[leader].leads <- struct{}{} // leadWatch expects it: the node has led

	// Commit on the standby node, which can reach the leader only through the database.
	if err := appendNamed(t.Context(), stores[other], "a"); err != nil {
		t.Fatal(err)
	}
	notifyAppended(t, stores[other])
	nodes[leader].wants(t, "1 a")

	if n := testdb.KillLockHolders(t, url); n != 1 {
		t.Fatalf("%d connections held the lock, want 1", n)
	}
	select {
	case <-nodes[other].leads:
	case <-time.After(testwait.Long):
		t.Fatal("nobody takes over")
	}
	for _, name := range []string{"b", "c"} {
		if err := appendNamed(t.Context(), stores[leader], name); err != nil {
			t.Fatal(err)
		}
	}
	notifyAppended(t, stores[leader])
	// What the first node had published but not marked comes again, under its number;
	// nothing else does.
	if ev := nodes[other].next(t); ev.Seq == 1 {
		nodes[other].wants(t, "2 b", "3 c")
	} else if ev.Seq == 2 {
		nodes[other].wants(t, "3 c")
	} else {
		t.Fatalf("the second begins with %d", ev.Seq)
	}
	if len(nodes[leader].events) > 0 {
		t.Errorf("the first published %+v after it had lost the lead", <-nodes[leader].events)
	}
}

// TestStandbyTakesOverFromOneThatEnds ends the leader in the orderly way.
func TestStandbyTakesOverFromOneThatEnds(t *testing.T) {
	url := testdb.PostgresURL(t)
	first := startRelay(t, "first", crm.NewJournal(testdb.Open(t, url)))
	<-first.leads
	store := testdb.Open(t, url)
	second := startRelay(t, "second", crm.NewJournal(store))
	first.stop()
	if err := appendNamed(t.Context(), store, "a"); err != nil {
		t.Fatal(err)
	}
	notifyAppended(t, store)
	second.wants(t, "1 a")
}
