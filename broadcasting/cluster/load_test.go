package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
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
