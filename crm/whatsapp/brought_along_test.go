package whatsapp

import (
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestQuoteThatWasNeverSeen checks that an answer shows what it tells of a message that is
// not here: live, in lists, and of a history. A message that is here is shown itself.
func TestQuoteThatWasNeverSeen(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		ours := whatsapptest.Quoting("3EB0GONE1", h.shop.Number(), whatsapptest.Text("our offer"))
		h.shop.SetHistory(true, whatsapptest.PastChat{Chat: h.anna.Number(), Messages: []whatsapptest.Past{
			{ID: "PAST1", Time: time.Now().Add(-time.Hour), What: whatsapptest.RichText("from the past", ours)},
		}})
		h.pair(t)
		image := &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("the menu"), Mimetype: proto.String("image/jpeg")}}
		h.anna.Send(h.shop, whatsapptest.RichText("that one", whatsapptest.Quoting("GONE2", h.anna.HiddenID(), image)))
		h.awaitItem(t, crm.EventMessage, "that one", `"quotedMessage":{"id":"GONE2"`, `"type":"image"`, `"caption":"the menu"`, `"fromMe":false`, `"side":"in"`, `"fromUser":{"id":"79995554433@c.us"`)
		first := h.anna.SendText(h.shop, "is here")
		h.awaitItem(t, crm.EventMessage, `"is here"`)
		h.anna.Send(h.shop, whatsapptest.RichText("this one", whatsapptest.Quoting(first, h.anna.Number(), whatsapptest.Text("forged"))))
		if item := h.awaitItem(t, crm.EventMessage, "this one"); strings.Contains(item, "forged") {
			t.Errorf("a known message is shown as the answer tells it: %s", item)
		}
		h.anna.Send(h.shop, whatsapptest.RichText("odd one", &waE2E.ContextInfo{
			StanzaID: proto.String("GONE3"), Participant: proto.String("no address@@"), QuotedMessage: whatsapptest.Text("\x00" + strings.Repeat("x", 70_000)),
		}))
		h.awaitItem(t, crm.EventMessage, "odd one", `"quotedMessage":{"id":"GONE3","internalId":null,"fromMe":null`, "xxx")
		eventually(t, "the history is not there", func() bool {
			list, err := h.Messages(t.Context(), h.Owner, h.chat(), crm.MessageQuery{})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range list.Items {
				if q := m.QuotedMessage; m.ID.String() == "PAST1" && (q == nil || q.Message == nil || q.Message.Text != "our offer" || q.Side == nil || *q.Side != crm.SideOut) {
					t.Fatalf("the message of the history quotes %+v", q)
				} else if m.ID.String() == "PAST1" {
					return true
				}
			}
			return false
		})
	})
}

// TestCardWithSeveralNumbers checks that a contact card keeps all its numbers in both
// directions.
func TestCardWithSeveralNumbers(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		vcard := "BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nTEL;type=WORK:+49 30 1\nitem1.TEL;waid=79991112233:+7 999 111-22-33\nTEL;type=HOME:+49 30 2\nTEL:+49 30 1\nEND:VCARD"
		h.anna.Send(h.shop, &waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Bob"), Vcard: &vcard}})
		h.awaitItem(t, crm.EventMessage, `"contact":{"name":"Bob","phone":"+79991112233","phones":["+49 30 1","+79991112233","+49 30 2"],"vcard":"BEGIN:VCARD`)
		out := h.send(t, crm.Outgoing{Type: crm.MessageContact, Content: crm.Content{Contact: &crm.ContactCard{
			Name: "Anna", Phone: "+7 999 555 44 33", Phones: []string{"+49 30 1", "+7 999 555 44 33"},
		}}})
		got, err := h.anna.AwaitID(t.Context(), out)
		if card := got.Message.GetContactMessage().GetVcard(); err != nil ||
			!strings.Contains(card, "\nTEL;type=CELL;waid=79995554433:+7 999 555 44 33\nTEL;type=CELL:+49 30 1\nEND:VCARD") {
			t.Errorf("arrived as %q, %v", card, err)
		}
	})
}
