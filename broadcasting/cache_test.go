package broadcasting_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// A new subscriber of a cache channel of any kind gets its last event, or is told that
// there is none.
func TestCache(t *testing.T) {
	for _, ch := range []string{"cache-a", "private-cache-a", "private-encrypted-cache-a", "presence-cache-a"} {
		e := broadcasting.NewEngine(broadcasting.Options{})
		come := func(id, app string) *mailbox {
			t.Helper()
			m := connect(t, e, app, id, words(""))
			w := want(t, ch)
			w.Member = &broadcasting.Member{ID: "M"}
			if err := m.Subscribe(context.Background(), w); err != nil {
				t.Fatal(err)
			}
			return m
		}
		in := "in " + ch
		if strings.HasPrefix(ch, "presence") {
			in += " M="
		}
		a := come("a", "1")
		expect(t, a, in, "miss "+ch)
		publish(t, e, broadcasting.Event{App: "1", Channel: ch, Name: "n", Data: "1", Except: "a"})
		expect(t, a) // a is the sender
		expect(t, come("b", "1"), in, ch+" n 1")
		expect(t, come("a", "2"), in, "miss "+ch) // another app's channel of the name

		// A client event is not kept, and neither is Except.
		publish(t, e, broadcasting.Event{App: "1", Channel: ch, Name: "client-x", Data: "2", Object: true})
		a.Close()
		a = come("a", "1")
		expect(t, a, in, ch+" n 1")
		publish(t, e, broadcasting.Event{App: "1", Channel: ch, Name: "n", Data: "3"})
		expect(t, a, ch+" n 3")
		// A repeated subscription gets the same frames as a new one.
		if err := a.Subscribe(context.Background(), want(t, ch)); err != nil {
			t.Fatal(err)
		}
		expect(t, a, in, ch+" n 3")
		if data, ttl, ok := cachedOf(t, e, "1", ch); !ok || data != "3" || ttl <= 29*time.Minute || ttl > 30*time.Minute {
			t.Errorf("%s: cached %q %v %v", ch, data, ttl, ok)
		}
	}
}

// Events are kept without subscribers, and after the last one has left.
func TestCacheSurvivesItsSubscribers(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "n", Data: "early"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "a", Name: "n", Data: "x"})
	if st := e.Stats(); st.Channels != 0 {
		t.Errorf("nobody is here, and %+v", st)
	}
	for range 2 {
		a := connect(t, e, "1", "a", words(""))
		join(t, a, "cache-a")
		expect(t, a, "in cache-a", "cache-a n early")
		a.Close()
	}
	if _, _, ok := cachedOf(t, e, "1", "a"); ok {
		t.Error("an ordinary channel has a cached event")
	}
}

func TestCacheExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := cacheEngine(broadcasting.MemoryOptions{CacheTTL: time.Minute})
		publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "n", Data: "1"})
		a := connect(t, e, "1", "a", words(""))
		time.Sleep(time.Minute - 1)
		join(t, a, "cache-a")
		expect(t, a, "in cache-a", "cache-a n 1")
		if _, ttl, ok := cachedOf(t, e, "1", "cache-a"); !ok || ttl != 1 {
			t.Errorf("%v, %v", ttl, ok)
		}
		time.Sleep(time.Nanosecond)
		join(t, a, "cache-a")
		expect(t, a, "in cache-a", "miss cache-a")
		if _, _, ok := cachedOf(t, e, "1", "cache-a"); ok {
			t.Error("it is there for longer than its time")
		}
		publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "n", Data: "2"})
		join(t, a, "cache-a")
		expect(t, a, "cache-a n 2", "in cache-a", "cache-a n 2")
	})
}

// The cache is bounded: the oldest event is dropped first. An event that alone exceeds
// the bound also removes the one before it.
func TestCacheIsBounded(t *testing.T) {
	e := cacheEngine(broadcasting.MemoryOptions{CacheBytes: 100_000})
	has := func(ch string) bool { _, _, ok := cachedOf(t, e, "1", ch); return ok }
	put := func(ch string, n int) {
		t.Helper()
		publish(t, e, broadcasting.Event{App: "1", Channel: ch, Name: "n", Data: strings.Repeat("x", n)})
	}
	put("cache-first", 1000)
	for i := range 1000 {
		put("cache-"+strconv.Itoa(i), 1000)
		put("cache-again", 1000) // always the newest but one
	}
	kept := 0
	for i := range 1000 {
		if has("cache-" + strconv.Itoa(i)) {
			kept++
		}
	}
	if has("cache-first") || !has("cache-999") || !has("cache-again") || kept < 70 || kept > 99 {
		t.Errorf("%d are kept", kept)
	}
	put("cache-999", 100_000)
	if has("cache-999") || !has("cache-998") {
		t.Error("an event over the bound should go alone, with what it replaces")
	}
}

// TestCacheRace subscribes while events are published: a subscriber gets each event
// once, from the first number it sees to the last.
func TestCacheRace(t *testing.T) {
	const events, guests = 2000, 8
	e := broadcasting.NewEngine(broadcasting.Options{})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for g := range guests {
		wg.Go(func() {
			m := connect(t, e, "1", strconv.Itoa(g), words(""))
			for last := false; !last; {
				select {
				case <-stop:
					last = true
				default:
				}
				join(t, m, "cache-a")
				m.Unsubscribe("cache-a")
				next := -1
				for i, frame := range m.take() {
					f := strings.Fields(frame)
					switch {
					case i == 0 && frame == "in cache-a":
					case i == 1 && frame == "miss cache-a":
						next = 0
					default:
						n, err := strconv.Atoi(f[2])
						if err != nil || next >= 0 && n != next || i == 0 {
							t.Errorf("frame %d is %q, want %d", i, frame, next)
						}
						next = n + 1
					}
				}
				if last && next != events {
					t.Errorf("at the end %d is next", next)
				}
			}
		})
	}
	for i := range events {
		publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "n", Data: strconv.Itoa(i)})
	}
	close(stop)
	wg.Wait()
	if st := e.Stats(); st.Channels != 0 {
		t.Errorf("left: %+v", st)
	}
}

// Run sweeps the cache, and ends.
func TestRunRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := cacheEngine(broadcasting.MemoryOptions{CacheTTL: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "n", Data: "1"})
		if st := e.Stats(); st.Cached != 1 {
			t.Errorf("%+v", st)
		}
		time.Sleep(5*time.Second + 1)
		if st := e.Stats(); st.Cached != 0 {
			t.Errorf("not swept: %+v", st)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
