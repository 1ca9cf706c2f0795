package clustertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/channels/testwait"
)

// Node is a running node that records what it is told.
type Node struct {
	*cluster.Node
	Stop func()
	told *notes
}

// Start attaches and runs a node, as an engine does.
func Start(t *testing.T, node *cluster.Node) *Node {
	t.Helper()
	n := &Node{Node: node, told: newNotes()}
	node.Broker().Attach(func(ev broadcasting.Event, version uint64) {
		n.told.add(fmt.Sprintf("%s %s %d", ev.Channel, ev.Data, version))
	})
	node.Presence().Attach(n)
	node.Control().Attach(func(_ context.Context, o broadcasting.Order) broadcasting.Answer {
		n.told.add("order " + string(o.Kind))
		return broadcasting.Answer{Found: true}
	})
	node.OnCutOff(func() { n.told.add("cut off") })
	ctx, cancel := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	for _, run := range []func(context.Context) error{node.Broker().Run, node.Presence().Run, node.Control().Run} {
		runs.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	n.Stop = sync.OnceFunc(func() { cancel(); runs.Wait() })
	t.Cleanup(n.Stop)
	return n
}

// OthersSubscribed implements broadcasting.PresenceListener.
func (n *Node) OthersSubscribed(string, string) {}

// OtherMemberAdded implements broadcasting.PresenceListener.
func (n *Node) OtherMemberAdded(_, channel string, m *broadcasting.Member) {
	n.told.add(fmt.Sprintf("%s + %s %s", channel, m.ID, m.Info))
}

// OtherMemberRemoved implements broadcasting.PresenceListener.
func (n *Node) OtherMemberRemoved(_, channel, userID string) { n.told.add(channel + " - " + userID) }

// OtherSignedIn implements broadcasting.PresenceListener.
func (n *Node) OtherSignedIn(_, userID string, online bool) {
	n.told.add(fmt.Sprintf("%s online %v", userID, online))
}

// Await waits until ok returns true for what the node was told.
func (n *Node) Await(t *testing.T, what string, ok func(told []string) bool) []string {
	t.Helper()
	return n.told.await(t, what, ok)
}

// Has waits until the node was told a note.
func (n *Node) Has(t *testing.T, note string) []string {
	t.Helper()
	return n.Await(t, note, func(told []string) bool { return slices.Contains(told, note) })
}

// Complete waits until Complete of the node's presence returns nil, or an error.
func (n *Node) Complete(t *testing.T, want bool) {
	t.Helper()
	Until(t, fmt.Sprintf("a node is complete: %v", want), func() bool {
		return (n.Presence().Complete(t.Context()) == nil) == want
	})
}

// Until waits until ok returns true.
func Until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Long); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: it does not come to that", what)
		}
	}
}

// Count returns how often a note is in told.
func Count(told []string, note string) (n int) {
	for _, have := range told {
		if have == note {
			n++
		}
	}
	return n
}
