package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/cluster"
)

// TestLeaseUnderLoad tests that a node to which more is given than it can send keeps its
// lease, and that what it reports arrives.
func TestLeaseUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, doors, nodes := meet(t, 2)
		doors[0].set(func(d *door) { d.slow = 100 * time.Millisecond })
		const reports = 20_000
		for i := range reports {
			nodes[0].Presence().Subscribed("1", "news", i+1)
			time.Sleep(time.Millisecond)
		}
		doors[0].set(func(d *door) { d.slow = 0 })
		time.Sleep(time.Second)
		if s := nodes[0].Stats(); s.Joins > 0 || nodes[1].Stats().Buried > 0 {
			t.Errorf("the node was taken for dead: %+v", s)
		}
		if got := nodes[1].Presence().OthersIn("1", "news"); got != reports {
			t.Errorf("the other node knows of %d sockets", got)
		}
	})
}

// TestNoQuestionUnderLoad tests that reports that wait to be sent are not taken for lost ones:
// each of the others would ask for everything, every few seconds.
func TestNoQuestionUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, doors, nodes := meet(t, 3)
		time.Sleep(10 * time.Second)
		before := h.count(cluster.KindAsk)
		doors[0].set(func(d *door) { d.slow = 300 * time.Millisecond })
		for i := range 200 {
			nodes[0].Presence().Subscribed("1", "news", i+1)
			time.Sleep(100 * time.Millisecond)
		}
		if asked := h.count(cluster.KindAsk) - before; asked > 0 {
			t.Errorf("%d times somebody asks", asked)
		}
		for _, n := range nodes[1:] {
			n.Complete(t, true)
		}
	})
}

// TestQueueIsBounded tests that reports do not fill the memory while the bus is slow, and that
// they are made good.
func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, doors, nodes := meet(t, 2)
		doors[0].set(func(d *door) { d.slow = 2 * time.Second })
		const users = 60_000
		for i := range users {
			nodes[0].Presence().SignedIn("1", fmt.Sprint(i), 1)
		}
		for i := range users - 1 {
			nodes[0].Presence().SignedIn("1", fmt.Sprint(i), 0)
		}
		if waiting := nodes[0].Stats().Waiting; waiting > 101_000 {
			t.Errorf("%d messages wait", waiting)
		}
		doors[0].set(func(d *door) { d.slow = 0 })
		time.Sleep(10 * time.Second)
		if s := nodes[0].Stats(); s.Joins > 0 || s.Waiting > 0 {
			t.Errorf("afterwards: %+v", s)
		}
		for user, want := range map[string]bool{fmt.Sprint(users - 1): true, "0": false, "50000": false} {
			if got := nodes[1].Presence().OthersSignedIn("1", user); got != want {
				t.Errorf("user %s is online: %v", user, got)
			}
		}
	})
}

// TestStateForMany tests that a node to which many come at once says what it has once or twice,
// and not to each of them.
func TestStateForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, doors, nodes := meet(t, 1)
		nodes[0].Presence().SignedIn("1", "u", 1)
		doors[0].set(func(d *door) { d.slow = 100 * time.Millisecond })
		time.Sleep(time.Second)
		before := h.count(cluster.KindState)
		for i := range 50 {
			h.mu.Lock()
			h.say(fmt.Sprintf("g%d.1", i), cluster.Message{Kind: cluster.KindHello})
			h.mu.Unlock()
		}
		time.Sleep(3 * time.Second)
		if n := h.count(cluster.KindState) - before; n == 0 || n > 3 {
			t.Errorf("it says %d times what it has", n)
		}
		late := enter(t, &door{hall: h})
		late.Has(t, "u online true")
	})
}

// TestHearingUnderLoad tests that a node that hears anything of its own is not deaf.
func TestHearingUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, nodes := meet(t, 2)
		h.mu.Lock()
		h.drop = cluster.KindProbe
		h.mu.Unlock()
		for range 20 {
			nodes[0].Presence().SignedIn("1", "u", 1)
			time.Sleep(time.Second)
		}
		if s := nodes[0].Stats(); s.Joins > 0 || !s.Up {
			t.Errorf("it was taken for deaf: %+v", s)
		}
		if s := nodes[1].Stats(); s.Joins == 0 {
			t.Error("a node that hears nothing of its own is not taken for deaf")
		}
	})
}
