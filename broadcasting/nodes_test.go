package broadcasting_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"chatcast/broadcasting"
)

// onTwoNodes runs test in a bubble, with the engines of two nodes. stop ends the second
// one earlier.
func onTwoNodes(t *testing.T, test func(t *testing.T, a, b *broadcasting.Engine, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b, stop := twoNodes(t)
		test(t, a, b, stop)
	})
}

// twoNodes returns the engines of two nodes that run until the test ends; stop ends the
// second one earlier.
func twoNodes(t *testing.T) (a, b *broadcasting.Engine, stop func()) {
	t.Helper()
	m := broadcasting.NewMemory(broadcasting.MemoryOptions{})
	open := func() (*broadcasting.Engine, func()) {
		e := broadcasting.NewEngine(broadcasting.Options{Broker: m.Broker(), Presence: m.Presence(), Control: m.Control()})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		return e, sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	a, stopA := open()
	b, stopB := open()
	t.Cleanup(func() { stopA(); stopB() })
	return a, b, stopB
}

// gets waits until the nodes are idle, and expects that exactly these frames have come,
// in this order.
func (m *mailbox) gets(t *testing.T, frames ...string) {
	t.Helper()
	synctest.Wait()
	expect(t, m, frames...)
}

func TestPresenceOfTwoNodes(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, stop func()) {
		x, y, z := connect(t, a, "1", "x", words("")), connect(t, b, "1", "y", words("")), connect(t, b, "1", "z", words(""))
		enter := func(m *mailbox, user string) {
			t.Helper()
			if err := joinAs(t, m, "presence-r", user, user); err != nil {
				t.Fatal(err)
			}
		}
		enter(x, "X")
		x.gets(t, "in presence-r X=X")
		counts(t, b, "presence-r", 1, 1)
		enter(y, "Y")
		y.gets(t, "in presence-r X=X Y=Y")
		x.gets(t, "added presence-r Y=Y")
		enter(z, "X") // a second socket of X, on the other node
		z.gets(t, "in presence-r X=X Y=Y")
		counts(t, a, "presence-r", 3, 2)
		counts(t, b, "presence-r", 3, 2)
		if ids, err := a.Members(t.Context(), "1", "presence-r"); err != nil || strings.Join(ids, " ") != "X Y" {
			t.Errorf("members %q, %v", ids, err)
		}
		if got := occupied(t, b, "1", ""); !slices.Equal(got, []string{"1 presence-r 3 of 2"}) {
			t.Errorf("channels %q", got)
		}
		x.Unsubscribe("presence-r") // X is still on the other node
		counts(t, b, "presence-r", 2, 2)
		counts(t, a, "presence-r", 2, 2)
		if got := occupied(t, a, "1", "presence"); !slices.Equal(got, []string{"1 presence-r 2 of 2"}) {
			t.Errorf("of another node alone: %q", got)
		}
		enter(x, "V")
		if got := x.take(); len(got) != 1 || !strings.HasSuffix(got[0], " V=V") || len(strings.Fields(got[0])) != 5 {
			t.Errorf("got %q, want V after the two of the other node", got)
		}
		y.gets(t, "added presence-r V=V")
		z.Close()
		x.gets(t, "removed presence-r X")
		stop() // the node dies, and its members with it
		x.gets(t, "removed presence-r Y")
		counts(t, a, "presence-r", 1, 1)
	})
}

// counts waits until the nodes are idle, and expects so many in the channel.
func counts(t *testing.T, e *broadcasting.Engine, channel string, sockets, users int) {
	t.Helper()
	synctest.Wait()
	if s, u, err := e.Count(t.Context(), "1", channel); err != nil || s != sockets || u != users {
		t.Errorf("%s has %d sockets of %d users, %v; want %d of %d", channel, s, u, err, sockets, users)
	}
}

func TestCountsOfTwoNodes(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		x, y := connect(t, a, "1", "x", words("")), connect(t, b, "1", "y", words(""))
		counting := want(t, "news")
		counting.SubscriptionCount = true
		for _, m := range []*mailbox{x, y} {
			if err := m.Subscribe(t.Context(), counting); err != nil {
				t.Fatal(err)
			}
			if m == x {
				x.gets(t, "in news", "count news 1")
				counts(t, b, "news", 1, 0)
			}
		}
		y.gets(t, "in news", "count news 2")
		x.gets(t, "count news 2")
		y.Close()
		x.gets(t, "count news 1")
	})
}

