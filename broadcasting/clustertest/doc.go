// Package clustertest holds the tests that every implementation of the seams between
// nodes passes: broadcasting.Broker, Presence and Control. An implementation calls
// them from a test of its own, with a function that opens connected nodes. It is for
// tests alone.
package clustertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// runner is what all seams have.
type runner interface {
	Run(ctx context.Context) error
}

// run runs r until the test ends or stop is called. stop returns when Run has.
func run(t *testing.T, r runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(testwait.Long):
			t.Error("Run does not end with its context")
		}
	})
	t.Cleanup(stop)
	return stop
}

// notes is what a node was told, in order.
type notes struct {
	mu    sync.Mutex
	list  []string      // guarded by mu
	grown chan struct{} // closed and replaced when list grows; guarded by mu
}

func newNotes() *notes { return &notes{grown: make(chan struct{})} }

func (n *notes) add(note string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, note)
	close(n.grown)
	n.grown = make(chan struct{})
}

// await waits until ok says so of what was told, and returns that.
func (n *notes) await(t *testing.T, what string, ok func(list []string) bool) []string {
	t.Helper()
	deadline := time.After(testwait.Long)
	for {
		n.mu.Lock()
		list, grown := append([]string(nil), n.list...), n.grown
		n.mu.Unlock()
		if ok(list) {
			return list
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("%s does not come; told was %q", what, list)
		}
	}
}

// last waits until the last note is want.
func (n *notes) last(t *testing.T, want string) {
	t.Helper()
	n.await(t, want, func(list []string) bool { return len(list) > 0 && list[len(list)-1] == want })
}
