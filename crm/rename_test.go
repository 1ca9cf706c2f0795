package crm_test

import (
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// saysName returns a batch in which the messenger calls Anna something, in every way that
// it has.
func saysName(id, name string, at int64) crm.InboundBatch {
	m := fromCustomer(id, anna, "Hi", at)
	m.Chat.Name, m.FromUser = &name, &crm.InboundUser{ID: idOf(anna), Name: name}
	chat := chatOf(anna)
	chat.Name = &name
	return crm.InboundBatch{
		Messages: []crm.InboundMessage{m}, Contacts: []crm.InboundUser{{ID: idOf(anna), Name: name}}, Chats: []crm.InboundChat{chat},
	}
}

// TestNamesThatWereGivenStay renames a chat and its contact. The name is shown and found,
// until it is taken back; then the messenger's newest one is shown.
func TestNamesThatWereGivenStay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start - 100)
		ingest(t, w, saysName("A1", "Anna", at))
		wantNames := func(what, name string, found ...string) {
			t.Helper()
			contacts, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
			if err != nil || len(contacts.Items) != 1 {
				t.Fatalf("%s: %+v, %v", what, contacts, err)
			}
			if chat := onlyChat(t, w); chat.Name != name || contacts.Items[0].Name != name {
				t.Errorf("%s: the chat is called %q, the contact %q, want %q", what, chat.Name, contacts.Items[0].Name, name)
			}
			for _, search := range found {
				chats, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{Search: search})
				people, err2 := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, search)
				if err != nil || err2 != nil || len(chats.Items) != 1 || len(people.Items) != 1 {
					t.Errorf("%s: %q finds %d chats and %d contacts", what, search, len(chats.Items), len(people.Items))
				}
			}
		}
		chatName := func(name crm.Field[string]) func() {
			return func() {
				t.Helper()
				if _, err := w.RenameChat(t.Context(), w.Operator, chatAt(onGr, anna), name); err != nil {
					t.Fatal(err)
				}
			}
		}
		contactName := func(name crm.Field[string]) func() {
			return func() {
				t.Helper()
				on := crm.ContactAddress{Line: onGr, ContactID: "79990001122"}
				if _, err := w.RenameContact(t.Context(), w.Operator, on, name); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := happens(t, w, chatName(crm.Value("Rosé, VIP"))); got != "chatName contactName" {
			t.Errorf("renaming causes %q", got)
		}
		if item := lastItem(t, w, "chatName"); item["name"] != "Rosé, VIP" || item["edited"].(map[string]any)["id"] != 687.0 {
			t.Errorf("chatName says %v", item)
		}
		if got := happens(t, w, contactName(crm.Value("Rosé, VIP"))); got != "" {
			t.Errorf("the same name again causes %q", got)
		}
		ingest(t, w, saysName("A2", "Anna S.", at+1))
		past := saysName("A0", "Ann", at-1)
		past.History = true
		ingest(t, w, past)
		wantNames("given", "Rosé, VIP", "rose vip", "anna s.")
		if card := lastItem(t, w, "message")["chat"].(map[string]any); card["name"] != "Rosé, VIP" {
			t.Errorf("a message comes from %v", card)
		}
		happens(t, w, contactName(crm.Null[string]()))
		wantNames("taken back", "Anna S.", "anna s.")
		ingest(t, w, saysName("A3", "Anna T.", at+2))
		wantNames("afterwards", "Anna T.")
		if log := asJSON(t, auditLog(t, w, w.Owner, crmtest.CompanyID)); strings.Count(log, "chat.renamed") != 2 || strings.Count(log, "contact.renamed") != 2 || strings.Contains(log, "VIP") {
			t.Errorf("the audit log says %s", log)
		}
	})
}

