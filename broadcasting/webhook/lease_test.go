package webhook_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
	"chatcast/broadcasting/webhook/storetest"
)

// An event is delivered once while both processes live, in the order of the process
// that records it. When the delivering process is killed, the other delivers the rest,
// in order, as soon as the lease is over.
func TestTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		r.answer = apart(t, 700*ms)
		a := startNode(t, store, r, app(to("http://r/")))
		b := startNode(t, store, r, app(to("http://r/")))
		record := func(n *node, prefix string, from, to int) {
			for i := from; i < to; i++ {
				n.Record(missed("cache-" + prefix + strconv.Itoa(i)))
				time.Sleep(100 * ms)
			}
		}
		for i := range 300 { // half a minute: twice the lease
			record(a, "a", i, i+1)
			b.Record(missed("cache-b" + strconv.Itoa(i)))
		}
		time.Sleep(5 * time.Second)
		got := r.lines()
		if len(got) != 600 || !slices.Equal(of(got, "a"), lines("a", 0, 300)) || !slices.Equal(of(got, "b"), lines("b", 0, 300)) {
			t.Fatalf("%d were delivered, not each once in order: %q", len(got), got)
		}
		if n := a.Stats().Endpoints[0].Delivered; n != 600 || b.Stats().Endpoints[0].Delivered != 0 {
			t.Errorf("the first process delivered %d", n)
		}
		// The process with the lease is killed in the midst of a POST.
		record(a, "a", 300, 320)
		a.kill()
		killed := time.Now()
		record(b, "b", 300, 310)
		for len(of(r.lines(), "b")) < 310 {
			time.Sleep(100 * ms)
			if time.Since(killed) > webhook.DefaultLease+3*time.Second {
				t.Fatalf("%s after the kill the other process has delivered %d", time.Since(killed), len(of(r.lines(), "b")))
			}
		}
		if took := time.Since(killed); took < webhook.DefaultLease-6*time.Second {
			t.Errorf("the lease was taken %s after the kill", took)
		}
		got = r.lines()
		if fromA := of(got, "a"); len(fromA) < 319 || !slices.Equal(fromA, lines("a", 0, len(fromA))) || !slices.Equal(of(got, "b"), lines("b", 0, 310)) {
			t.Errorf("after the kill came %q", got[600:])
		}
		b.says(t, "delivered by this process now")
		time.Sleep(time.Minute)
		if rows, _ := store.Left(); rows != 0 {
			t.Errorf("%d rows are left", rows)
		}
	})
}

// A process that ends hands its leases over at once.
func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		r.answer = code(500)
		apps := app(to("http://r/"))
		a := startNode(t, store, r, apps)
		b := startNode(t, store, r, apps)
		a.Record(missed("cache-a0"))
		time.Sleep(2 * time.Second)
		r.respond(nil)
		a.stop()
		time.Sleep(1500 * ms)
		r.exactly("cache_miss cache-a0")
		b.stop()
		startNode(t, store, r, apps).Record(missed("cache-c0"))
		time.Sleep(200 * ms) // no tick passes: New finds the lease free
		r.exactly("cache_miss cache-a0", "cache_miss cache-c0")
	})
}

// A process that cannot reach the store stops before its lease is over. It continues
// when it can reach the store again and no other process has taken the lease.
func TestStoreUnreachable(t *testing.T) {
	for name, c := range map[string]struct {
		second bool // another process takes over
		away   time.Duration
	}{"alone on the store": {false, time.Minute}, "for a moment": {true, 10 * time.Second}, "for long": {true, time.Minute}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, store := newReceiver(t), &storetest.Memory{}
				r.answer = apart(t, 900*ms)
				e := to("http://r/")
				e.Single = true
				a := startNode(t, store, r, app(e))
				time.Sleep(100 * ms)
				for i := range 100 {
					a.Record(missed("cache-" + strconv.Itoa(i)))
				}
				if c.second {
					startNode(t, store, r, app(e))
				}
				time.Sleep(5 * time.Second)
				a.noStore.Store(true)
				time.Sleep(10 * time.Second)
				stopped := a.Stats().Endpoints[0].Delivered
				time.Sleep(c.away - 10*time.Second)
				if n := a.Stats().Endpoints[0].Delivered; c.away > time.Minute/2 && n > stopped+2 {
					t.Errorf("%d were delivered after the lease could not be renewed for 10 s, %d until then", n-stopped, stopped)
				}
				a.noStore.Store(false)
				time.Sleep(3 * time.Minute)
				got := r.lines()
				if want := lines("", 0, 100); !slices.Equal(of(got, ""), want) {
					t.Errorf("delivered were %q", got)
				}
				if again := len(got) - 100; again > 0 && !c.second || again > 20 {
					t.Errorf("%d came again", again)
				}
				if rows, _ := store.Left(); rows != 0 {
					t.Errorf("%d rows are left", rows)
				}
				if lost := strings.Contains(a.log.String(), "another process delivers"); lost != (c.second && c.away == time.Minute) {
					t.Errorf("the lease was lost: %t\n%s", lost, a.log)
				}
			})
		})
	}
}