// A change on one node is recorded only there, and a crowd is counted across nodes.
func TestCountsAreRecordedOnce(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		ra, rb := new(recorder), new(recorder)
		a.Record(ra)
		b.Record(rb)
		counting := want(t, "news")
		counting.SubscriptionCount = true
		enter := func(e *broadcasting.Engine, id string) *mailbox {
			m := connect(t, e, "1", id, words(""))
			if err := m.Subscribe(t.Context(), counting); err != nil {
				t.Fatal(err)
			}
			return m
		}
		x := enter(a, "x")
		x.gets(t, "in news", "count news 1")
		counts(t, b, "news", 1, 0)
		y := enter(b, "y")
		x.gets(t, "count news 2")
		for i := range 200 {
			enter(b, fmt.Sprint(i))
		}
		counts(t, a, "news", 202, 0)
		y.Close()
		counts(t, a, "news", 201, 0)
		if frames := x.take(); len(frames) > 110 {
			t.Errorf("the only socket here was told %d times of a crowd elsewhere", len(frames))
		}
		recorded := func(r *recorder) (n int) {
			for _, line := range r.take() {
				if strings.Contains(line, "count") {
					n++
				}
			}
			return n
		}
		if here, there := recorded(ra), recorded(rb); here != 1 || there > 110 {
			t.Errorf("recorded were %d counts on the node of one change, and %d on the other", here, there)
		}
	})
}

func TestSignInsOfTwoNodes(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, stop func()) {
		watcher, early, late := connect(t, a, "1", "w", words("")), connect(t, b, "1", "e", words("")), connect(t, a, "1", "l", words(""))
		signIn := func(m *mailbox, who broadcasting.Identity) {
			t.Helper()
			who.Data = who.UserID
			if err := m.SignIn(who); err != nil {
				t.Fatal(err)
			}
		}
		signIn(watcher, broadcasting.Identity{UserID: "W", Watchlist: []string{"E"}})
		watcher.gets(t, "signed in W")
		signIn(early, broadcasting.Identity{UserID: "E", Watchlist: []string{"W"}})
		watcher.gets(t, "online E")
		early.gets(t, "signed in E", "online W")
		signIn(late, broadcasting.Identity{UserID: "E"}) // the same user, here: no news
		late.gets(t, "signed in E")
		if n := terminate(t, a, "1", "E"); n != 2 || early.disconnected != broadcasting.Terminated || late.disconnected != broadcasting.Terminated {
			t.Errorf("%d sockets: %v %v", n, early.disconnected, late.disconnected)
		}
		late.Close()
		stop()
		watcher.gets(t, "offline E")
	})
}

// Sockets of two nodes come, go, sign in and publish at once, for the race detector.
// Nothing may be left at the end.
func TestTwoNodesAtOnce(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		var group sync.WaitGroup
		for g := range 8 {
			e := []*broadcasting.Engine{a, b}[g%2]
			group.Go(func() {
				for i := range 50 {
					m := connect(t, e, "1", fmt.Sprintf("%d-%d", g, i), words(""))
					if err := joinAs(t, m, "presence-r", fmt.Sprint(i%3), "x"); err != nil {
						t.Error(err)
					}
					join(t, m, "cache-a")
					if err := m.SignIn(broadcasting.Identity{UserID: fmt.Sprint(i % 3), Watchlist: []string{"0", "1"}}); err != nil {
						t.Error(err)
					}
					publish(t, e, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "x"})
					if _, err := e.Channels(t.Context(), "", ""); err != nil {
						t.Error(err)
					}
					m.Close()
				}
			})
		}
		group.Wait()
		for _, e := range []*broadcasting.Engine{a, b} {
			counts(t, e, "presence-r", 0, 0)
			counts(t, e, "cache-a", 0, 0)
		}
	})
}

// Each node records who comes and goes on any of them, also when a node ends.
func TestEveryNodeRecordsTheCluster(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, stop func()) {
		ra, rb := new(recorder), new(recorder)
		a.Record(ra)
		b.Record(rb)
		x, y := connect(t, a, "1", "x", words("")), connect(t, b, "1", "y", words(""))
		if err := joinAs(t, y, "presence-a", "U", ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		recorded(t, rb, "1 presence-a occupied", "1 presence-a added U")
		recorded(t, ra, "1 presence-a added U", "1 presence-a occupied")
		if err := joinAs(t, x, "presence-a", "V", ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		recorded(t, ra, "1 presence-a occupied", "1 presence-a added V") // again: its first socket here
		recorded(t, rb, "1 presence-a added V")
		x.Unsubscribe("presence-a")
		synctest.Wait()
		recorded(t, ra, "1 presence-a removed V")
		recorded(t, rb, "1 presence-a removed V")
		stop() // the sockets of b are not closed: it is gone, as if it had been killed
		synctest.Wait()
		recorded(t, ra, "1 presence-a removed U", "1 presence-a vacated")
		y.Close()
		x.Close()
	})
}
