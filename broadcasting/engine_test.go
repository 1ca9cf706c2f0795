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
	"chatcast/channels"
)

// words is a dialect that a test can read; the name tells two dialects apart.
type words string

func (w words) say(parts ...string) []byte          { return []byte(string(w) + strings.Join(parts, " ")) }
func (w words) Event(ev *broadcasting.Event) []byte { return w.say(ev.Channel, ev.Name, ev.Data) }
func (w words) Subscribed(ch string, members []*broadcasting.Member) []byte {
	parts := []string{"in", ch}
	for _, m := range members {
		parts = append(parts, m.ID+"="+string(m.Info))
	}
	return w.say(parts...)
}
func (w words) MemberAdded(ch string, m *broadcasting.Member) []byte {
	return w.say("added", ch, m.ID+"="+string(m.Info))
}
func (w words) MemberRemoved(ch, id string) []byte { return w.say("removed", ch, id) }
func (w words) Revoked(ch string) []byte           { return w.say("revoked", ch) }

// mailbox is a socket that keeps what it is sent.
type mailbox struct {
	*broadcasting.Conn
	mu       sync.Mutex
	got      []string
	expelled bool
}

func (m *mailbox) Queue(frame []byte) {
	m.mu.Lock()
	m.got = append(m.got, string(frame))
	m.mu.Unlock()
}

// take returns what has come since the last time.
func (m *mailbox) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}

func connect(t testing.TB, e *broadcasting.Engine, app, id string, d broadcasting.Dialect) *mailbox {
	t.Helper()
	m := &mailbox{}
	c, err := e.Connect(broadcasting.Peer{App: app, ID: id, Dialect: d, Out: m, Expel: func() { m.expelled = true }})
	if err != nil {
		t.Fatal(err)
	}
	m.Conn = c
	return m
}

func want(t testing.TB, channel string) broadcasting.Wanted {
	t.Helper()
	name, err := channels.Parse(channel)
	if err != nil {
		t.Fatal(err)
	}
	return broadcasting.Wanted{Name: name, MaxChannels: 1000, MaxMembers: 100}
}

func join(t testing.TB, m *mailbox, channel string) {
	t.Helper()
	if err := m.Subscribe(want(t, channel)); err != nil {
		t.Fatalf("subscribe to %s: %v", channel, err)
	}
}

func joinAs(t testing.TB, m *mailbox, channel, user, info string) error {
	t.Helper()
	w := want(t, channel)
	w.Member = &broadcasting.Member{ID: user, Info: []byte(info)}
	return m.Subscribe(w)
}

func publish(t testing.TB, e *broadcasting.Engine, ev broadcasting.Event) {
	t.Helper()
	if err := e.Publish(context.Background(), ev); err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, m *mailbox, frames ...string) {
	t.Helper()
	if got := m.take(); !slices.Equal(got, frames) {
		t.Errorf("got %q, want %q", got, frames)
	}
}

func TestPublish(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, b, other := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words("B:")), connect(t, e, "2", "a", words(""))
	join(t, a, "news")
	join(t, b, "news")
	join(t, other, "news")
	join(t, a, "sport")
	expect(t, a, "in news", "in sport")
	expect(t, b, "B:in news")
	expect(t, other, "in news")

	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "1"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "2", Except: "a"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "3", Except: "nobody"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "sport", Name: "n", Data: "4", Except: "b"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "empty", Name: "n"})
	expect(t, a, "news n 1", "news n 3", "sport n 4")
	expect(t, b, "B:news n 1", "B:news n 2", "B:news n 3")
	expect(t, other)

	if !a.Unsubscribe("news") || a.Unsubscribe("news") {
		t.Error("unsubscribe")
	}
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "5"})
	expect(t, a)
	expect(t, b, "B:news n 5")
	b.Close()
	b.Close()
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "6"})
	expect(t, b)
	if err := b.Subscribe(want(t, "news")); !errors.Is(err, broadcasting.ErrClosed) {
		t.Errorf("a closed socket subscribes: %v", err)
	}
	if st := e.Stats(); st.Channels != 2 || st.Sockets != 2 || st.Published != 7 || st.Delivered != 7 {
		t.Errorf("stats: %+v", st)
	}
}

func TestTwiceIsOnce(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a := connect(t, e, "1", "a", words(""))
	join(t, a, "news")
	join(t, a, "news")
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "1"})
	expect(t, a, "in news", "in news", "news n 1")
	if a.Channels() != 1 {
		t.Errorf("in %d channels", a.Channels())
	}
	if _, err := e.Connect(broadcasting.Peer{App: "1", ID: "a", Dialect: words(""), Out: a}); !errors.Is(err, broadcasting.ErrTaken) {
		t.Errorf("a second socket of the same id: %v", err)
	}
}

