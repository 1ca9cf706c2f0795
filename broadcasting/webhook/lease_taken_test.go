package webhook_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/webhook"
	"chatcast/broadcasting/webhook/storetest"
)

// A process that loses its lease to another leaves everything to it at once: it
// delivers and changes nothing more.
func TestLeaseTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		var cut time.Time
		r.answer = func(_ http.ResponseWriter, r *http.Request, _ int) {
			<-r.Context().Done()
			cut = time.Now()
		}
		apps := app(to("http://r/"))
		a := startNode(t, store, r, apps)
		a.Record(occupied("room"))
		a.Record(missed("cache-0"))
		time.Sleep(time.Second) // a POST hangs
		kept, err := store.Load(t.Context(), webhook.Claim{Owner: "another", TTL: time.Hour, Apps: []string{"1"}, Alone: true})
		if err != nil || len(kept.Deliveries) != 1 || len(kept.Announced) != 1 {
			t.Fatalf("%+v, %v", kept, err)
		}
		taken := time.Now()
		a.Record(vacated("room"))
		a.Record(occupied("later"))
		a.Record(missed("cache-1"))
		a.says(t, "another process delivers the webhooks of the app now")
		if took := time.Since(taken); took > 100*ms {
			t.Errorf("it was noticed after %s", took)
		}
		r.respond(nil)
		time.Sleep(time.Minute)
		r.exactly()
		synctest.Wait()
		if after := cut.Sub(taken); after > 100*ms {
			t.Errorf("the POST was cut %s after the lease was taken", after)
		}
		if n := strings.Count(a.log.String(), "another process delivers the webhooks of the app now"); n != 1 {
			t.Errorf("the lease was lost %d times\n%s", n, a.log)
		}
		if rows, announced := store.Left(); rows != 2 || announced != 1 {
			t.Errorf("%d rows and %d subjects are left", rows, announced)
		}
		// Subjects that are here by then are reported by this process when it has the
		// lease again. Those that are not here have time to return.
		if err := store.Release(t.Context(), "another", []string{"1"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		r.exactly("channel_occupied room", "cache_miss cache-0", "cache_miss cache-1", "channel_occupied later")
		time.Sleep(webhook.DefaultReturnGrace)
		r.exactly("channel_occupied room", "cache_miss cache-0", "cache_miss cache-1", "channel_occupied later", "channel_vacated room")
	})
}

// A process without anything to commit notices the loss too, when it renews the lease.
func TestLeaseTakenFromIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &storetest.Memory{}
		a := startNode(t, store, newReceiver(t), app(to("http://r/")))
		if _, err := store.Load(t.Context(), webhook.Claim{Owner: "another", TTL: time.Hour, Apps: []string{"1"}, Alone: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(webhook.DefaultLease/3 + 2*time.Second)
		if !strings.Contains(a.log.String(), "another process delivers the webhooks of the app now") {
			t.Errorf("the log is\n%s", a.log)
		}
	})
}

// After a lease was lost and taken again, no POST starts beside one that is still under
// way.
func TestLeaseTakenAndTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		var flying atomic.Int32
		r.answer = func(http.ResponseWriter, *http.Request, int) { // the receiver does not notice the cut
			if flying.Add(1) > 1 {
				t.Error("two POSTs are under way at one time")
			}
			time.Sleep(4 * time.Second)
			flying.Add(-1)
		}
		a := startNode(t, store, r, app(to("http://r/")))
		a.Record(missed("cache-0"))
		time.Sleep(100 * ms)
		if _, err := store.Load(t.Context(), webhook.Claim{Owner: "another", TTL: time.Hour, Apps: []string{"1"}, Alone: true}); err != nil {
			t.Fatal(err)
		}
		if err := store.Release(t.Context(), "another", []string{"1"}); err != nil {
			t.Fatal(err)
		}
		a.Record(occupied("room")) // its commit is refused
		time.Sleep(time.Minute)
		r.exactly("cache_miss cache-0", "channel_occupied room")
		a.says(t, "delivered by this process now")
	})
}

// Events that other processes queue are bounded like those recorded here.
func TestQueueOfOthersIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		r.answer = code(500)
		a := startNode(t, store, r, app(to("http://r/")))
		b := startNode(t, store, r, app(to("http://r/")))
		for i := range 120_000 {
			if i%30_000 == 0 {
				time.Sleep(2 * time.Second)
			}
			b.Record(missed("cache-" + strconv.Itoa(i)))
		}
		time.Sleep(10 * time.Second)
		if st := a.Stats().Endpoints[0]; st.Pending != 100_000 || st.Dropped != 20_000 {
			t.Errorf("the counters are %+v", st)
		}
		if st := b.Stats().Endpoints[0]; st.Pending != 0 || st.Dropped != 0 {
			t.Errorf("the counters of the process without the lease are %+v", st)
		}
	})
}
