package whatsapp

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"go.mau.fi/whatsmeow/appstate"

	"chatcast/crm"
)

// cutAt is rules whose first commit of a label with that name is cut off by the end of the
// connection or of the process.
type cutAt struct {
	Rules
	name    string
	reached chan struct{} // closed at that commit
	ended   func()        // called when it was cut off; may be nil
	once    sync.Once
}

func newCutAt(rules Rules, name string) *cutAt {
	return &cutAt{Rules: rules, name: name, reached: make(chan struct{})}
}

func (c *cutAt) Ingest(ctx context.Context, on crm.Line, batch crm.InboundBatch) (crm.InboundResult, error) {
	first := false
	if len(batch.Labels) == 1 && batch.Labels[0].Name == c.name {
		c.once.Do(func() { first = true })
	}
	if first {
		close(c.reached)
		<-ctx.Done()
		if c.ended != nil {
			c.ended()
		}
		return crm.InboundResult{}, ctx.Err()
	}
	return c.Rules.Ingest(ctx, on, batch)
}

// TestCutOffChangesAreReadAgain ends a connection, or the process, when whatsmeow has read
// changes of the shared state and their handling is not committed. The next connection must
// read them again: as news, unless they are from before the account was connected.
func TestCutOffChangesAreReadAgain(t *testing.T) {
	urgent := func() appstate.PatchInfo { return appstate.BuildLabelEdit("8", "Urgent", 3, false) }
	for what, c := range map[string]struct {
		change func(w *world)
		first  bool // nothing of the part was read before
	}{
		"a change":         {func(w *world) { w.shop.Change(urgent()) }, false},
		"a repair":         {func(w *world) { w.shop.ChangeUnread(urgent(), false) }, false},
		"a copy":           {func(w *world) { w.shop.ChangeUnread(urgent(), true) }, false},
		"the first change": {func(w *world) { w.shop.Change(urgent()) }, true},
	} {
		for end, cut := range map[string]func(t *testing.T, w *world){
			"connection": func(_ *testing.T, w *world) { w.shop.Drop() },
			"process":    func(t *testing.T, w *world) { w.stop(); w.start(t) },
		} {
			t.Run(what+", "+end, func(t *testing.T) {
				w := newWorld(t)
				w.stop()
				rules := newCutAt(w.rules, "Urgent")
				w.serve = rules
				w.start(t)
				w.pair(t)
				if !c.first {
					w.readLabels(t)
				}
				c.change(w)
				<-rules.reached
				cut(t, w)
				w.awaitLabel(t, "Urgent", c.first)
				w.shop.Change(appstate.BuildLabelEdit("9", "Later", 3, false))
				w.awaitLabel(t, "Later", false)
				w.sound(t)
			})
		}
	}
}

// TestCutOffChangesInTheDatabase is the same with the real rules, over each database.
func TestCutOffChangesInTheDatabase(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.shop.SetBusinessName("Shop")
		h.pair(t)
		known := func(n int) {
			t.Helper()
			eventually(t, strconv.Itoa(n)+" labels are not known", func() bool {
				tags, err := h.Tags(t.Context(), h.Owner, crm.TagQuery{})
				return err == nil && len(tags.Items) == n
			})
		}
		h.shop.Change(appstate.BuildLabelEdit("7", "Paid", 1, false))
		known(1)
		h.stop()
		rules := newCutAt(h.Service, "Urgent")
		_, die := h.node(t, rules)
		h.awaitState(t, crm.StateConnected)
		h.shop.Change(appstate.BuildLabelEdit("8", "Urgent", 1, false))
		<-rules.reached
		die()
		h.node(t, h.Service)
		known(2)
		h.shop.Change(appstate.BuildLabelEdit("9", "Later", 1, false))
		known(3)
	})
}

// TestHandlersEndAfterTheSocket stops the program while a change is handled. whatsmeow may end
// the program when its questions are given up while answers can come.
func TestHandlersEndAfterTheSocket(t *testing.T) {
	w := newWorld(t)
	w.stop()
	rules := newCutAt(w.rules, "Urgent")
	open := make(chan bool, 1)
	w.serve = rules
	w.start(t)
	w.pair(t)
	cli := w.m.serving(testLine).client()
	rules.ended = func() { open <- cli.IsConnected() }
	w.shop.Change(appstate.BuildLabelEdit("8", "Urgent", 3, false))
	<-rules.reached
	w.stop()
	if <-open {
		t.Error("the handler was given up before the socket was closed")
	}
}
