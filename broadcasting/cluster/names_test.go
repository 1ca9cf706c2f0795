package cluster_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
)

// TestGhost tests that what a node says that has no lease does not stay, and that its reports
// count for nothing before it has said what it has.
func TestGhost(t *testing.T) {
	online := func(user string) []cluster.Report {
		return []cluster.Report{{Kind: broadcasting.SignedInReport, App: "1", Name: user, Sockets: 1}}
	}
	synctest.Test(t, func(t *testing.T) {
		h, _, nodes := meet(t, 1)
		h.mu.Lock()
		h.say("ghost.1", cluster.Message{Kind: cluster.KindReport, Count: 1, Reports: online("early")})
		h.say("ghost.2",
			cluster.Message{Kind: cluster.KindState, Reports: online("u"), Done: true},
			cluster.Message{Kind: cluster.KindReport, Count: 1, Reports: online("v")},
			cluster.Message{Kind: cluster.KindReport, Count: 3, Reports: online("w")})
		h.mu.Unlock()
		nodes[0].Has(t, "v online true")
		time.Sleep(20 * time.Second)
		for user, count := range map[string]int{"early": 0, "u": 1, "v": 1, "w": 0} {
			told := nodes[0].Await(t, "anything", func([]string) bool { return true })
			if got := clustertest.Count(told, user+" online true"); got != count || clustertest.Count(told, user+" online false") != count {
				t.Errorf("of user %s it was told %q", user, told)
			}
			if nodes[0].Presence().OthersSignedIn("1", user) {
				t.Errorf("user %s of a node that is not there stays online", user)
			}
		}
		nodes[0].Complete(t, true)
	})
}

// TestOverLease tests that a node whose lease is over says nothing until it has one again.
func TestOverLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{hall: newHall(), lease: 1500 * time.Millisecond}
		n := enter(t, d)
		n.Complete(t, true)
		d.set(func(d *door) { d.stale = errCut })
		time.Sleep(2500 * time.Millisecond)
		ev := broadcasting.Event{App: "1", Channel: "news", Data: "x"}
		if err := n.Broker().Publish(t.Context(), ev); !errors.Is(err, cluster.ErrAway) || d.count(cluster.KindEvent) > 0 {
			t.Errorf("%v, and %d are sent", err, d.count(cluster.KindEvent))
		}
		d.set(func(d *door) { d.stale = nil })
		time.Sleep(10 * time.Second)
		if err := n.Broker().Publish(t.Context(), ev); err != nil {
			t.Errorf("with a lease: %v", err)
		}
	})
}

// counting notes the counts that it is told of.
type counting struct {
	*clustertest.Node
	presence broadcasting.Presence

	mu     sync.Mutex
	counts []int // guarded by mu
}

func (c *counting) OthersSubscribed(app, channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = append(c.counts, c.presence.OthersIn(app, channel))
}

// TestCountsAtRejoin tests that nobody is told twice the sockets of a node that joins again
// under a new name.
func TestCountsAtRejoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, doors, nodes := meet(t, 1)
		watcher := open(t, &door{hall: doors[0].hall})
		told := &counting{presence: watcher.Presence()}
		watcher.Presence().Attach(told)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = watcher.Presence().Run(ctx) }()
		defer func() { cancel(); <-ended }()
		nodes[0].Presence().Subscribed("1", "news", 5)
		time.Sleep(time.Second)
		doors[0].cut(errCut)
		time.Sleep(time.Second)
		doors[0].cut(nil)
		time.Sleep(5 * time.Second)
		told.mu.Lock()
		defer told.mu.Unlock()
		for _, count := range told.counts {
			if count != 5 {
				t.Errorf("told %v", told.counts)
				break
			}
		}
		if len(told.counts) == 0 || nodes[0].Stats().Joins == 0 {
			t.Error("nothing was told, or the node has not joined again")
		}
	})
}

// TestQuestionWhileANodeJoinsAgain tests that a node that may have the socket and was not asked
// is not taken for one that does not have it.
func TestQuestionWhileANodeJoinsAgain(t *testing.T) {
	for name, test := range map[string]struct {
		order broadcasting.Order
		want  error
	}{
		"of a socket": {broadcasting.Order{Kind: broadcasting.OrderGrant, App: "1", SocketID: "1.1"}, broadcasting.ErrUnanswered},
		"of none":     {broadcasting.Order{Kind: broadcasting.OrderAppsChanged}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, doors, nodes := meet(t, 2)
				doors[1].cut(errCut)
				synctest.Wait()
				answered := make(chan error, 1)
				go func() {
					_, err := nodes[0].Control().Survey(t.Context(), test.order, nil)
					answered <- err
				}()
				synctest.Wait()
				doors[1].cut(nil)
				if err := <-answered; !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if nodes[1].Complete(t, true); nodes[1].Stats().Joins == 0 {
					t.Error("the node has not joined again")
				}
			})
		})
	}
}
