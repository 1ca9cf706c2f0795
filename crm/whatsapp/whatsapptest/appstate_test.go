package whatsapptest_test

import (
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
)

func TestChangesOnThePhone(t *testing.T) {
	w := newWorld(t)
	w.shop.Change(appstate.BuildLabelEdit("1", "old label", 1, false)) // comes with the snapshot
	c := w.linked(t)
	await(c, func(e *events.LabelEdit) bool { return e.Action.GetName() == "old label" && e.FromFullSync })
	anna := w.anna.Number()

	w.shop.Change(appstate.BuildLabelEdit("2", "new", 5, false))
	await(c, func(e *events.LabelEdit) bool {
		return e.LabelID == "2" && e.Action.GetName() == "new" && !e.FromFullSync
	})
	w.shop.Change(appstate.BuildLabelEdit("2", "newer", 5, false)) // the same index again
	await(c, func(e *events.LabelEdit) bool { return e.Action.GetName() == "newer" })
	w.shop.Change(appstate.BuildLabelChat(anna, "2", true))
	await(c, func(e *events.LabelAssociationChat) bool {
		return e.JID == anna && e.LabelID == "2" && e.Action.GetLabeled()
	})
	w.shop.Change(appstate.BuildMarkChatAsRead(anna, true, time.Now(), nil))
	await(c, func(e *events.MarkChatAsRead) bool { return e.JID == anna && e.Action.GetRead() })
	w.shop.Change(appstate.BuildArchive(anna, true, time.Now(), nil))
	await(c, func(e *events.Archive) bool { return e.Action.GetArchived() })
	w.shop.Change(appstate.BuildPin(anna, true))
	await(c, func(e *events.Pin) bool { return e.Action.GetPinned() })
	w.shop.Change(appstate.BuildMute(anna, true, time.Hour))
	await(c, func(e *events.Mute) bool { return e.Action.GetMuted() })
	w.shop.SaveContact(anna, "Anna", "Anna Arkadyevna")
	await(c, func(e *events.Contact) bool { return e.Action.GetFullName() == "Anna Arkadyevna" })
	w.sound(t)
}

func TestChangesByTheClient(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	anna := w.anna.Number()
	if err := c.SendAppState(t.Context(), appstate.BuildLabelEdit("7", "VIP", 3, false)); err != nil {
		t.Fatal(err)
	}
	if err := c.SendAppState(t.Context(), appstate.BuildLabelChat(anna, "7", true)); err != nil {
		t.Fatal(err)
	}
	change, err := w.shop.AwaitChange(testwait.Context(t), appstate.IndexLabelAssociationChat, "7", anna.String())
	if err != nil || !change.Value.GetLabelAssociationAction().GetLabeled() {
		t.Errorf("%+v, %v", change, err)
	}
	if err := c.SendAppState(t.Context(), appstate.BuildSettingPushName("Shop of ours")); err != nil {
		t.Error(err)
	}
	if n := len(w.shop.Changes()); n != 3 {
		t.Errorf("%d changes", n)
	}
	w.sound(t)
}

// TestConflictingChanges changes app state on the phone without the client knowing.
// The client's patch is refused together with the missing patches, and the client
// sends it again.
func TestConflictingChanges(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.shop.Hold()
	w.shop.Change(appstate.BuildLabelEdit("1", "phone's", 1, false))
	if err := c.SendAppState(t.Context(), appstate.BuildLabelEdit("2", "client's", 2, false)); err != nil {
		t.Fatal(err)
	}
	await(c, func(e *events.LabelEdit) bool { return e.Action.GetName() == "phone's" })
	if _, err := w.shop.AwaitChange(testwait.Context(t), appstate.IndexLabelEdit, "2"); err != nil {
		t.Error(err)
	}
	w.shop.Release(false)
	w.sound(t)
}

// TestOneSpoiltCollection spoils one collection as a whole. The others can be read as a whole.
func TestOneSpoiltCollection(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.shop.ChangeUnread(appstate.BuildLabelEdit("1", "lost", 1, false), true)
	w.shop.ChangeUnread(appstate.BuildPin(w.anna.Number(), true), false)
	for name, spoilt := range map[appstate.WAPatchName]bool{
		appstate.WAPatchRegular: true, appstate.WAPatchRegularLow: false, appstate.WAPatchCriticalBlock: false,
	} {
		if err := c.FetchAppState(t.Context(), name, true, false); (err != nil) != spoilt {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.sound(t)
}
