package broadcasting_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"chatcast/broadcasting"
)

// watch keeps what it is told.
type watch struct {
	mu  sync.Mutex
	log []string
}

func (w *watch) Entered(ch, user string) { w.note("+", ch, user) }
func (w *watch) Left(ch, user string)    { w.note("-", ch, user) }
func (w *watch) note(sign, ch, user string) {
	w.mu.Lock()
	w.log = append(w.log, sign+ch+":"+user)
	w.mu.Unlock()
}

func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	return log
}

func TestGrantEvictDisconnect(t *testing.T) {
	e, w := broadcasting.NewEngine(broadcasting.Options{}), new(watch)
	e.Watch(w)
	told := func(want ...string) {
		t.Helper()
		if got := w.take(); !slices.Equal(got, want) {
			t.Errorf("the watcher was told %q, want %q", got, want)
		}
	}
	a, b, stranger := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words("")), connect(t, e, "1", "s", words(""))
	if grant(t, e, "1", "nobody", "private-l", "7") || grant(t, e, "2", "a", "private-l", "7") {
		t.Error("a socket that is not here was granted something")
	}
	for _, id := range []string{"a", "b"} {
		for _, ch := range []string{"private-l", "private-m", "private-never"} {
			if !grant(t, e, "1", id, ch, "7") {
				t.Errorf("%s was not granted %s", id, ch)
			}
		}
	}
	for _, m := range []*mailbox{a, b, stranger} {
		join(t, m, "private-l")
		m.take()
	}
	told("+private-l:7", "+private-l:7")
	join(t, a, "private-m")
	join(t, a, "private-m") // again: the watcher is not told twice
	told("+private-m:7")
	a.take()

	unsubscribe(t, e, "8", "private-l")
	told()
	unsubscribe(t, e, "7", "private-l", "private-x")
	told2 := w.take()
	if len(told2) != 2 || told2[0] != "-private-l:7" || told2[1] != "-private-l:7" {
		t.Errorf("the watcher was told %q", told2)
	}
	expect(t, a, "revoked private-l")
	expect(t, b, "revoked private-l")
	publish(t, e, broadcasting.Event{App: "1", Channel: "private-l", Name: "secret"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "private-m", Name: "still"})
	expect(t, a, "private-m still ")
	expect(t, b)
	expect(t, stranger, "private-l secret ")

	// The old signature is invalid on that socket, whatever the socket did before.
	if err := a.Subscribe(context.Background(), want(t, "private-l")); !errors.Is(err, broadcasting.ErrRevoked) {
		t.Errorf("after the eviction: %v", err)
	}
	// A signature that was made but not used yet is invalid too.
	unsubscribe(t, e, "7", "private-never")
	if err := b.Subscribe(context.Background(), want(t, "private-never")); !errors.Is(err, broadcasting.ErrRevoked) {
		t.Errorf("granted, evicted, then subscribed: %v", err)
	}
	// A new grant lifts that.
	grant(t, e, "1", "a", "private-l", "7")
	join(t, a, "private-l")
	told("+private-l:7")

	if a.User() != "7" || stranger.User() != "" || e.Stats().Users != 1 {
		t.Errorf("users %q %q %+v", a.User(), stranger.User(), e.Stats())
	}
	disconnect(t, e, "7")
	if a.disconnected == 0 || b.disconnected == 0 || stranger.disconnected != 0 {
		t.Errorf("disconnected: %v %v %v", a.disconnected, b.disconnected, stranger.disconnected)
	}
	a.Close()
	left := w.take()
	slices.Sort(left)
	if !slices.Equal(left, []string{"-private-l:7", "-private-m:7"}) {
		t.Errorf("at the end the watcher was told %q", left)
	}
	b.Close()
	told()
	if grant(t, e, "1", "a", "private-l", "7") || e.Stats().Users != 0 {
		t.Error("a closed socket is still known")
	}
}

// The user of a subscription may become known after it began.
func TestGrantAfterSubscribe(t *testing.T) {
	e, w := broadcasting.NewEngine(broadcasting.Options{}), new(watch)
	e.Watch(w)
	a := connect(t, e, "1", "a", words(""))
	join(t, a, "private-l")
	grant(t, e, "1", "a", "private-l", "7")
	join(t, a, "private-l")
	a.Unsubscribe("private-l")
	if got := w.take(); !slices.Equal(got, []string{"+private-l:7", "-private-l:7"}) {
		t.Errorf("told %q", got)
	}
}