// TestNamesSurviveMerging renames the chat of a hidden id, and a contact without a chat. The
// chat that they become, or that begins later, has the name.
func TestNamesSurviveMerging(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start - 100)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", at), fromCustomer("A2", "555@lid", "Hi", at)}})
		if _, err := w.RenameChat(t.Context(), w.Operator, chatAt(onGr, "555@lid"), crm.Value("VIP")); err != nil {
			t.Fatal(err)
		}
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("555@lid")}}})
		if chat := onlyChat(t, w); chat.Name != "VIP" {
			t.Errorf("the merged chat is called %q", chat.Name)
		}
		const bea = "79990003344@c.us"
		ingest(t, w, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: idOf(bea), Name: "Bea"}}})
		if _, err := w.RenameContact(t.Context(), w.Operator, crm.ContactAddress{Line: onGr, ContactID: bea}, crm.Value("Flowers")); err != nil {
			t.Fatal(err)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("B1", bea, "Hi", at)}})
		chat, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, bea))
		if err != nil || chat.Name != "Flowers" {
			t.Errorf("the chat of a renamed contact is called %q, %v", chat.Name, err)
		}
		if _, err := w.CreateChat(t.Context(), w.Operator, onGr, crm.ChatInput{Phone: crm.Value("79990005566"), Name: crm.Value("Paper")}); err != nil {
			t.Fatal(err)
		}
		name := "Carl"
		m := fromCustomer("C1", "79990005566@c.us", "Hi", at)
		m.Chat.Name = &name
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{m}})
		if chat, err = w.Chat(t.Context(), w.Owner, chatAt(onGr, "79990005566")); err != nil || chat.Name != "Paper" {
			t.Errorf("a chat that was made with a name is called %q, %v", chat.Name, err)
		}
	})
}

// TestRenameRefused tries names that are none, and people who may not rename.
func TestRenameRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ingest(t, w, saysName("A1", "Anna", crmtest.Start-100))
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, anna), crm.Value[int64](687)); err != nil {
			t.Fatal(err)
		}
		ingest(t, w, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: idOf("79990003344@c.us"), Name: "Bea"}}})
		for _, tt := range []struct {
			what string
			who  crm.Actor
			id   string
			name crm.Field[string]
			want crm.Code
		}{
			{"absent", w.Owner, anna, crm.Field[string]{}, crm.CodeInvalid},
			{"empty", w.Owner, anna, crm.Value(" "), crm.CodeInvalid},
			{"long", w.Owner, anna, crm.Value(strings.Repeat("é", 256)), crm.CodeInvalid},
			{"no UTF-8", w.Owner, anna, crm.Value("\xff"), crm.CodeInvalid},
			{"zero", w.Owner, anna, crm.Value("a\x00"), crm.CodeInvalid},
			{"a wrong id", w.Owner, "x", crm.Value("a"), crm.CodeInvalid},
			{"nobody", w.Owner, "79990007788", crm.Value("a"), crm.CodeNotFound},
			{"a reader", w.Reader, anna, crm.Value("a"), crm.CodeDenied},
			{"a stranger", w.Stranger, anna, crm.Value("a"), crm.CodeNotFound},
			{"another's chat", w.OnlyMine, anna, crm.Value("a"), crm.CodeNotFound},
		} {
			_, err := w.RenameChat(t.Context(), tt.who, chatAt(onGr, tt.id), tt.name)
			wantCode(t, "chat, "+tt.what, err, tt.want, "")
			_, err = w.RenameContact(t.Context(), tt.who, crm.ContactAddress{Line: onGr, ContactID: tt.id}, tt.name)
			wantCode(t, "contact, "+tt.what, err, tt.want, "")
		}
		_, err := w.RenameContact(t.Context(), w.OnlyMine, crm.ContactAddress{Line: onGr, ContactID: "79990003344"}, crm.Value("a"))
		wantCode(t, "a contact without a chat", err, crm.CodeNotFound, "")
		mark := w.Mark(t)
		if _, err := w.RenameContact(t.Context(), w.Owner, crm.ContactAddress{Line: onGr, ContactID: "79990003344"}, crm.Value("a")); err != nil {
			t.Fatal(err)
		}
		if events := w.EventsAfter(t, mark); len(events) != 1 || !slices.Equal(events[0].Channels, lineAnd(685, 686, 687, 688)) {
			t.Errorf("renaming a contact without a chat: %+v", events)
		}
	})
}
