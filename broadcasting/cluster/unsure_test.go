package cluster_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
)

// TestUnsentOrder tests that an order that takes access away and could not be sent cuts off
// the sockets of the other nodes as soon as they can be told, and that no other order does.
func TestUnsentOrder(t *testing.T) {
	for kind, cuts := range map[broadcasting.OrderKind]bool{broadcasting.OrderDisconnect: true, broadcasting.OrderGrant: false} {
		for name, outage := range map[string]func(doors []*door, change func()){
			"away": func(doors []*door, change func()) {
				for _, d := range doors {
					d.cut(errCut)
				}
				synctest.Wait()
				change()
				for _, d := range doors {
					d.cut(nil)
				}
			},
			"refused": func(doors []*door, change func()) {
				doors[0].set(func(d *door) {
					d.refuse = func(out *cluster.Outgoing) error {
						if out.Kind == cluster.KindOrder {
							return errors.New("READONLY")
						}
						return nil
					}
				})
				change()
				doors[0].set(func(d *door) { d.refuse = nil })
			},
			"cut while it waits": func(doors []*door, change func()) {
				doors[0].set(func(d *door) { d.slow = time.Second })
				go doors[0].cut(errCut)
				change()
				doors[0].cut(nil)
			},
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h, doors, nodes := meet(t, 3)
					outage(doors, func() {
						_, err := nodes[0].Control().Survey(t.Context(), broadcasting.Order{Kind: kind, UserID: "7"}, nil)
						if !errors.Is(err, broadcasting.ErrUnanswered) {
							t.Errorf("an order that cannot be sent: %v", err)
						}
					})
					time.Sleep(30 * time.Second)
					for i, n := range nodes {
						n.Complete(t, true)
						told := n.Await(t, "anything", func([]string) bool { return true })
						if got := clustertest.Count(told, "cut off") > 0; got != (cuts && i > 0) {
							t.Errorf("node %d was told %q", i, told)
						}
					}
					if h.count(cluster.KindUnsure) > 1 {
						t.Error("the others are told again and again")
					}
				})
			})
		}
	}
}
