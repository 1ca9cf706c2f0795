package history_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/history"
)

// shelf is a Store in memory, for several nodes.
type shelf struct {
	mu      sync.Mutex
	list    []history.Event // guarded by mu; numbers from 1
	commits []int           // guarded by mu: the events of each
	removed []string        // guarded by mu
	lost    int64           // guarded by mu: the number up to which events are no longer there
	fails   error           // guarded by mu
	gate    chan struct{}   // each commit takes one; nil: none does
}

func (s *shelf) Append(_ context.Context, list []broadcasting.KeptEvent) error {
	if s.gate != nil {
		<-s.gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	s.commits = append(s.commits, len(list))
	for _, e := range list {
		e.Seq = int64(len(s.list) + 1)
		s.list = append(s.list, history.Event{Event: e.Event, At: time.Now()})
	}
	return nil
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

func (s *shelf) Last(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.list)), nil
}

func (s *shelf) After(_ context.Context, seq int64, limit int) ([]history.Event, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(s.list[seq:]), func(e history.Event) bool { return e.Seq <= s.lost })
	n := min(len(rest), limit)
	return rest[:n], n == limit, s.fails
}

func (s *shelf) Since(_ context.Context, app, channel string, seq int64, _ int) (broadcasting.Missed, error) {
	return broadcasting.Missed{Through: seq, Entries: []broadcasting.Entry{{Name: app + " " + channel}}}, nil
}

func (s *shelf) RemoveExpired(_ context.Context, last int64, limit int) (int, error) {
	return s.remove(fmt.Sprintf("expired up to %d, %d", last, limit), limit)
}

func (s *shelf) Bytes(context.Context) (map[string]int64, error) {
	return map[string]int64{"full": 11, "fine": 10}, nil
}

func (s *shelf) RemoveExcess(_ context.Context, app string, most, last int64, limit int) (int, error) {
	return s.remove(fmt.Sprintf("%s to %d, up to %d", app, most, last), limit)
}

// remove removes whole batches twice, then less.
func (s *shelf) remove(what string, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = append(s.removed, what)
	if len(s.removed)%2 == 1 {
		return limit, s.fails
	}
	return 0, s.fails
}

// hub is the engine of a node.
type hub struct {
	mu        sync.Mutex
	delivered []string // guarded by mu
	published []string // guarded by mu
	kept      int      // guarded by mu
}

func (h *hub) Deliver(ev broadcasting.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivered = append(h.delivered, fmt.Sprint(ev.Seq, " ", ev.Name))
}

func (h *hub) Publish(_ context.Context, ev broadcasting.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.published = append(h.published, ev.Name)
	return nil
}

func (h *hub) Reread() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivered = append(h.delivered, "reread")
}

func (h *hub) Kept(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept += n
}

func (h *hub) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.delivered)
}

