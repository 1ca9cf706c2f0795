package whatsapp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestMentions checks that mentions have both ids of each person, as far as they are known.
func TestMentions(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.anna.SendText(w.shop, "hello") // contains both of her ids
	w.awaitText(t, "hello")
	mention := func(text string, jids ...string) {
		w.anna.Send(w.shop, whatsapptest.RichText(text, &waE2E.ContextInfo{MentionedJID: jids}))
	}
	mention("whom?", "100200301@lid", "555666777@lid", "79991112233@s.whatsapp.net", "79992223344@c.us", "x\x00\xff@lid", "\x00@s.whatsapp.net", "no address@@", "12345-678@g.us", "status@broadcast", "")
	b, err := json.Marshal(w.awaitText(t, "whom?").Message.Mentions)
	want := `[{"id":"79995554433@c.us","phone":"79995554433","lid":"100200301@lid"},{"id":"555666777@lid","phone":null},{"id":"79991112233@c.us","phone":"79991112233"},{"id":"79992223344@c.us","phone":"79992223344"}]`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
	id := w.anna.SendText(w.shop, "nobody")
	edit := whatsapptest.RichText("@100200301", &waE2E.ContextInfo{MentionedJID: []string{"100200301@lid"}})
	w.anna.Send(w.shop, whatsapptest.Edit(w.anna.KeyOf(w.shop, id, true), edit))
	w.awaitBatch(t, "the edit", func(batch crm.InboundBatch) bool {
		return len(batch.Edits) == 1 && len(batch.Edits[0].Message.Mentions) == 1 && batch.Edits[0].Message.Mentions[0].ID.String() == "79995554433@c.us"
	})
	phone := "79995554433"
	sent := &crm.MessageRef{ID: "3EB0AA", FromMe: true, Type: crm.MessageText, Content: crm.Content{
		Text: "@79995554433 and @555666777", Mentions: []crm.Mention{{ID: content.ID(phone + "@c.us"), Phone: &phone}, {ID: content.ID("555666777@lid")}},
	}}
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554433@c.us", Message: sent})
	jids := []string{"79995554433@s.whatsapp.net", "555666777@lid"}
	if got := w.received(t, "3EB0AA").Message.GetExtendedTextMessage().GetContextInfo().GetMentionedJID(); !slices.Equal(got, jids) {
		t.Errorf("sent with %q", got)
	}
	w.enqueue(crm.OutboxItem{Kind: crm.OutEdit, ChatID: "79995554433@c.us", Message: sent})
	if _, err := w.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
		return slices.Equal(r.Message.GetProtocolMessage().GetEditedMessage().GetExtendedTextMessage().GetContextInfo().GetMentionedJID(), jids)
	}); err != nil {
		t.Errorf("the edit: %v", err)
	}
}

// TestTwoThousandMentions checks that many mentions arrive and are sent completely.
func TestTwoThousandMentions(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		const n = 2000
		var jids, words []string
		for i := range n {
			server, user := "s.whatsapp.net", fmt.Sprint(79991000000+i)
			if i%2 == 1 {
				server, user = "lid", fmt.Sprint(300000000+i)
			}
			jids, words = append(jids, user+"@"+server), append(words, "@"+user)
		}
		text := strings.Join(words, " ")
		id := h.anna.Send(h.shop, whatsapptest.RichText(text, &waE2E.ContextInfo{MentionedJID: jids}))
		item := h.awaitItem(t, crm.EventMessage, id)
		var m struct {
			Message crm.Content `json:"message"`
		}
		if err := json.Unmarshal([]byte(item), &m); err != nil {
			t.Fatal(err)
		}
		if m.Message.Text != text || len(m.Message.Mentions) != n {
			t.Fatalf("%d characters and %d mentions arrived, want %d and %d", len(m.Message.Text), len(m.Message.Mentions), len(text), n)
		}
		for i, got := range m.Message.Mentions {
			want := strings.Replace(jids[i], "@s.whatsapp.net", "@c.us", 1)
			if got.ID.String() != want || (got.Phone != nil) != (i%2 == 0) {
				t.Fatalf("mention %d is %+v, want %s", i, got, want)
			}
		}
		out := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: text, Mentions: m.Message.Mentions}})
		got, err := h.anna.AwaitID(testwait.Context(t), out)
		if err != nil || !slices.Equal(got.Message.GetExtendedTextMessage().GetContextInfo().GetMentionedJID(), jids) {
			t.Errorf("%d mentions went out, %v", len(got.Message.GetExtendedTextMessage().GetContextInfo().GetMentionedJID()), err)
		}
	})
}
