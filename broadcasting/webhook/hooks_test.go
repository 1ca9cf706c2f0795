package webhook_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
)

var timeMS = regexp.MustCompile(`^\{"time_ms":(\d+),"events":\[`)

// Every kind has exactly Pusher's fields.
func TestKinds(t *testing.T) {
	client := func(data, user string) broadcasting.ChannelEvent {
		return broadcasting.ChannelEvent{
			Kind: broadcasting.ClientSent, App: "1", Channel: "presence-room", Name: "client-typing", Data: data, SocketID: "12.34", UserID: user,
		}
	}
	count := on(broadcasting.Counted, "orders")
	count.Count = 3
	for _, c := range []struct {
		name string
		h    broadcasting.ChannelEvent
		want string
	}{
		{"occupied", occupied("orders"), `{"name":"channel_occupied","channel":"orders"}`},
		{"vacated", vacated("orders"), `{"name":"channel_vacated","channel":"orders"}`},
		{"added", added("presence-room", "7"), `{"name":"member_added","channel":"presence-room","user_id":"7"}`},
		{"removed", removed("presence-room", "7"), `{"name":"member_removed","channel":"presence-room","user_id":"7"}`},
		{"cache miss", missed("cache-prices"), `{"name":"cache_miss","channel":"cache-prices"}`},
		{"count", count, `{"name":"subscription_count","channel":"orders","subscription_count":3}`},
		{"count of none", on(broadcasting.Counted, "orders"), `{"name":"subscription_count","channel":"orders","subscription_count":0}`},
		{"object", client(`{"a": "<&>"}`, "7"), `{"name":"client_event","channel":"presence-room","event":"client-typing","data":"{\"a\": \"<&>\"}","socket_id":"12.34","user_id":"7"}`},
		{"no user", client(`[1]`, ""), `{"name":"client_event","channel":"presence-room","event":"client-typing","data":"[1]","socket_id":"12.34"}`},
		{"string", client(`"a\u0000\"b"`, ""), `{"name":"client_event","channel":"presence-room","event":"client-typing","data":"a\u0000\"b","socket_id":"12.34"}`},
		{"nothing", client("", ""), `{"name":"client_event","channel":"presence-room","event":"client-typing","data":"","socket_id":"12.34"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			h := start(t, webhook.Options{Store: &memory{}, Apps: app(to(r.serve(t))), AllowPrivate: true, Grace: time.Millisecond})
			before := time.Now().UnixMilli()
			h.Record(c.h)
			for len(r.lines()) == 0 {
				<-r.more
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			body := r.bodies[0]
			found := timeMS.FindStringSubmatch(body)
			if found == nil || strings.TrimPrefix(body, found[0]) != c.want+"]}" {
				t.Fatalf("the body is\n%s\nwant\n%s", body, c.want)
			}
			if ms, err := strconv.ParseInt(found[1], 10, 64); err != nil || ms < before || ms > time.Now().UnixMilli() {
				t.Errorf("time_ms is %s, want about %d", found[1], before)
			}
		})
	}
}

// Each endpoint gets the events it wants, with its own headers.
func TestFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, few, prefix, single := newReceiver(t), newReceiver(t), newReceiver(t), newReceiver(t)
		h := start(t, webhook.Options{Store: &memory{}, Transport: byHost{"all": all, "few": few, "prefix": prefix, "single": single}, Apps: app(
			to("http://all/"),
			apps.Webhook{URL: "http://few/", Events: []string{"cache_miss"}, Headers: map[string]string{"Authorization": "Bearer 1", "x-shop": "b"}},
			apps.Webhook{URL: "http://prefix/", Channels: []string{"presence-", "cache-b"}},
			apps.Webhook{URL: "http://single/", Single: true},
		)})
		events := []broadcasting.ChannelEvent{occupied("a"), missed("cache-a"), occupied("presence-a"), added("presence-a", "u"), missed("cache-b")}
		time.Sleep(time.Second) // the first look, at the start, is behind us
		for _, ev := range events {
			h.Record(ev)
		}
		other := occupied("a")
		other.App = "2"
		h.Record(other)
		h.Record(on(0, "a"))
		h.Record(on(200, "a"))
		want := []string{"channel_occupied a", "cache_miss cache-a", "channel_occupied presence-a", "member_added presence-a u", "cache_miss cache-b"}
		all.wants(want...)
		few.wants("cache_miss cache-a", "cache_miss cache-b")
		prefix.wants(want[2:]...)
		single.wants(want...)
		if got := few.header; got.Get("Authorization") != "Bearer 1" || got.Get("X-Shop") != "b" || got.Get("X-Pusher-Key") != key {
			t.Errorf("the headers are %v", got)
		}
		if !slices.Equal(single.sizes, []int{1, 1, 1, 1, 1}) {
			t.Errorf("an endpoint for single events got POSTs of %v", single.sizes)
		}
		if len(all.sizes) != 1 {
			t.Errorf("what happened at once came in POSTs of %v", all.sizes)
		}
	})
}

// A burst arrives complete and in order, in few POSTs and few transactions.
func TestBurst(t *testing.T) {
	const n = 10_000
	r, store := newReceiver(t), &memory{}
	h := start(t, webhook.Options{Store: store, AllowPrivate: true, Apps: app(to(r.serve(t)))})
	want := make([]string, n)
	for i := range n {
		ev := on(broadcasting.ClientSent, "private-a")
		ev.Name, ev.Data, ev.SocketID = "client-n", strconv.Itoa(i), "1.1"
		h.Record(ev)
		want[i] = fmt.Sprintf("client_event private-a client-n %d 1.1", i)
	}
	r.wants(want...)
	h.stop()
	if rows, _ := store.Left(); rows != 0 {
		t.Errorf("%d rows are left", rows)
	}
	if len(r.sizes) > n/100 || slices.Max(r.sizes) > 500 || len(store.size) > 200 {
		t.Errorf("%d events came in %d POSTs of up to %d and %d transactions", n, len(r.sizes), slices.Max(r.sizes), len(store.size))
	}
	st := h.Stats().Endpoints[0]
	if st.Delivered != n || st.Pending != 0 || st.Posts != uint64(len(r.sizes)) || st.Failed+st.Retried+st.GivenUp+st.Dropped != 0 {
		t.Errorf("the counters are %+v", st)
	}
}

// A POST is bounded in bytes too; a single event may be larger.
func TestLargeEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(to("http://r/")), Transport: r})
		time.Sleep(time.Second) // the first look, at the start, is behind us
		for _, size := range []int{100_000, 100_000, 100_000, 1 << 20, 10} {
			ev := on(broadcasting.ClientSent, "private-a")
			ev.Data = strings.Repeat("x", size)
			h.Record(ev)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !slices.Equal(r.sizes, []int{2, 1, 1, 1}) {
			t.Errorf("the POSTs have %v events", r.sizes)
		}
	})
}

// Many goroutines record at once while the settings change. Each channel keeps its
// order.
func TestConcurrent(t *testing.T) {
	const writers, each = 8, 500
	r := newReceiver(t)
	url := r.serve(t)
	h := start(t, webhook.Options{Store: &memory{}, AllowPrivate: true, Apps: app(to(url))})
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				ev := on(broadcasting.ClientSent, "private-"+strconv.Itoa(w))
				ev.Data = strconv.Itoa(i)
				h.Record(ev)
				h.Record(added("presence-a", fmt.Sprint(w, i)))
			}
		})
	}
	for i := range 50 {
		e := to(url)
		e.Headers = map[string]string{"X-Nth": strconv.Itoa(i)}
		list := []apps.Webhook{e, {URL: url + "/other", Events: []string{"channel_vacated"}}}
		if err := h.Set(app(list[:1+i%2]...)); err != nil {
			t.Error(err)
		}
		h.Stats()
	}
	group.Wait()
	for len(r.lines()) < 2*writers*each {
		<-r.more
	}
	next := map[string]int{}
	for _, l := range r.lines() {
		if f := strings.Fields(l); f[0] == "client_event" {
			if f[2] != strconv.Itoa(next[f[1]]) {
				t.Fatalf("%s comes when %d is next", l, next[f[1]])
			}
			next[f[1]]++
		}
	}
}

// Of counts that come together, only the last is sent.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(to("http://r/")), Transport: r})
		time.Sleep(time.Second) // the first look, at the start, is behind us
		for i := range 10 {
			for _, channel := range []string{"a", "b"} {
				ev := on(broadcasting.Counted, channel)
				ev.Count = i + 1
				h.Record(ev)
			}
		}
		h.Record(missed("cache-a"))
		r.wants("subscription_count a", "subscription_count b", "cache_miss cache-a")
		if !strings.Contains(r.bodies[0], `"channel":"a","subscription_count":10}`) {
			t.Errorf("the body is %s", r.bodies[0])
		}
	})
}

// A slow endpoint does not delay others.
func TestSlowDelaysItselfAlone(t *testing.T) {
	slow, quick := newReceiver(t), newReceiver(t)
	release := make(chan struct{})
	slow.answer = func(_ http.ResponseWriter, r *http.Request, nth int) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	h := start(t, webhook.Options{Store: &memory{}, AllowPrivate: true, Apps: app(to(slow.serve(t)), to(quick.serve(t)))})
	var want []string
	for i := range 5 {
		channel := "c" + strconv.Itoa(i)
		h.Record(occupied(channel))
		want = append(want, "channel_occupied "+channel)
		quick.wants(want...)
	}
	slow.exactly()
	close(release)
	slow.wants(want...)
}
