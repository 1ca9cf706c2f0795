package whatsapp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waSyncAction"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestWrittenOnThePhone(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.shop.Write(w.anna.Number(), whatsapptest.Text("from my phone"))
	m := w.awaitText(t, "from my phone")
	if m.ID.String() != id || !m.FromMe || m.Chat.ID.String() != "79995554433@c.us" || m.FromUser == nil || *m.FromUser.Phone != "79990001122" {
		t.Errorf("came as %+v, from %+v", m, m.FromUser)
	}
	in := w.anna.SendText(w.shop, "read me")
	w.awaitText(t, "read me")
	w.shop.Read(w.anna.Number(), in)
	w.awaitBatch(t, "the chat read", func(told crm.InboundBatch) bool {
		return len(told.Reads) == 1 && told.Reads[0].Chat.ID.String() == "79995554433@c.us" && told.Reads[0].UpTo.String() == in && len(told.Statuses) == 0
	})
}

func TestGroups(t *testing.T) {
	for name, hidden := range map[string]bool{"by number": false, "by hidden id": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			bob := w.NewContact("79991112233", "555666777", "Bob")
			g := w.NewGroup("Neighbours", hidden, w.anna, w.shop, bob)
			id := w.anna.SendGroup(g, whatsapptest.Text("hi all"))
			m := w.awaitText(t, "hi all")
			if m.ID.String() != id || m.Chat.Type != "group" || m.Chat.ID.String() != g.JID().String() ||
				m.FromUser.ID.String() != "79995554433@c.us" || m.FromUser.Name != "Anna" {
				t.Errorf("came as %+v, from %+v", m, m.FromUser)
			}
			if m.Chat.Name == nil || *m.Chat.Name != "Neighbours" {
				t.Errorf("its first message does not name the group: %+v", m.Chat)
			}
			w.awaitGroupName(t, g, "Neighbours")
			g.Rename(w.anna, "Friends")
			w.awaitGroupName(t, g, "Friends")
			w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: g.JID().String(), Group: true, Message: &crm.MessageRef{
				ID: "3EB0CC", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "hello group"}, Quoted: id,
			}, Quoted: &crm.MessageRef{ID: id, AuthorID: "79995554433@c.us", Content: crm.Content{Text: "hi all"}}})
			if _, err := bob.AwaitText(testwait.Context(t), "hello group"); err != nil {
				t.Fatal(err)
			}
			bob.SendGroup(g, whatsapptest.Revoke(bob.KeyOf(w.shop, id, false)))
			w.awaitBatch(t, "a deletion", func(told crm.InboundBatch) bool {
				return len(told.Deletes) == 1 && told.Deletes[0].By.String() == "79991112233@c.us"
			})
			w.enqueue(crm.OutboxItem{Kind: crm.OutRead, ChatID: g.JID().String(), Group: true, Reads: []crm.MessageRef{{ID: id, AuthorID: m.FromUser.ID.String()}}})
			if err := w.anna.AwaitReceipt(testwait.Context(t), id, "read"); err != nil {
				t.Error(err)
			}
			w.sound(t)
		})
	}
}

func (w *world) awaitGroupName(t *testing.T, g *whatsapptest.Group, name string) {
	t.Helper()
	w.awaitBatch(t, "the group's name "+name, func(told crm.InboundBatch) bool {
		return slices.ContainsFunc(told.Chats, func(c crm.InboundChat) bool {
			return c.ID.String() == g.JID().String() && c.Name != nil && *c.Name == name
		})
	})
}

