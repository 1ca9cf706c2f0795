package whatsapp

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// awaitRepairs waits for the result of the line's repairs.
func (w *world) awaitRepairs(t *testing.T, result string, n uint64) {
	t.Helper()
	eventually(t, "there is no repair: "+result, func() bool { return w.m.Repairs()[result] == n })
}

func (w *world) awaitLabel(t *testing.T, name string, history bool) {
	t.Helper()
	w.awaitBatch(t, "the label "+name, func(batch crm.InboundBatch) bool {
		return batch.History == history && len(batch.Labels) == 1 && batch.Labels[0].Name == name
	})
}

// readLabels has the labels read for the first time, and stored. A part that is cut off before
// is read as a whole again, and what is in it then counts as old.
func (w *world) readLabels(t *testing.T) {
	t.Helper()
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, false))
	w.awaitLabel(t, "Important", true) // the first change of a part comes with the whole part
	states := w.m.serving(testLine).states
	eventually(t, "the part is not stored", func() bool { return states.askedFor(appstate.WAPatchRegular) == 0 })
}

// TestSharedStateIsRepaired checks that names and labels are right after a change that could
// not be verified: read again as a whole, or copied from the phone. Repairs are bounded.
func TestSharedStateIsRepaired(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.times.repair = testwait.Scaled(10 * time.Second) }) // for copies that come, and one that does not
	w.pair(t)
	w.readLabels(t)

	w.shop.ChangeUnread(appstate.BuildLabelEdit("7", "Urgent", 3, false), false)
	w.awaitLabel(t, "Urgent", false)
	w.awaitRepairs(t, "reread", 1)
	w.shop.Change(appstate.BuildLabelEdit("8", "Later", 3, false))
	w.awaitLabel(t, "Later", false)
	if n := w.shop.StateCopies(); n != 0 {
		t.Errorf("the phone was asked for %d copies", n)
	}

	w.shop.ChangeUnread(appstate.BuildLabelEdit("9", "From a copy", 3, false), true)
	w.awaitLabel(t, "From a copy", false)
	w.awaitRepairs(t, "copied", 1)
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "9", true))
	w.awaitBatch(t, "a change after the copy", func(batch crm.InboundBatch) bool { return len(batch.Tags) == 1 && batch.Tags[0].Label == "9" })

	w.shop.IgnoreRequests(true)
	w.shop.ChangeUnread(appstate.BuildLabelEdit("9", "Not read", 3, false), true)
	w.awaitRepairs(t, "failed", 1)
	w.shop.ChangeUnread(appstate.BuildLabelEdit("9", "Not read either", 3, false), true)
	w.anna.SendText(w.shop, "after it")
	w.awaitText(t, "after it")
	if got := w.m.Repairs(); got["failed"] != 1 || got["copied"] != 1 || got["reread"] != 1 {
		t.Errorf("the repairs are %v", got)
	}
	w.sound(t)
}

// TestMissingStateKey checks that a line that lost its keys asks the phone for them and knows
// afterwards what the owner did.
func TestMissingStateKey(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.readLabels(t)
	w.stop()
	db, err := sql.Open("sqlite", "file:"+w.db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM whatsmeow_app_state_sync_keys"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	w.shop.Change(appstate.BuildLabelEdit("7", "Urgent", 3, false))
	w.start(t)
	w.awaitLabel(t, "Urgent", false)
	w.sound(t)
}

// TestRepairsEndWithTheConnection cuts the connection each time a line waits for a copy of the
// phone. The next one goes on with the repair by itself, and each question to the phone counts
// as a try: a phone that does not answer, or whose question ends the connection, must not be
// asked without end. What was missed is known when the part can be read again.
func TestRepairsEndWithTheConnection(t *testing.T) {
	w := newWorld(t) // which waits long for a copy
	w.pair(t)
	w.readLabels(t)
	w.shop.IgnoreRequests(true)
	w.shop.ChangeUnread(appstate.BuildLabelEdit("7", "Lost", 3, false), true)
	for i := range repairTries {
		eventually(t, "the phone is not asked for a copy", func() bool { return w.shop.StateRequests() > i })
		w.shop.Drop()
		text := fmt.Sprint("on the next connection ", i)
		w.anna.SendText(w.shop, text)
		w.awaitText(t, text)
	}
	w.shop.ChangeUnread(appstate.BuildLabelEdit("8", "Not asked for", 3, false), true)
	w.anna.SendText(w.shop, "after it")
	w.awaitText(t, "after it")
	w.shop.ChangeUnread(appstate.BuildLabelEdit("9", "Read", 3, false), false)
	for _, name := range []string{"Lost", "Not asked for", "Read"} {
		w.awaitLabel(t, name, false)
	}
	if n := w.shop.StateRequests(); n != repairTries {
		t.Errorf("the phone was asked %d times", n)
	}
	if n := w.m.Repairs()["failed"]; n != 0 {
		t.Errorf("%d repairs have failed", n)
	}
	w.sound(t)
}

// TestRefusedPartIsNotCopied checks that the phone is not asked for a copy of a part that
// WhatsApp refuses for now.
func TestRefusedPartIsNotCopied(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.readLabels(t)
	w.shop.RefuseWholeStates(429)
	w.shop.ChangeUnread(appstate.BuildLabelEdit("7", "Urgent", 3, false), false)
	w.awaitRepairs(t, "failed", 1)
	if n := w.shop.StateRequests(); n != 0 {
		t.Errorf("the phone was asked for %d copies", n)
	}
	w.shop.RefuseWholeStates(0)
	w.shop.Change(appstate.BuildLabelEdit("8", "Later", 3, false)) // whatsmeow reads the whole part with it
	w.awaitBatch(t, "the label Urgent", func(batch crm.InboundBatch) bool {
		return len(batch.Labels) == 1 && batch.Labels[0].Name == "Urgent"
	})
	w.sound(t)
}
