package broadcasting_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// counted subscribes a socket of an app that has subscription counts.
func counted(t *testing.T, m *mailbox, channel string) {
	t.Helper()
	w := want(t, channel)
	w.SubscriptionCount, w.Member = true, &broadcasting.Member{ID: "M"}
	if err := m.Subscribe(context.Background(), w); err != nil {
		t.Fatal(err)
	}
}

func TestSubscriptionCount(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, b := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words("B:"))
	for _, ch := range []string{"a", "private-a", "private-encrypted-a"} {
		counted(t, a, ch)
		expect(t, a, "in "+ch, "count "+ch+" 1")
		counted(t, b, ch)
		expect(t, a, "count "+ch+" 2")
		expect(t, b, "B:in "+ch, "B:count "+ch+" 2")
		counted(t, b, ch) // again: nothing has changed
		expect(t, b, "B:in "+ch)
		a.Unsubscribe(ch)
		expect(t, a)
		expect(t, b, "B:count "+ch+" 1")
	}
	counted(t, a, "cache-a")
	expect(t, a, "in cache-a", "miss cache-a", "count cache-a 1")
	counted(t, a, "presence-a")
	counted(t, a, "#server-to-user-a")
	expect(t, a, "in presence-a M=", "in #server-to-user-a")
	join(t, a, "b") // an app without counts
	expect(t, a, "in b")
	counted(t, b, "cache-a")
	b.take()
	expect(t, a, "count cache-a 2")
	b.Close() // closed without unsubscribing
	expect(t, a, "count cache-a 1")
}

// A crowded channel is told in rounds of five seconds, and only if its count has
// changed.
func TestSubscriptionCountOfACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, r := broadcasting.NewEngine(broadcasting.Options{}), new(recorder)
		e.Record(r)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		count := func(n int) string { return "count private-a " + strconv.Itoa(n) }
		first := connect(t, e, "1", "first", words(""))
		counted(t, first, "private-a")
		var crowd []*mailbox
		for i := range 150 {
			crowd = append(crowd, connect(t, e, "1", strconv.Itoa(i), words("")))
			counted(t, crowd[i], "private-a")
		}
		heard := []string{"in private-a"}
		for n := 1; n <= 100; n++ {
			heard = append(heard, count(n))
		}
		expect(t, first, heard...)
		time.Sleep(5*time.Second + 1)
		expect(t, first, count(151))
		time.Sleep(20 * time.Second)
		expect(t, first) // nothing has changed
		for i := range 40 {
			crowd[i].Close()
		}
		expect(t, first)
		time.Sleep(5 * time.Second)
		expect(t, first, count(111))

		// A crowd that shrinks to a hundred is told at once, and the next round sends
		// nothing.
		for i := 40; i < 51; i++ {
			crowd[i].Close()
		}
		expect(t, first, count(100))
		time.Sleep(20 * time.Second)
		expect(t, first)
		records := r.take()
		if n := len(records); n != 1+100+3 || records[n-3] != "1 private-a counted 151" || records[n-1] != "1 private-a counted 100" {
			t.Errorf("%d records, the last %q", n, records[max(0, n-3):])
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A change allocates one frame for each dialect and nothing for each delivery.
func TestCountAllocatesNothingPerDelivery(t *testing.T) {
	cost := func(n int) float64 {
		e := broadcasting.NewEngine(broadcasting.Options{})
		w := want(t, "private-crowd")
		w.SubscriptionCount = true
		var guest *broadcasting.Conn
		for i := range n {
			c, err := e.Connect(broadcasting.Peer{App: "1", ID: fmt.Sprint(i), Dialect: fixed{}, Out: new(drop)})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Subscribe(context.Background(), w); err != nil {
				t.Fatal(err)
			}
			guest = c
		}
		return testing.AllocsPerRun(50, func() {
			guest.Unsubscribe("private-crowd")
			if err := guest.Subscribe(context.Background(), w); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := cost(5), cost(90); many > few {
		t.Errorf("%v allocations among 5, %v among 90", few, many)
	}
}