func TestWhatTheOwnerDoesOnThePhone(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Archives = true })
	w.pair(t)
	anna := func(c crm.InboundChat) bool { return c.ID.String() == "79995554433@c.us" }
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, false))
	w.awaitBatch(t, "the label", func(told crm.InboundBatch) bool {
		return len(told.Labels) == 1 && told.Labels[0] == crm.InboundLabel{ID: "7", Name: "Important", Color: labelColor(3)}
	})
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", true))
	w.awaitBatch(t, "the label on the chat", func(told crm.InboundBatch) bool {
		return len(told.Tags) == 1 && anna(told.Tags[0].Chat) && told.Tags[0].Label == "7" && told.Tags[0].Added
	})
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", false))
	w.awaitBatch(t, "the label taken off", func(told crm.InboundBatch) bool { return len(told.Tags) == 1 && !told.Tags[0].Added })
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, true))
	w.awaitBatch(t, "the label deleted", func(told crm.InboundBatch) bool { return len(told.Labels) == 1 && told.Labels[0].Deleted })
	w.shop.Change(appstate.BuildArchive(w.anna.Number(), true, time.Now(), nil))
	w.awaitBatch(t, "the archive", func(told crm.InboundBatch) bool {
		return len(told.Archives) == 1 && anna(told.Archives[0].Chat) && told.Archives[0].Archived
	})
	w.shop.Change(appstate.BuildMarkChatAsRead(w.anna.Number(), true, time.Now(), nil))
	w.awaitBatch(t, "the chat read", func(told crm.InboundBatch) bool { return len(told.Reads) == 1 && anna(told.Reads[0].Chat) })
	w.shop.SaveContact(w.anna.Number(), "Ann", "Anna Smith")
	w.awaitBatch(t, "the contact's name", func(told crm.InboundBatch) bool {
		return len(told.Chats) == 1 && anna(told.Chats[0]) && *told.Chats[0].Name == "Anna Smith"
	})
	w.sound(t)
}

func TestCalls(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.Call(w.shop, true)
	m := w.awaitMessage(t, "the call", func(m crm.InboundMessage) bool { return m.Type == "call" })
	if m.ID.String() != id || *m.Subtype != "video" || m.Chat.ID.String() != "79995554433@c.us" {
		t.Errorf("came as %+v", m)
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	failed := false // once, in the midst: what was not imported comes again
	w.onMessage(func() error {
		if !failed {
			failed = true
			return errAway
		}
		return nil
	})
	past := time.Now().Add(-48 * time.Hour)
	chat := whatsapptest.PastChat{Chat: w.anna.Number(), Name: "Anna", Unread: 2}
	for i := range 250 {
		chat.Messages = append(chat.Messages, whatsapptest.Past{
			ID: fmt.Sprintf("OLD%d", i), FromMe: i%2 == 1, Time: past.Add(time.Duration(i) * time.Second), What: whatsapptest.Text(fmt.Sprint("old ", i)),
		})
	}
	w.shop.SetHistory(false, chat)
	w.pair(t)
	w.awaitText(t, "old 249")
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprint("old ", i))
	}
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("imported %d: %q ...", len(got), got[:min(3, len(got))])
	}
	eventually(t, "the history is not acknowledged", func() bool { return w.shop.Unsettled() == 0 })
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for _, told := range w.rules.batches {
		if len(told.Messages) > 0 && (!told.History || len(told.Messages) > historyBatch) {
			t.Errorf("history told as %d messages, History %v", len(told.Messages), told.History)
		}
	}
}

func TestLabelsOfThePast(t *testing.T) {
	w := newWorld(t)
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, false))
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", true))
	w.pair(t)
	w.awaitBatch(t, "the label", func(told crm.InboundBatch) bool { return len(told.Labels) == 1 && told.History })
	w.awaitBatch(t, "its chat", func(told crm.InboundBatch) bool { return len(told.Tags) == 1 && told.History })
}

func TestLabelWithoutName(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.shop.Change(appstate.PatchInfo{Type: appstate.WAPatchRegular, Mutations: []appstate.MutationInfo{{
		Index: []string{appstate.IndexLabelEdit, "9"}, Version: 3,
		Value: &waSyncAction.SyncActionValue{LabelEditAction: &waSyncAction.LabelEditAction{Color: proto.Int32(99)}},
	}}})
	w.shop.Change(appstate.BuildLabelEdit("8", "Later", 99, false))
	w.awaitBatch(t, "the label after it", func(told crm.InboundBatch) bool {
		return len(told.Labels) == 1 && told.Labels[0].ID == "8" && told.Labels[0].Color == ""
	})
}
