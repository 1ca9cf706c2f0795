// Package clustertest holds the tests that every implementation of broadcasting.Broker,
// Presence and Control must pass. An implementation calls them from its own test, with
// a function that opens connected nodes. The package is only for tests.
package clustertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// runner is common to all seams.
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

// notes holds what a node was told, in order.
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

// await waits until ok returns true for the notes so far, and returns them.
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

// last waits until the latest note is want.
func (n *notes) last(t *testing.T, want string) {
	t.Helper()
	n.await(t, want, func(list []string) bool { return len(list) > 0 && list[len(list)-1] == want })
}