// Every process knows who is in the channels of the cluster, and one reports it. After
// its death another reports what it could not, and nothing twice.
func TestPresenceIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		a := startNode(t, store, r, app(to("http://r/")))
		b := startNode(t, store, r, app(to("http://r/")))
		for _, n := range []*node{a, b} {
			n.Record(occupied("presence-a"))
			n.Record(added("presence-a", "1"))
			n.Record(added("presence-a", "2"))
		}
		time.Sleep(time.Second)
		want := []string{"channel_occupied presence-a", "member_added presence-a 1", "member_added presence-a 2"}
		r.exactly(want...)
		for _, n := range []*node{a, b} {
			n.Record(removed("presence-a", "2"))
		}
		a.kill() // within the grace
		b.Record(added("presence-a", "3"))
		b.Record(added("presence-a", "4"))
		b.Record(removed("presence-a", "4"))
		time.Sleep(webhook.DefaultLease + 2*time.Second)
		want = append(want, "member_added presence-a 3")
		r.exactly(want...)
		time.Sleep(webhook.DefaultReturnGrace)
		want = append(want, "member_removed presence-a 2")
		r.exactly(want...)
		b.Record(removed("presence-a", "1"))
		time.Sleep(5 * time.Second)
		r.exactly(append(want, "member_removed presence-a 1")...)
	})
}

// Processes learn of a new endpoint one after the other. What one of them has queued
// for it waits until the process with the lease knows it. What stays unknown is
// dropped.
func TestEndpointsComeAtDifferentTimes(t *testing.T) {
	for name, known := range map[string]bool{"in time": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, store := newReceiver(t), &storetest.Memory{}
				both := app(to("http://r/old"), to("http://r/new"))
				old := app(to("http://r/old"))
				a, b := startNode(t, store, r, old), startNode(t, store, r, both)
				b.Record(missed("cache-0"))
				time.Sleep(5 * time.Second)
				r.exactly("cache_miss cache-0")
				if known {
					set(t, a.running, both)
				}
				time.Sleep(20 * time.Second)
				want := map[bool][]string{true: {"cache_miss cache-0", "cache_miss cache-0"}, false: {"cache_miss cache-0"}}[known]
				r.exactly(want...)
				if rows, _ := store.Left(); rows != 0 || strings.Contains(a.log.String(), "endpoint_removed") == known {
					t.Errorf("%d rows are left", rows)
				}
			})
		})
	}
}

// Apps are leased one by one, and an app that no longer has endpoints is released.
func TestAppsAreLeasedOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &storetest.Memory{}
		appsOf := func(ids ...string) (list []apps.App) {
			for _, id := range ids {
				list = append(list, apps.App{ID: id, Key: key, Secret: secret, Webhooks: []apps.Webhook{to("http://r/")}})
			}
			return list
		}
		a, b := startNode(t, store, r, appsOf("1")), startNode(t, store, r, appsOf("1", "2"))
		both := func() string {
			time.Sleep(2 * time.Second)
			for _, n := range []*node{a, b} {
				for _, id := range []string{"1", "2"} {
					ev := missed("cache-x")
					ev.App = id
					n.Record(ev)
				}
			}
			time.Sleep(2 * time.Second)
			out := ""
			for _, n := range []*node{a, b} {
				for _, e := range n.Stats().Endpoints {
					out += fmt.Sprint(" ", e.App, ":", e.Delivered)
				}
			}
			return out
		}
		if got := both(); got != " 1:2 1:0 2:1" {
			t.Errorf("delivered were%s", got)
		}
		set(t, a.running, nil)
		if got := both(); got != " 1:1 2:2" {
			t.Errorf("delivered were%s", got)
		}
		set(t, a.running, appsOf("1"))
		if got := both(); got != " 1:0 1:3 2:3" {
			t.Errorf("delivered were%s", got)
		}
	})
}