func TestTooManyChannels(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a := connect(t, e, "1", "a", words(""))
	for i := range 1000 {
		join(t, a, "c"+strconv.Itoa(i))
	}
	if err := a.Subscribe(want(t, "one-more")); !errors.Is(err, broadcasting.ErrTooMany) {
		t.Errorf("the 1001st: %v", err)
	}
	join(t, a, "c7") // again
	a.Unsubscribe("c7")
	join(t, a, "one-more")
	a.Close()
	if st := e.Stats(); st.Channels != 0 || st.Sockets != 0 {
		t.Errorf("left: %+v", st)
	}
}

func TestPresence(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	sockets := map[string]*mailbox{}
	for _, id := range []string{"a1", "a2", "b", "watcher"} {
		sockets[id] = connect(t, e, "1", id, words(""))
	}
	const ch = "presence-room"
	for _, step := range []struct {
		socket, user, info string // user "": leaves
		hears              map[string][]string
		subscriptions      int
		users              int
	}{
		{"watcher", "W", `{"n":0}`, map[string][]string{"watcher": {`in presence-room W={"n":0}`}}, 1, 1},
		{"a1", "A", `{"n":1}`, map[string][]string{
			"watcher": {`added presence-room A={"n":1}`},
			"a1":      {`in presence-room W={"n":0} A={"n":1}`},
		}, 2, 2},
		// A's second socket: nobody hears of it, and the first one's info stays.
		{"a2", "A", `{"n":2}`, map[string][]string{"a2": {`in presence-room W={"n":0} A={"n":1}`}}, 3, 2},
		// Again on the same socket, as somebody else: it is who it was.
		{"a2", "X", ``, map[string][]string{"a2": {`in presence-room W={"n":0} A={"n":1}`}}, 3, 2},
		{"b", "B", ``, map[string][]string{
			"watcher": {`added presence-room B=`}, "a1": {`added presence-room B=`}, "a2": {`added presence-room B=`},
			"b": {`in presence-room W={"n":0} A={"n":1} B=`},
		}, 4, 3},
		// A's first socket goes: A stays, with the same info.
		{"a1", "", "", nil, 3, 3},
		{"a1", "A", `{"n":3}`, map[string][]string{"a1": {`in presence-room W={"n":0} A={"n":1} B=`}}, 4, 3},
		{"a1", "", "", nil, 3, 3},
		{"a2", "", "", map[string][]string{"watcher": {"removed presence-room A"}, "b": {"removed presence-room A"}}, 2, 2},
		// A is new again, with new info.
		{"a2", "A", `{"n":4}`, map[string][]string{
			"watcher": {`added presence-room A={"n":4}`}, "b": {`added presence-room A={"n":4}`},
			"a2": {`in presence-room W={"n":0} B= A={"n":4}`},
		}, 3, 3},
	} {
		m := sockets[step.socket]
		if step.user == "" {
			m.Unsubscribe(ch)
		} else if err := joinAs(t, m, ch, step.user, step.info); err != nil {
			t.Fatal(err)
		}
		for id, other := range sockets {
			if got := other.take(); !slices.Equal(got, step.hears[id]) {
				t.Errorf("%s as %q: %s got %q, want %q", step.socket, step.user, id, got, step.hears[id])
			}
		}
		subs, users, err := e.Count(context.Background(), "1", ch)
		if err != nil || subs != step.subscriptions || users != step.users {
			t.Errorf("%s as %q: counts %d %d %v", step.socket, step.user, subs, users, err)
		}
	}
	if m, in := sockets["a2"].Subscribed(ch); !in || m.ID != "A" {
		t.Errorf("a2 is %v, %v", m, in)
	}
	// A socket that closes leaves like one that unsubscribes.
	sockets["b"].Close()
	expect(t, sockets["watcher"], "removed presence-room B")
}

func TestPresenceIsFull(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	for i := range 100 {
		if err := joinAs(t, connect(t, e, "1", strconv.Itoa(i), words("")), "presence-r", strconv.Itoa(i), ""); err != nil {
			t.Fatal(err)
		}
	}
	late := connect(t, e, "1", "late", words(""))
	if err := joinAs(t, late, "presence-r", "new", ""); !errors.Is(err, broadcasting.ErrFull) {
		t.Errorf("the 101st user: %v", err)
	}
	if err := joinAs(t, late, "presence-r", "7", ""); err != nil {
		t.Errorf("a known user's second socket: %v", err)
	}
	none := want(t, "presence-tiny")
	none.MaxMembers, none.Member = 0, &broadcasting.Member{ID: "x"}
	if err := late.Subscribe(none); !errors.Is(err, broadcasting.ErrFull) || e.Stats().Channels != 1 {
		t.Errorf("a channel for nobody: %v, %+v", err, e.Stats())
	}
}

