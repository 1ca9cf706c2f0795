package whatsapp

import (
	"slices"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

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
			w.awaitBatch(t, "a deletion", func(batch crm.InboundBatch) bool {
				return len(batch.Deletes) == 1 && batch.Deletes[0].By.String() == "79991112233@c.us"
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
	w.awaitBatch(t, "the group's name "+name, func(batch crm.InboundBatch) bool {
		return slices.ContainsFunc(batch.Chats, func(c crm.InboundChat) bool {
			return c.ID.String() == g.JID().String() && c.Name != nil && *c.Name == name
		})
	})
}
