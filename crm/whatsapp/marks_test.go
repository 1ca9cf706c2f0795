package whatsapp

import (
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestParseMode checks that a text that is sent with parseMode arrives with WhatsApp's
// marks, also where it is quoted and after an edit, and is kept as it was written.
func TestParseMode(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SendText(h.shop, "hello")
		h.awaitItem(t, crm.EventMessage, `"hello"`)
		for mode, c := range map[string][2]string{
			"markdown": {"**bold** and ~~gone~~ [here](https://example.com)", "*bold* and ~gone~ here (https://example.com)"},
			"html":     {"<b>bold</b> &amp; <i>not</i><br>here", "*bold* & _not_\nhere"},
			"":         {"**as** <b>it</b> is", "**as** <b>it</b> is"},
		} {
			id := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: c[0], ParseMode: mode}})
			if got := h.arrived(t, id); got.GetConversation() != c[1] {
				t.Errorf("%q in %q arrived as %v", c[0], mode, got)
			}
			quoted := crm.MakeID(Type, id)
			answer := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "more"}, Quoted: &quoted})
			if q := h.arrived(t, answer).GetExtendedTextMessage().GetContextInfo().GetQuotedMessage().GetConversation(); q != c[1] {
				t.Errorf("%q is quoted as %q", c[0], q)
			}
			item, err := h.EditMessage(t.Context(), h.Operator, h.chat(), id, crm.Edit{Text: &[]string{c[0] + "!"}[0]})
			if err != nil || item.Message.Text != c[0]+"!" || item.Message.ParseMode != mode {
				t.Fatalf("after the edit it is %+v, %v", item.Message, err)
			}
			if _, err := h.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
				return r.Message.GetProtocolMessage().GetEditedMessage().GetConversation() == c[1]+"!"
			}); err != nil {
				t.Errorf("the edit of %q: %v", c[0], err)
			}
		}
	})
}

// arrived returns a message of ours as the customer has it.
func (h *harness) arrived(t *testing.T, id string) *waE2E.Message {
	t.Helper()
	got, err := h.anna.AwaitID(testwait.Context(t), id)
	if err != nil {
		t.Fatal(err)
	}
	return got.Message
}
