package webhook_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/webhook"
)

// While the database is unavailable nothing is sent. Then everything is sent once, in
// order.
func TestDatabaseAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{fail: errDatabase}
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r})
		h.Record(occupied("a"))
		time.Sleep(10 * time.Second)
		h.Record(occupied("b"))
		h.Record(vacated("a"))
		h.Record(missed("cache-c"))
		time.Sleep(time.Minute)
		r.exactly()
		if n := h.Stats().StoreErrors; n < 10 || n > 40 {
			t.Errorf("%d commits failed", n)
		}
		store.set(func() { store.fail = nil })
		time.Sleep(10 * time.Second)
		r.exactly("channel_occupied a", "channel_occupied b", "cache_miss cache-c", "channel_vacated a")
		h.stop()
		if rows, told := store.Left(); rows != 0 || told != 1 {
			t.Errorf("%d rows and %d told are left", rows, told)
		}
	})
}

// While the database hangs, memory is bounded: events are dropped and counted, but
// arrivals and departures are reported when there is room.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		r, store := newReceiver(t), &memory{hold: hold}
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r})
		h.Record(missed("cache-first"))
		time.Sleep(time.Second) // the commit hangs
		for i := range 60_000 {
			h.Record(missed("cache-" + strconv.Itoa(i)))
		}
		h.Record(occupied("presence-a"))
		h.Record(added("presence-a", "1"))
		h.Record(added("presence-a", "2"))
		h.Record(occupied("gone"))
		h.Record(vacated("gone"))
		h.Record(removed("presence-a", "2"))
		h.Record(added("presence-a", "2"))
		if lost := h.Stats().Lost["1"]; lost != 10_000 {
			t.Errorf("%d events are lost", lost)
		}
		time.Sleep(10 * time.Second)
		close(hold)
		store.set(func() { store.hold = nil })
		time.Sleep(10 * time.Second)
		got := r.lines()
		if len(got) != 50_004 || !slices.Equal(got[50_001:], []string{"channel_occupied presence-a", "member_added presence-a 1", "member_added presence-a 2"}) {
			t.Errorf("%d events, the last of which are %q", len(got), got[max(0, len(got)-5):])
		}
		h.stop()
		if _, told := store.Left(); told != 3 || !strings.Contains(h.log.String(), "reason=intake_full") {
			t.Errorf("%d are told", told)
		}
	})
}

// The queue of an endpoint is bounded, and events that find no room are counted.
func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, up := newReceiver(t), newReceiver(t)
		down.answer = code(500)
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(to("http://down/"), to("http://up/")), Transport: byHost{"down": down, "up": up}})
		const n = 120_000
		for i := range n {
			if i%30_000 == 0 {
				time.Sleep(time.Second)
			}
			h.Record(missed("cache-" + strconv.Itoa(i)))
		}
		time.Sleep(10 * time.Second)
		st := h.Stats().Endpoints
		if st[0].Pending != 100_000 || st[0].Dropped != n-100_000 || st[1].Delivered != n || st[1].Dropped != 0 {
			t.Errorf("the counters are %+v", st)
		}
		down.respond(nil)
		time.Sleep(2 * time.Minute)
		if got := down.lines(); len(got) != 100_000 || got[99_999] != "cache_miss cache-99999" {
			t.Errorf("%d came", len(got))
		}
		h.Record(missed("cache-last"))
		time.Sleep(time.Second)
		if got := down.lines(); got[len(got)-1] != "cache_miss cache-last" {
			t.Errorf("after that came %s", got[len(got)-1])
		}
		h.stop()
		if !strings.Contains(h.log.String(), "reason=queue_full") {
			t.Error("the log does not say that the queue is full")
		}
	})
}

// The queue is bounded in bytes too, and delivered events free their room.
func TestQueueIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(to("http://r/")), Transport: r})
		megabytes := func(n int) {
			for range n {
				ev := on(broadcasting.ClientSent, "private-a")
				ev.Data = strings.Repeat("x", 1<<20)
				h.Record(ev)
				time.Sleep(100 * ms)
			}
		}
		megabytes(70)
		if st := h.Stats().Endpoints[0]; st.Delivered != 70 || st.Dropped != 0 || st.Pending != 0 {
			t.Fatalf("the counters are %+v", st)
		}
		r.respond(code(500))
		megabytes(40)
		if st := h.Stats().Endpoints[0]; st.Pending != 31 || st.Dropped != 9 {
			t.Fatalf("the counters are %+v", st)
		}
		r.respond(nil)
		time.Sleep(time.Minute)
		megabytes(1)
		if st := h.Stats().Endpoints[0]; st.Delivered != 102 || st.Dropped != 9 || st.Pending != 0 {
			t.Fatalf("the counters are %+v", st)
		}
	})
}

type byHost map[string]http.RoundTripper

// RoundTrip implements http.RoundTripper.
func (b byHost) RoundTrip(req *http.Request) (*http.Response, error) {
	if to := b[req.URL.Hostname()]; to != nil {
		return to.RoundTrip(req)
	}
	return nil, errors.New("no such host")
}
