package crm_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
)

// engineSeats shares the seats of two trackers by engines of one process, and runs the second
// one.
func engineSeats(trackers ...*crm.OnlineTracker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	nodes := broadcasting.NewMemory(broadcasting.MemoryOptions{})
	for _, a := range trackers {
		e := broadcasting.NewEngine(broadcasting.Options{Broker: nodes.Broker(), Presence: nodes.Presence(), Control: nodes.Control()})
		e.OnShared(a.Elsewhere)
		a.Share(e)
		running.Go(func() { _ = e.Run(ctx) })
	}
	running.Go(func() { _ = trackers[1].Run(ctx) }) // the first one runs already
	return func() { cancel(); running.Wait() }
}

// A user with sockets on two nodes is offline when both have closed.
func TestOnlineOnTwoNodes(t *testing.T) {
	var b memoryStore
	attend(t, &b, func(a *crm.OnlineTracker, recorded func() string) {
		other := crm.NewOnlineTrackerOver(&b, slog.New(slog.DiscardHandler))
		defer engineSeats(a, other)()
		a.Entered(company, "686")
		time.Sleep(time.Second)
		equal(t, "on one node", recorded(), "online 686@2224")
		other.Entered(company, "686")
		synctest.Wait() // the nodes tell each other
		time.Sleep(time.Second)
		a.Left(company, "686")
		time.Sleep(time.Hour)
		equal(t, "on the other node", recorded(), "")
		other.Left(company, "686")
		time.Sleep(9 * time.Second)
		equal(t, "within the grace period", recorded(), "")
		time.Sleep(2 * time.Second)
		equal(t, "on none", recorded(), "offline 686@2224")
	})
}

// seats says what a test says of the other nodes.
type seats struct {
	mu    sync.Mutex
	taken map[string]bool // guarded by mu
}

func (s *seats) Share(string, bool) {}

func (s *seats) Shared(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[key]
}

func (s *seats) tell(a *crm.OnlineTracker, key string, taken bool) {
	s.mu.Lock()
	s.taken[key] = taken
	s.mu.Unlock()
	a.Elsewhere(key, taken)
}

// A user on a node that was cut off, and is heard again, is online again: that node itself has
// seen no change.
func TestOnlineOnNodeThatReturns(t *testing.T) {
	var b memoryStore
	attend(t, &b, func(a *crm.OnlineTracker, recorded func() string) {
		others := &seats{taken: map[string]bool{}}
		a.Share(others)
		others.tell(a, "686/2224", true)
		time.Sleep(time.Second)
		equal(t, "taken elsewhere", recorded(), "online 686@2224")
		others.tell(a, "686/2224", false)
		time.Sleep(5 * time.Second)
		others.tell(a, "686/2224", true)
		time.Sleep(time.Minute)
		equal(t, "heard again within the grace period", recorded(), "")
		others.tell(a, "686/2224", false)
		time.Sleep(time.Minute)
		equal(t, "cut off", recorded(), "offline 686@2224")
		others.tell(a, "686/2224", true)
		time.Sleep(time.Second)
		equal(t, "heard again", recorded(), "online 686@2224")
	})
}
