package whatsapp

import (
	"encoding/json"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestSealedEdits checks that encrypted edits of events and texts are decrypted. Edits that whatsmeow
// does not support stay unknown, with their kind, and do not affect later messages.
func TestSealedEdits(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.Send(w.shop, whatsapptest.Event("Tea at five"), whatsapptest.SendOpts{Addressing: whatsapptest.ByNumber})
	w.awaitText(t, "Tea at five")
	for name, edited := range map[string]*waE2E.Message{
		"Tea at six": whatsapptest.Event("Tea at six"),
		"Tea at seven": {ProtocolMessage: &waE2E.ProtocolMessage{
			Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: whatsapptest.Event("Tea at seven"),
		}},
	} {
		if _, err := w.anna.EditSealed(w.shop, id, waE2E.SecretEncryptedMessage_EVENT_EDIT, edited); err != nil {
			t.Fatal(err)
		}
		w.awaitBatch(t, "the edit", func(batch crm.InboundBatch) bool {
			return len(batch.Edits) == 1 && batch.Edits[0].ID.String() == id && batch.Edits[0].Message.Text == name && !batch.Edits[0].FromMe
		})
	}
	text := w.anna.Send(w.shop, whatsapptest.Sealable("Do you have tea?"), whatsapptest.SendOpts{Addressing: whatsapptest.ByNumber})
	w.awaitText(t, "Do you have tea?")
	if _, err := w.anna.EditSealed(w.shop, text, waE2E.SecretEncryptedMessage_MESSAGE_EDIT, whatsapptest.Text("Do you have coffee?")); err != nil {
		t.Fatal(err)
	}
	w.awaitBatch(t, "the edit of a text", func(batch crm.InboundBatch) bool {
		return len(batch.Edits) == 1 && batch.Edits[0].ID.String() == text && batch.Edits[0].Message.Text == "Do you have coffee?"
	})
	other, err := w.anna.EditSealed(w.shop, id, waE2E.SecretEncryptedMessage_MESSAGE_SCHEDULE, whatsapptest.Text("?"))
	if err != nil {
		t.Fatal(err)
	}
	m := w.awaitMessage(t, "the edit that is not known", func(m crm.InboundMessage) bool { return m.ID.String() == other })
	if m.Type != content.TypeUnknown || *m.Subtype != "secretEncryptedMessage" {
		t.Errorf("came as %+v", m)
	}
	// An edit that names an impossible message id must not be looked up forever.
	w.anna.Send(w.shop, &waE2E.Message{SecretEncryptedMessage: &waE2E.SecretEncryptedMessage{
		TargetMessageKey: &waCommon.MessageKey{ID: proto.String("\x00\x01"), RemoteJID: proto.String("\x00@s.whatsapp.net")}, SecretEncType: waE2E.SecretEncryptedMessage_EVENT_EDIT.Enum(),
		EncPayload: []byte("x"), EncIV: []byte("y"),
	}})
	w.anna.SendText(w.shop, "after it")
	w.awaitText(t, "after it")
}

// TestSealedEditsChangeMessages checks that an encrypted edit changes a message as any
// other edit does: a text and a poll.
func TestSealedEditsChangeMessages(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		send := func(m *waE2E.Message, says string) string {
			id := h.anna.Send(h.shop, m, whatsapptest.SendOpts{Addressing: whatsapptest.ByNumber})
			h.awaitItem(t, crm.EventMessage, says)
			return id
		}
		edit := func(id string, kind waE2E.SecretEncryptedMessage_SecretEncType, to *waE2E.Message, says string) {
			t.Helper()
			mark := h.Mark(t)
			if _, err := h.anna.EditSealed(h.shop, id, kind, to); err != nil {
				t.Fatal(err)
			}
			h.awaitItem(t, crm.EventMessageEdit, says)
			if events := h.EventsAfter(t, mark, crm.EventMessage, crm.EventChatStatus); len(events) > 0 {
				t.Errorf("the edit is a message, too: %v", events)
			}
			page, err := h.Messages(t.Context(), h.Reader, crm.ChatAddress{Line: testLine, ChatID: anna}, crm.MessageQuery{})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Items {
				if m.ID.String() == id {
					if b, err := json.Marshal(m.Message); err != nil || !strings.Contains(string(b), says) || m.EditedAt == nil {
						t.Errorf("stored as %s, edited at %v, %v", b, m.EditedAt, err)
					}
				}
			}
		}
		text := send(whatsapptest.Sealable("Do you have tea?"), `"Do you have tea?"`)
		edit(text, waE2E.SecretEncryptedMessage_MESSAGE_EDIT, whatsapptest.Text("Do you have coffee?"), `"Do you have coffee?"`)
		poll := send(whatsapptest.Poll("Tea?", "yes", "no"), `"Tea?"`)
		edit(poll, waE2E.SecretEncryptedMessage_POLL_EDIT, whatsapptest.Poll("Coffee?", "yes", "no", "later"), `"later"`)
	})
}
