package whatsapp

import (
	"testing"

	"chatcast/crm"
)

// TestReplacedWhileTheLinesAreRead: a heartbeat that read the lines before one was
// replaced does not bring it back.
func TestReplacedWhileTheLinesAreRead(t *testing.T) {
	w := newWorld(t, quick)
	w.pair(t)
	w.stop()
	rules := &slowRules{recorder: w.rules, listed: make(chan struct{}), give: make(chan struct{})}
	w.serve = rules
	w.start(t, quick)
	w.awaitServed(t, true)
	w.awaitState(t, crm.StateConnected)
	<-rules.listed // a heartbeat has read that the line is connected
	w.shop.Replace()
	w.awaitState(t, crm.StateReplaced)
	w.awaitServed(t, false)
	rules.give <- struct{}{}
	<-rules.listed // the next heartbeat: the one before is over
	if w.m.serving(testLine) != nil {
		t.Error("the line came back by itself")
	}
	rules.give <- struct{}{}
}
