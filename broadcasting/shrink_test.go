package broadcasting_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// A crowd that has left leaves no memory behind: neither of its sockets, channels,
// users and watchlists nor of cached events.
func TestCrowdLeavesNothing(t *testing.T) {
	const crowd = 20_000
	e := cacheEngine(broadcasting.MemoryOptions{CacheTTL: time.Hour})
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // frees what pools held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	conns := make([]*broadcasting.Conn, crowd)
	for i := range conns {
		id := strconv.Itoa(i)
		conns[i], _ = e.Connect(broadcasting.Peer{App: "1", ID: id, Dialect: fixed{}, Out: new(drop)})
		identify(t, e, "1", id, "user "+id)
		if err := conns[i].SignIn(broadcasting.Identity{UserID: id, Watchlist: []string{id + "a", id + "b"}}); err != nil {
			t.Fatal(err)
		}
		for _, prefix := range []string{"a-", "b-", "cache-"} {
			name, err := channels.Parse(prefix + id)
			if err == nil {
				err = conns[i].Subscribe(context.Background(), broadcasting.SubscribeRequest{Name: name, MaxChannels: 10})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Publish(t.Context(), broadcasting.Event{App: "1", Channel: "cache-" + id, Name: "e", Data: "d"}); err != nil {
			t.Fatal(err)
		}
	}
	full := heap()
	for _, c := range conns {
		c.Close()
	}
	clear(conns)
	removeApp(t, e, "1") // the cached events too
	after := heap()
	if after-before > (full-before)/20 {
		t.Errorf("of %d bytes %d are left", full-before, after-before)
	}
	if st := e.Stats(); st != (broadcasting.Stats{Published: st.Published, Delivered: st.Delivered}) {
		t.Errorf("left: %+v", st)
	}
	runtime.KeepAlive(conns)
}
