package history_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	rest := s.list[seq:]
	n := min(len(rest), limit)
	return slices.Clone(rest[:n]), n == limit, s.fails
}

func (s *shelf) Since(_ context.Context, app, channel string, seq int64, _ int) (broadcasting.Missed, error) {
	return broadcasting.Missed{Through: seq, Entries: []broadcasting.Entry{{Name: app + " " + channel}}}, nil
}

func (s *shelf) RemoveExpired(_ context.Context, limit int) (int, error) {
	return s.remove(fmt.Sprint("expired ", limit), limit)
}

func (s *shelf) Bytes(context.Context) (map[string]int64, error) {
	return map[string]int64{"full": 11, "fine": 10}, nil
}

func (s *shelf) RemoveExcess(_ context.Context, app string, most int64, limit int) (int, error) {
	return s.remove(fmt.Sprint(app, " to ", most), limit)
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

// Calls that come during a commit share the next one, in their order. There is a bound on
// how many wait.
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
		for range 4 {
			s.gate <- struct{}{}
			synctest.Wait()
		}
		group.Wait()
		if want := []int{1, 500, 600, 1}; !slices.Equal(s.commits, want) {
			t.Errorf("commits of %v events, want %v", s.commits, want)
		}
		if got := h.got(); len(got) != 1102 || got[1] != "2 2" || got[1101] != "1102 late" {
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
		round := []string{"expired 500", "expired 500", "full to 10", "full to 10"}
		expect(t, "at the start", s.removed, round)
		s.fail(errors.New("away"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, "after a failure", s.removed, append(slices.Clone(round), "expired 500"))
		s.fail(nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(s.removed) < 7 {
			t.Errorf("it does not try again: %q", s.removed)
		}
		stop()
	})
}