// node starts a keeper that runs until stop.
func node(t *testing.T, s *shelf) (k *history.Keeper, h *hub, stop func()) {
	t.Helper()
	h = &hub{}
	k, err := history.New(t.Context(), history.Options{
		Store: s, Engine: h, Log: slog.New(slog.DiscardHandler), MaxBytes: func(string) int64 { return 10 },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	return k, h, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func event(channel, name string) broadcasting.KeptEvent {
	return broadcasting.KeptEvent{Event: broadcasting.Event{App: "1", Channel: channel, Name: name}, Keep: time.Hour}
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// Each node delivers the events of all nodes: its own at once, others when it looks. A node
// begins with what comes after its start.
func TestNodesDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		a, atA, stopA := node(t, s)
		keep := func(list ...broadcasting.KeptEvent) {
			t.Helper()
			if err := a.Keep(t.Context(), list); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		keep(event("x", "a"))
		b, atB, stopB := node(t, s)
		synctest.Wait()
		keep(event("x", "b"), event("y", "c"))
		expect(t, "its own", atA.got(), []string{"1 a", "2 b", "3 c"})
		expect(t, "another's, at once", atB.got(), nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		expect(t, "another's, when it looked", atB.got(), []string{"2 b", "3 c"})
		keep(event("cache-x", "d"), event("x", "e"))
		b.Wake()
		synctest.Wait()
		expect(t, "another's, when it was woken", atB.got(), []string{"2 b", "3 c", "5 e"})
		expect(t, "of a cache channel", atA.published, []string{"d"})
		if a.Position() != 5 || b.Position() != 5 || atA.kept != 4 {
			t.Errorf("positions %d and %d, %d counted", a.Position(), b.Position(), atA.kept)
		}

		s.fail(errors.New("away"))
		if err := a.Keep(t.Context(), []broadcasting.KeptEvent{event("x", "f")}); err == nil {
			t.Error("what cannot be stored was accepted")
		}
		time.Sleep(time.Minute)
		s.fail(nil)
		keep(event("x", "g"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		expect(t, "after a failure", atB.got(), []string{"2 b", "3 c", "5 e", "6 g"})
		if m, err := a.Of("7").Since(t.Context(), "x", "", 3, 1); err != nil || m.Through != 3 || m.Entries[0].Name != "7 x" {
			t.Errorf("%+v, %v", m, err)
		}
		stopA()
		stopB()
	})
}

// Calls that come during a commit share the next one, in their order, but for those that have
// given up. There is a bound on how many wait.
func TestCallsShareCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{gate: make(chan struct{})}
		k, h, stop := node(t, s)
		var group sync.WaitGroup
		keep := func(n int, want error) {
			group.Go(func() {
				list := slices.Repeat([]broadcasting.KeptEvent{event("x", fmt.Sprint(n))}, n)
				if err := k.Keep(t.Context(), list); !errors.Is(err, want) {
					t.Errorf("%d events: %v, want %v", n, err, want)
				}
			})
			synctest.Wait()
		}
		for _, n := range []int{1, 2, 3, 495, 600} {
			keep(n, nil)
		}
		keep(19_401, history.ErrBusy)
		late, cancel := context.WithCancel(t.Context())
		cancel()
		if err := k.Keep(late, []broadcasting.KeptEvent{event("x", "late")}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		for range 3 {
			s.gate <- struct{}{}
			synctest.Wait()
		}
		group.Wait()
		if want := []int{1, 500, 600}; !slices.Equal(s.commits, want) {
			t.Errorf("commits of %v events, want %v", s.commits, want)
		}
		if got := h.got(); len(got) != 1101 || got[1] != "2 2" || got[1100] != "1101 600" {
			t.Errorf("%d were delivered", len(got))
		}
		stop()
	})
}

// The sweep removes in batches what has expired, and what an app has too much.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		_, _, stop := node(t, s)
		synctest.Wait()
		round := []string{"expired up to 0, 500", "expired up to 0, 500", "full to 10, up to 0", "full to 10, up to 0"}
		expect(t, "at the start", s.removed, round)
		s.fail(errors.New("away"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, "after a failure", s.removed, append(slices.Clone(round), "expired up to 0, 500"))
		s.fail(nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(s.removed) < 7 {
			t.Errorf("it does not try again: %q", s.removed)
		}
		stop()
	})
}

// What waits is bounded by its bytes too, and one app takes no more than half of them.
func TestWaitingBytesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{gate: make(chan struct{})}
		k, h, stop := node(t, s)
		var group sync.WaitGroup
		keep := func(app string, megabytes int, want error) {
			group.Go(func() {
				e := event("x", "e")
				e.App, e.Data = app, strings.Repeat("d", megabytes<<20)
				if err := k.Keep(t.Context(), []broadcasting.KeptEvent{e}); !errors.Is(err, want) {
					t.Errorf("%d MB of app %s: %v, want %v", megabytes, app, err, want)
				}
			})
			synctest.Wait()
		}
		keep("1", 1, nil) // is being committed
		keep("1", 30, nil)
		keep("1", 2, history.ErrBusy)
		keep("2", 30, nil)
		keep("3", 4, history.ErrBusy)
		keep("3", 1, nil)
		for range 4 {
			s.gate <- struct{}{}
			synctest.Wait()
		}
		group.Wait()
		if want := []int{1, 1, 1, 1}; !slices.Equal(s.commits, want) || len(h.got()) != 4 {
			t.Errorf("commits of %v events, want %v; %d were delivered", s.commits, want, len(h.got()))
		}
		go func() { s.gate <- struct{}{} }()
		keep("1", 31, nil) // there is room again
		group.Wait()
		stop()
	})
}

// Events that are gone before a node has delivered them leave a gap in the numbers. Those who
// resume read the history again then, before the node goes on.
func TestEventsRemovedBeforeDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		a, _, stopA := node(t, s)
		_, atB, stopB := node(t, s)
		keep := func(name string) {
			t.Helper()
			if err := a.Keep(t.Context(), []broadcasting.KeptEvent{event("x", name)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		keep("a")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, name := range []string{"b", "c", "d"} {
			keep(name)
		}
		s.mu.Lock()
		s.lost = 3
		s.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		expect(t, "the node that comes too late", atB.got(), []string{"1 a", "reread", "4 d"})
		stopA()
		stopB()
	})
}
