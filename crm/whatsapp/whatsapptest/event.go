package whatsapptest

import (
	"fmt"
	"slices"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// Event returns an event invitation.
func Event(name string) *waE2E.Message {
	return &waE2E.Message{
		EventMessage:       &waE2E.EventMessage{Name: &name},
		MessageContextInfo: &waE2E.MessageContextInfo{MessageSecret: randomBytes(32)},
	}
}

// Sealable returns a text that EditSealed can edit.
func Sealable(text string) *waE2E.Message {
	m := Text(text)
	m.MessageContextInfo = &waE2E.MessageContextInfo{MessageSecret: randomBytes(32)}
	return m
}

// EditSealed edits a message that the contact sent with a secret. The edit is
// encrypted with that secret.
func (c *Contact) EditSealed(a *Account, id string, kind waE2E.SecretEncryptedMessage_SecretEncType, to *waE2E.Message) (string, error) {
	c.srv.mu.Lock()
	m := c.sent[id]
	c.srv.mu.Unlock()
	if m == nil {
		return "", fmt.Errorf("%s has sent no %s", c.number, id)
	}
	plain, err := proto.Marshal(to)
	if err != nil {
		return "", err
	}
	by := []byte(c.as(types.DefaultUserServer).String())
	label := map[waE2E.SecretEncryptedMessage_SecretEncType]whatsmeow.MsgSecretType{
		waE2E.SecretEncryptedMessage_EVENT_EDIT: whatsmeow.EncSecretEventEdit, waE2E.SecretEncryptedMessage_MESSAGE_EDIT: whatsmeow.EncSecretMessageEdit,
		waE2E.SecretEncryptedMessage_POLL_EDIT: whatsmeow.EncSecretPollEdit,
	}[kind]
	info := slices.Concat([]byte(id), by, by, []byte(label))
	iv := randomBytes(12)
	sealed, err := gcmutil.Encrypt(hkdfutil.SHA256(m.message.GetMessageContextInfo().GetMessageSecret(), nil, info, 32), iv, plain, nil)
	if err != nil {
		return "", err
	}
	return c.Send(a, &waE2E.Message{SecretEncryptedMessage: &waE2E.SecretEncryptedMessage{
		TargetMessageKey: &waCommon.MessageKey{RemoteJID: proto.String(a.as(types.DefaultUserServer).String()), FromMe: proto.Bool(true), ID: &id},
		EncPayload:       sealed, EncIV: iv, SecretEncType: kind.Enum(),
	}}, SendOpts{Addressing: ByNumber}), nil
}
