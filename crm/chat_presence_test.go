package crm_test

import (
	"slices"
	"strings"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestPresenceGoesToSocketsAlone checks that presence is not journalled and goes to the
// channels of the users who see the chat.
func TestPresenceGoesToSocketsAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		tell := func(chat string, typ string) error {
			return w.PublishPresence(t.Context(), onGr, crm.Presence{Chat: chatOf(chat), By: crm.InboundUser{ID: idOf(chat)}, Type: typ})
		}
		if err := tell(anna, crm.PresenceTyping); err != nil || len(w.Live.Published()) != 0 {
			t.Errorf("of a chat that is not known: %v, %v", err, w.Live.Published())
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		mark := w.Mark(t)
		if err := tell(anna, crm.PresenceTyping); err != nil {
			t.Fatal(err)
		}
		all := w.Live.Published()
		if len(all) != 1 || all[0].Name != crm.EventChatPresence || len(w.EventsAfter(t, mark)) != 0 {
			t.Fatalf("told is %v, in the journal %v", all, w.EventsAfter(t, mark))
		}
		if err := validate(t, crmtest.Schema(t, crm.EventChatPresence), all[0].Data); err != nil {
			t.Error(err)
		}
		want := w.Events(t, crm.EventMessage)[0].Channels
		if want = append(want, channels.CompanyLinesName(crmtest.CompanyID)); !slices.Equal(all[0].Channels, want) {
			t.Errorf("on %v, messages are on %v", all[0].Channels, want)
		}
		wantCode(t, "another type", tell(anna, "sleeping"), crm.CodeInvalid, "type")
		wantCode(t, "no chat", tell("bob", crm.PresenceTyping), crm.CodeInvalid, "chat.id")
	})
}

// TestPresenceNamesContacts checks that who is typing in a group has the name of the contact
// for those alone who see the contact.
func TestPresenceNamesContacts(t *testing.T) {
	const crew = "120363000000000001@g.us"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{
			Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Anna of the bakery"}},
			Messages: []crm.InboundMessage{by("79990002233@c.us", "C1", crew, "Hi", crmtest.Start), fromCustomer("A1", anna, "Hi", crmtest.Start)},
		})
		own := channels.CompanyUserName(crmtest.CompanyID, w.OnlyMine.UserID)
		typing := func(chat string) (named, nameless []string) {
			t.Helper()
			before := len(w.Live.Published())
			if err := w.PublishPresence(t.Context(), onGr, crm.Presence{Chat: chatOf(chat), By: crm.InboundUser{ID: idOf(anna)}, Type: crm.PresenceTyping}); err != nil {
				t.Fatal(err)
			}
			for _, ev := range w.Live.Published()[before:] {
				if strings.Contains(ev.Data, "Anna of the bakery") {
					named = append(named, ev.Channels...)
				} else {
					nameless = append(nameless, ev.Channels...)
				}
			}
			return named, nameless
		}
		if named, nameless := typing(crew); !slices.Contains(named, own) || len(nameless) > 0 {
			t.Errorf("while the contact is nobody's: with the name on %v, without on %v", named, nameless)
		}
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, anna), crm.Value[int64](687)); err != nil {
			t.Fatal(err)
		}
		if named, nameless := typing(crew); !slices.Equal(nameless, []string{own}) || slices.Contains(named, own) || len(named) < 3 {
			t.Errorf("of a colleague's contact: with the name on %v, without on %v", named, nameless)
		}
		if named, nameless := typing(anna); slices.Contains(named, own) || len(nameless) > 0 {
			t.Errorf("in a colleague's chat: with the name on %v, without on %v", named, nameless)
		}
	})
}
