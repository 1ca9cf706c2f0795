package whatsapp

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waSyncAction"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestWhatTheOwnerDoesOnThePhone(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Archives = true })
	w.pair(t)
	anna := func(c crm.InboundChat) bool { return c.ID.String() == "79995554433@c.us" }
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, false))
	w.awaitBatch(t, "the label", func(batch crm.InboundBatch) bool {
		if len(batch.Labels) != 1 || batch.Labels[0].Time == nil {
			return false
		}
		label := batch.Labels[0]
		label.Time = nil
		return label == crm.InboundLabel{ID: "7", Name: "Important", Color: crm.LabelColor(3)}
	})
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", true))
	w.awaitBatch(t, "the label on the chat", func(batch crm.InboundBatch) bool {
		return len(batch.Tags) == 1 && anna(batch.Tags[0].Chat) && batch.Tags[0].Label == "7" && batch.Tags[0].Added
	})
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", false))
	w.awaitBatch(t, "the label taken off", func(batch crm.InboundBatch) bool { return len(batch.Tags) == 1 && !batch.Tags[0].Added })
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, true))
	w.awaitBatch(t, "the label deleted", func(batch crm.InboundBatch) bool { return len(batch.Labels) == 1 && batch.Labels[0].Deleted })
	w.shop.Change(appstate.BuildArchive(w.anna.Number(), true, time.Now(), nil))
	w.awaitBatch(t, "the archive", func(batch crm.InboundBatch) bool {
		return len(batch.Archives) == 1 && anna(batch.Archives[0].Chat) && batch.Archives[0].Archived
	})
	w.shop.Change(appstate.BuildMarkChatAsRead(w.anna.Number(), true, time.Now(), nil))
	w.awaitBatch(t, "the chat read", func(batch crm.InboundBatch) bool { return len(batch.Reads) == 1 && anna(batch.Reads[0].Chat) })
	w.shop.SaveContact(w.anna.Number(), "Ann", "Anna Smith")
	w.awaitBatch(t, "the contact's name", func(batch crm.InboundBatch) bool {
		return len(batch.Chats) == 1 && anna(batch.Chats[0]) && *batch.Chats[0].Name == "Anna Smith"
	})
	w.sound(t)
}

// TestRepairsBringNoOldArchive checks that a repair does not tell again what the owner put
// into the archive and took out long ago, and that it tells what was missed.
func TestRepairsBringNoOldArchive(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Archives = true })
	w.pair(t)
	bob := w.NewContact("79991112233", "555666777", "Bob")
	change := func(who *whatsapptest.Contact, archived bool, at time.Time) appstate.PatchInfo {
		p := appstate.BuildArchive(who.Number(), archived, at, nil)
		p.Timestamp = at
		return p
	}
	count := func(id string, archived bool) (n int) {
		for _, batch := range w.rules.batches {
			for _, a := range batch.Archives {
				if a.Chat.ID.String() == id && a.Archived == archived {
					n++
				}
			}
		}
		return n
	}
	await := func(what, id string, archived bool) {
		t.Helper()
		if err := w.rules.await(testwait.Context(t), what, func() bool { return count(id, archived) > 0 }); err != nil {
			t.Fatal(err)
		}
	}
	w.shop.Change(change(w.anna, true, time.Now().Add(-72*time.Hour)))
	await("Anna in the archive", anna, true)
	w.shop.Change(change(w.anna, false, time.Now().Add(-48*time.Hour)))
	await("Anna out of it", anna, false)
	w.shop.ChangeUnread(change(bob, true, time.Now()), false)
	await("Bob, who was missed", "79991112233@c.us", true)
	w.awaitRepairs(t, "reread", 1)
	w.rules.change(func() {
		if n := count(anna, false); n != 1 {
			t.Errorf("Anna was taken out %d times", n)
		}
	})
	w.sound(t)
}

func TestLabelWithoutName(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.shop.Change(appstate.PatchInfo{Type: appstate.WAPatchRegular, Mutations: []appstate.MutationInfo{{
		Index: []string{appstate.IndexLabelEdit, "9"}, Version: 3,
		Value: &waSyncAction.SyncActionValue{LabelEditAction: &waSyncAction.LabelEditAction{Color: proto.Int32(99)}},
	}}})
	w.shop.Change(appstate.BuildLabelEdit("8", "Later", 99, false))
	w.awaitBatch(t, "the label after it", func(batch crm.InboundBatch) bool {
		return len(batch.Labels) == 1 && batch.Labels[0].ID == "8" && batch.Labels[0].Color == ""
	})
}
