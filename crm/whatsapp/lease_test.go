package whatsapp

import (
	"slices"
	"testing"

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
