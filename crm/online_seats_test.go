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