// watch writes down what it is told.
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
	if e.Grant("1", "nobody", "private-l", "7") || e.Grant("2", "a", "private-l", "7") {
		t.Error("a socket that is not here was granted something")
	}
	for _, id := range []string{"a", "b"} {
		for _, ch := range []string{"private-l", "private-m", "private-never"} {
			if !e.Grant("1", id, ch, "7") {
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
	join(t, a, "private-m") // again: no second word
	told("+private-m:7")
	a.take()

	e.Evict("8", "private-l")
	told()
	e.Evict("7", "private-l", "private-x")
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

	// The old signature is worth nothing on that socket, whatever it did before.
	if err := a.Subscribe(want(t, "private-l")); !errors.Is(err, broadcasting.ErrRevoked) {
		t.Errorf("after the eviction: %v", err)
	}
	// Neither is one that was signed and not yet used.
	e.Evict("7", "private-never")
	if err := b.Subscribe(want(t, "private-never")); !errors.Is(err, broadcasting.ErrRevoked) {
		t.Errorf("granted, evicted, then subscribed: %v", err)
	}
	// Until it is granted anew.
	e.Grant("1", "a", "private-l", "7")
	join(t, a, "private-l")
	told("+private-l:7")

	if a.User() != "7" || stranger.User() != "" || e.Stats().Users != 1 {
		t.Errorf("users %q %q %+v", a.User(), stranger.User(), e.Stats())
	}
	e.Disconnect("7")
	if !a.expelled || !b.expelled || stranger.expelled {
		t.Errorf("expelled: %v %v %v", a.expelled, b.expelled, stranger.expelled)
	}
	a.Close()
	left := w.take()
	slices.Sort(left)
	if !slices.Equal(left, []string{"-private-l:7", "-private-m:7"}) {
		t.Errorf("at the end the watcher was told %q", left)
	}
	b.Close()
	told()
	if e.Grant("1", "a", "private-l", "7") || e.Stats().Users != 0 {
		t.Error("a closed socket is still known")
	}
}

// Whose a subscription is may become known after it began.
func TestGrantAfterSubscribe(t *testing.T) {
	e, w := broadcasting.NewEngine(broadcasting.Options{}), new(watch)
	e.Watch(w)
	a := connect(t, e, "1", "a", words(""))
	join(t, a, "private-l")
	e.Grant("1", "a", "private-l", "7")
	join(t, a, "private-l")
	a.Unsubscribe("private-l")
	if got := w.take(); !slices.Equal(got, []string{"+private-l:7", "-private-l:7"}) {
		t.Errorf("told %q", got)
	}
}

// TestHammer is for the race detector, and counts: whoever is in from the
// beginning to the end gets everything, in each publisher's order.
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
				e.Grant("1", id, "private-x", strconv.Itoa(g%3))
				if err := m.Subscribe(want(t, "private-x")); err != nil && !errors.Is(err, broadcasting.ErrRevoked) {
					t.Errorf("subscribe: %v", err) // evicted meanwhile: it may not
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
			e.Evict(strconv.Itoa(i%3), "private-x")
			e.Disconnect("nobody")
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
		if balance[line[1:]] < -8 { // eight sockets at most tell at once
			t.Fatalf("left before entered: %s", line)
		}
	}
	for who, n := range balance {
		if n != 0 {
			t.Errorf("%s: %d more entered than left", who, n)
		}
	}
}

// drop is a socket that keeps nothing.
type drop struct{ n int }

func (d *drop) Queue([]byte) { d.n++ }

func crowd(t testing.TB, n int) *broadcasting.Engine {
	e := broadcasting.NewEngine(broadcasting.Options{})
	w := want(t, "private-crowd")
	for i := range n {
		c, err := e.Connect(broadcasting.Peer{App: "1", ID: strconv.Itoa(i), Dialect: fixed{}, Out: new(drop)})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Subscribe(w); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// fixed is a dialect whose frames are there already.
type fixed struct{ words }

var fixedFrame = []byte("frame")

func (fixed) Event(*broadcasting.Event) []byte { return fixedFrame }

// A fan-out to 1,000 costs as many allocations as one to a single socket: those
// of the event, none for a delivery.
func TestFanOutAllocatesNothing(t *testing.T) {
	cost := func(n int) float64 {
		e := crowd(t, n)
		ev := broadcasting.Event{App: "1", Channel: "private-crowd", Name: "n", Data: "d", Except: "0"}
		return testing.AllocsPerRun(100, func() { publish(t, e, ev) })
	}
	one, many := cost(2), cost(1000)
	if many != one || many > 1 {
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
				publish(b, e, ev)
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
