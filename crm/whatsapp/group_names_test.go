package whatsapp

import (
	"slices"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestGroupsNamePeople checks that all that goes to a group names people as the group does:
// by number, or by hidden id, whichever the CRM knows them by.
func TestGroupsNamePeople(t *testing.T) {
	for name, hidden := range map[string]bool{"by number": false, "by hidden id": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			bob := w.NewContact("79991112233", "555666777", "Bob")
			g := w.NewGroup("Neighbours", hidden, w.anna, w.shop, bob)
			id := w.anna.SendGroup(g, whatsapptest.Text("hi all"))
			w.awaitText(t, "hi all")
			annaIs, bobIs, shopIs := w.anna.Number(), bob.Number(), w.shop.Number()
			if hidden {
				annaIs, bobIs, shopIs = w.anna.HiddenID(), bob.HiddenID(), w.shop.HiddenID()
			}
			question := &crm.MessageRef{ID: id, AuthorID: anna, Content: crm.Content{Text: "hi all"}}
			ours := &crm.MessageRef{ID: "3EB0C1", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "hello"}}
			both := []crm.Mention{{ID: content.ID(anna)}, {ID: content.ID("555666777@lid")}}
			to := func(kind string, quoted, reaction *crm.MessageRef, m crm.MessageRef) {
				m.FromMe = true
				w.enqueue(crm.OutboxItem{Kind: kind, ChatID: g.JID().String(), Group: true, Message: &m, Quoted: quoted, Reaction: reaction})
			}
			text := crm.Content{Text: "@79995554433 and @555666777, not @7999555443", Mentions: both}
			to(crm.OutMessage, question, nil, crm.MessageRef{ID: "3EB0C1", Type: crm.MessageText, Content: text, Quoted: id})
			to(crm.OutMessage, ours, nil, crm.MessageRef{ID: "3EB0C2", Type: crm.MessageText, Content: crm.Content{Text: "ours"}, Quoted: ours.ID})
			to(crm.OutMessage, nil, question, crm.MessageRef{ID: "3EB0C3", Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: content.ID(id), Emoji: "❤"}}})
			to(crm.OutEdit, nil, nil, crm.MessageRef{ID: "3EB0C1", Type: crm.MessageText, Content: text})
			w.enqueue(crm.OutboxItem{Kind: crm.OutRead, ChatID: g.JID().String(), Group: true, Reads: []crm.MessageRef{*question}})

			got := func(id string) whatsapptest.Received {
				r, err := bob.AwaitID(testwait.Context(t), id)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			names := []string{annaIs.String(), bobIs.String()}
			want := "@" + annaIs.User + " and @" + bobIs.User + ", not @7999555443"
			x := got("3EB0C1").Message.GetExtendedTextMessage()
			if x.GetText() != want || !slices.Equal(x.GetContextInfo().GetMentionedJID(), names) || x.GetContextInfo().GetParticipant() != annaIs.String() {
				t.Errorf("arrived as %v", x)
			}
			if by := got("3EB0C2").Message.GetExtendedTextMessage().GetContextInfo().GetParticipant(); by != shopIs.String() {
				t.Errorf("a message of ours is quoted as of %s, want %s", by, shopIs)
			}
			if by := got("3EB0C3").Message.GetReactionMessage().GetKey().GetParticipant(); by != annaIs.String() {
				t.Errorf("the reaction is on a message of %s, want %s", by, annaIs)
			}
			edit, err := bob.Await(testwait.Context(t), func(r whatsapptest.Received) bool { return r.Message.GetProtocolMessage().GetEditedMessage() != nil })
			if x := edit.Message.GetProtocolMessage().GetEditedMessage().GetExtendedTextMessage(); err != nil || x.GetText() != want || !slices.Equal(x.GetContextInfo().GetMentionedJID(), names) {
				t.Errorf("the edit arrived as %v, %v", x, err)
			}
			if err := w.anna.AwaitReceipt(testwait.Context(t), id, "read"); err != nil {
				t.Error(err)
			}
			w.sound(t)
		})
	}
}