// TestHammer is for the race detector, and counts events: a socket that is subscribed
// from beginning to end gets everything, in each publisher's order.
func TestHammer(t *testing.T) {
	e, w := broadcasting.NewEngine(broadcasting.Options{}), new(watch)
	e.Watch(w)
	const steady, publishers, each = 10, 4, 300
	var all []*mailbox
	for i := range steady {
		m := connect(t, e, "1", "steady"+strconv.Itoa(i), words(""))
		join(t, m, "private-x")
		m.take()
		all = append(all, m)
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				publish(t, e, broadcasting.Event{App: "1", Channel: "private-x", Name: strconv.Itoa(p), Data: strconv.Itoa(i), Except: "guest0-0"})
			}
		})
	}
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprintf("guest%d-%d", g, i)
				m := connect(t, e, "1", id, words([]string{"", "B:"}[g%2]))
				grant(t, e, "1", id, "private-x", strconv.Itoa(g%3))
				if err := m.Subscribe(context.Background(), want(t, "private-x")); err != nil && !errors.Is(err, broadcasting.ErrRevoked) {
					t.Errorf("subscribe: %v", err) // unsubscribed meanwhile: refused
				}
				if err := joinAs(t, m, "presence-y", strconv.Itoa(g%3), "1"); err != nil {
					t.Errorf("join: %v", err)
				}
				if rand.IntN(2) == 0 {
					m.Unsubscribe("private-x")
				}
				m.Close()
			}
		})
	}
	wg.Go(func() {
		for i := range 300 {
			unsubscribe(t, e, strconv.Itoa(i%3), "private-x")
			disconnect(t, e, "nobody")
			_ = e.Stats()
		}
	})
	wg.Wait()
	for _, m := range all {
		next := map[string]int{}
		for _, frame := range m.take() {
			f := strings.Fields(frame)
			if f[2] != strconv.Itoa(next[f[1]]) {
				t.Fatalf("out of order: %q, want %d", frame, next[f[1]])
			}
			next[f[1]]++
		}
		for p := range publishers {
			if n := next[strconv.Itoa(p)]; n != each {
				t.Errorf("%d of publisher %d's %d", n, p, each)
			}
		}
		m.Close()
	}
	if st := e.Stats(); st.Channels != 0 || st.Sockets != 0 || st.Users != 0 {
		t.Errorf("left: %+v", st)
	}
	balance := map[string]int{}
	for _, line := range w.take() {
		balance[line[1:]] += map[byte]int{'+': 1, '-': -1}[line[0]]
		if balance[line[1:]] < -8 { // at most eight sockets tell the watcher at once
			t.Fatalf("left before entered: %s", line)
		}
	}
	for who, n := range balance {
		if n != 0 {
			t.Errorf("%s: %d more entered than left", who, n)
		}
	}
}

// drop is the queue of a socket that keeps nothing.
type drop struct{ n int }

func (d *drop) Queue([]byte) { d.n++ }

func crowd(t testing.TB, n int) *broadcasting.Engine { return crowdIn(t, n, "private-crowd") }

func crowdIn(t testing.TB, n int, channel string) *broadcasting.Engine {
	e := broadcasting.NewEngine(broadcasting.Options{})
	w := want(t, channel)
	for i := range n {
		c, err := e.Connect(broadcasting.Peer{App: "1", ID: strconv.Itoa(i), Dialect: fixed{}, Out: new(drop)})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Subscribe(context.Background(), w); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// fixed is a dialect with frames made in advance.
type fixed struct{ words }

var fixedFrame = []byte("frame")

func (fixed) Event(broadcasting.Event) []byte { return fixedFrame }

// A fan-out allocates nothing, to one socket or to 1,000.
func TestFanOutAllocatesNothing(t *testing.T) {
	cost := func(n int) float64 {
		e := crowd(t, n)
		ev := broadcasting.Event{App: "1", Channel: "private-crowd", Name: "n", Data: "d", Except: "0"}
		return testing.AllocsPerRun(100, func() { publish(t, e, ev) })
	}
	one, many := cost(2), cost(1000)
	if one+many > 0 {
		t.Errorf("%v allocations for 1 delivery, %v for 999", one, many)
	}
}

// A delivery on a cache channel does not allocate either; there the event is kept once.
func TestCacheAllocatesNothingPerDelivery(t *testing.T) {
	cost := func(n int) float64 {
		e := crowdIn(t, n, "cache-crowd")
		ev := broadcasting.Event{App: "1", Channel: "cache-crowd", Name: "n", Data: "d", Except: "0"}
		return testing.AllocsPerRun(100, func() { publish(t, e, ev) })
	}
	if one, many := cost(2), cost(1000); many > one {
		t.Errorf("%v allocations for 1 delivery, %v for 999", one, many)
	}
}

func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			e := crowd(b, n)
			ev := broadcasting.Event{App: "1", Channel: "private-crowd", Name: "n", Data: "d"}
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Publish(b.Context(), ev); err != nil { // not by publish: Helper takes as long
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := broadcasting.NewEngine(broadcasting.Options{}).Run(ctx); err != nil {
		t.Error(err)
	}
}
