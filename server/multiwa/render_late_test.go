package multiwa

import (
	"encoding/json"
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestMessageThatComesLate checks that a message that cannot be read at first, because it cannot be
// decrypted or only the phone may show it, is told of once, when it can; and that an edit, which has no event here, is not taken for one.
func TestMessageThatComesLate(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ana := &crm.InboundUser{ID: crm.MakeID("grWhatsApp", "351912000001@c.us"), Name: "Ana"}
		id := func(s string) crm.ID { return crm.MakeID("grWhatsApp", s) }
		undecryptable, viewOnce := crm.SubtypeUndecryptable, crm.SubtypeViewOnce
		at := int64(1637319301)
		for _, m := range []crm.InboundMessage{
			{ID: id("3A01"), Type: crm.MessageUnknown, Subtype: &undecryptable},
			{ID: id("3A03"), Type: crm.MessageUnknown, Subtype: &viewOnce},
			{ID: id("3A02"), Type: crm.MessageText, Message: crm.Content{Text: "second"}},
			{ID: id("3A01"), Type: crm.MessageText, Message: crm.Content{Text: "first"}},
			{ID: id("3A03"), Type: crm.MessageText, Subtype: &viewOnce, Message: crm.Content{Text: "once"}},
		} {
			m.Time, m.Chat, m.FromUser = &at, crm.InboundChat{ID: id("351912000001")}, ana
			if _, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Messages: []crm.InboundMessage{m}}); err != nil {
				t.Fatal(err)
			}
		}
		edit := crm.InboundBatch{Edits: []crm.InboundEdit{{ID: id("3A02"), Chat: crm.InboundChat{ID: id("351912000001")}, Message: crm.Content{Text: "edited"}}}}
		if _, err := w.Ingest(t.Context(), onGr, edit); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, ev := range w.Events(t) {
			found, err := translate(ev.Name, ev.Data, func(crm.Line) string { return testPhone })
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range found {
				var data messageData
				if err := json.Unmarshal(o.data, &data); err != nil {
					t.Fatal(err)
				}
				told = append(told, names[o.kind].text+" "+parseMessageID(data.ID).id+" "+data.Body)
			}
		}
		if want := []string{"message.received 3A02 second", "message.received 3A01 first", "message.received 3A03 once"}; !slices.Equal(told, want) {
			t.Errorf("told is %q, want %q", told, want)
		}
	})
}
