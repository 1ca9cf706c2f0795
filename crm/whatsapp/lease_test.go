package whatsapp

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestReplacedWhileTheLinesAreRead checks that a heartbeat that read the lines before one
// was replaced does not connect that line again.
func TestReplacedWhileTheLinesAreRead(t *testing.T) {
	w := newWorld(t, quick)
	w.pair(t)
	w.stop()
	rules := &slowRules{recorder: w.rules, listed: make(chan struct{}), give: make(chan struct{})}
	w.serve = rules
	before := len(w.states())
	w.start(t, quick)
	t.Cleanup(func() { close(rules.give) })
	eventually(t, "it is not connected again", func() bool {
		return slices.ContainsFunc(w.states()[before:], func(st crm.LineState) bool { return st.State == crm.StateConnected })
	})
	<-rules.listed // a heartbeat has read that the line is connected
	w.shop.Replace()
	w.awaitState(t, crm.StateReplaced)
	w.awaitServed(t, false)
	rules.give <- struct{}{}
	<-rules.listed // the next heartbeat: the previous one is over
	if w.m.serving(testLine) != nil {
		t.Error("the line came back by itself")
	}
	rules.give <- struct{}{}
}

// TestLeaseTakenAtTheEnd checks that a process that takes the lease of a line just as it
// ends gives it back: the next process must not wait until it is over.
func TestLeaseTakenAtTheEnd(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.stop()
	w.m.takeOver(t.Context(), testLine)
	if row, err := w.rules.SessionOf(t.Context(), testLine); err != nil || row.LeaseOwner != "" {
		t.Errorf("the lease is held by %q, %v", row.LeaseOwner, err)
	}
}

// slowRelease are rules with a database that is slow to give a lease back.
type slowRelease struct {
	*recorder
	reached chan struct{} // receives when a lease is given back
	goOn    chan struct{} // closed when that may happen
}

func (r *slowRelease) Release(ctx context.Context, on crm.Line, owner string) error {
	notify(r.reached)
	<-r.goOn
	return r.recorder.Release(ctx, on, owner)
}

// TestPairedWhileTheLeaseIsGivenBack asks for a code while the line's last session gives its
// lease back. The next one must keep its own.
func TestPairedWhileTheLeaseIsGivenBack(t *testing.T) {
	w := newWorld(t)
	w.stop()
	rules := &slowRelease{recorder: w.rules, reached: make(chan struct{}, 1), goOn: make(chan struct{})}
	goOn := sync.OnceFunc(func() { close(rules.goOn) })
	t.Cleanup(goOn)
	w.serve = rules
	w.start(t)
	w.code(t, "")
	w.m.serving(testLine).end(ending{kind: endUnpaired})
	select {
	case <-rules.reached:
	case <-testwait.Context(t).Done():
		t.Fatal("the lease is not given back")
	}
	asked := make(chan error, 1)
	go func() {
		_, err := w.m.Pair(testwait.Context(t), testLine, "")
		asked <- err
	}()
	select {
	case err := <-asked:
		t.Errorf("a pairing began before the lease was given back: %v", err)
		asked <- err
	case <-time.After(200 * time.Millisecond):
	}
	goOn()
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	if row, err := w.rules.SessionOf(t.Context(), testLine); err != nil || row.LeaseOwner != w.m.owner {
		t.Errorf("the lease is held by %q, %v", row.LeaseOwner, err)
	}
	w.pair(t)
}
