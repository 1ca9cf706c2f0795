package crm_test

import (
	"testing"

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
			return w.PublishPresence(t.Context(), onGr, chatOf(chat), crm.InboundUser{ID: idOf(chat)}, typ)
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
		if len(all[0].Channels) != len(want) {
			t.Errorf("on %v, messages are on %v", all[0].Channels, want)
		}
		wantCode(t, "another type", tell(anna, "sleeping"), crm.CodeInvalid, "type")
		wantCode(t, "no chat", tell("bob", crm.PresenceTyping), crm.CodeInvalid, "chat.id")
	})
}
