package whatsapp

import (
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
