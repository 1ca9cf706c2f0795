package whatsapptest

import (
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// These functions make messages as phones do. Other messages can be made by hand:
// Send takes any *waE2E.Message.

// Text returns a plain text.
func Text(text string) *waE2E.Message { return &waE2E.Message{Conversation: &text} }

// RichText returns a text with a context: a quote, mentions, forwarding.
func RichText(text string, about *waE2E.ContextInfo) *waE2E.Message {
	return &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: &text, ContextInfo: about}}
}

// Quoting returns the context of an answer to a message.
func Quoting(id string, author types.JID, quoted *waE2E.Message) *waE2E.ContextInfo {
	return &waE2E.ContextInfo{StanzaID: &id, Participant: proto.String(author.String()), QuotedMessage: quoted}
}

// Image returns a picture message.
func (f File) Image(caption, mime string) *waE2E.Message {
	return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.Key, FileSHA256: f.SHA256, FileEncSHA256: f.EncryptedSHA256,
		FileLength: &f.Length, Mimetype: &mime, Caption: orNil(caption), Width: proto.Uint32(640), Height: proto.Uint32(480),
	}}
}

// Video returns a video message.
func (f File) Video(caption, mime string) *waE2E.Message {
	return &waE2E.Message{VideoMessage: &waE2E.VideoMessage{
		URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.Key, FileSHA256: f.SHA256, FileEncSHA256: f.EncryptedSHA256,
		FileLength: &f.Length, Mimetype: &mime, Caption: orNil(caption), Seconds: proto.Uint32(3),
	}}
}

// Audio returns an audio message. voice marks it as a recording made in the chat.
func (f File) Audio(mime string, voice bool) *waE2E.Message {
	return &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
		URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.Key, FileSHA256: f.SHA256, FileEncSHA256: f.EncryptedSHA256,
		FileLength: &f.Length, Mimetype: &mime, Seconds: proto.Uint32(3), PTT: &voice,
	}}
}

// Document returns a document with a name. caption may be empty.
func (f File) Document(name, mime, caption string) *waE2E.Message {
	m := &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
		URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.Key, FileSHA256: f.SHA256, FileEncSHA256: f.EncryptedSHA256,
		FileLength: &f.Length, Mimetype: &mime, FileName: &name, Title: &name, Caption: orNil(caption),
	}}
	if caption != "" {
		return &waE2E.Message{DocumentWithCaptionMessage: &waE2E.FutureProofMessage{Message: m}}
	}
	return m
}

// Sticker returns a sticker.
func (f File) Sticker(mime string) *waE2E.Message {
	return &waE2E.Message{StickerMessage: &waE2E.StickerMessage{
		URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.Key, FileSHA256: f.SHA256, FileEncSHA256: f.EncryptedSHA256,
		FileLength: &f.Length, Mimetype: &mime,
	}}
}

// Location returns a location.
func Location(latitude, longitude float64, name, address string) *waE2E.Message {
	return &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
		DegreesLatitude: &latitude, DegreesLongitude: &longitude, Name: orNil(name), Address: orNil(address),
	}}
}

// LiveLocation returns a live location.
func LiveLocation(latitude, longitude float64) *waE2E.Message {
	return &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{
		DegreesLatitude: &latitude, DegreesLongitude: &longitude, SequenceNumber: proto.Int64(1),
	}}
}

// Card returns the contact card of a person.
func Card(name, phone string) *waE2E.Message {
	return &waE2E.Message{ContactMessage: card(name, phone)}
}

// Cards returns several contact cards. The arguments alternate: name, phone, name,
// phone.
func Cards(namesAndPhones ...string) *waE2E.Message {
	m := &waE2E.ContactsArrayMessage{DisplayName: proto.String(fmt.Sprintf("%d contacts", len(namesAndPhones)/2))}
	for i := 0; i+1 < len(namesAndPhones); i += 2 {
		m.Contacts = append(m.Contacts, card(namesAndPhones[i], namesAndPhones[i+1]))
	}
	return &waE2E.Message{ContactsArrayMessage: m}
}

func card(name, phone string) *waE2E.ContactMessage {
	text := fmt.Sprintf("BEGIN:VCARD\nVERSION:3.0\nFN:%s\nTEL;type=CELL;waid=%s:+%s\nEND:VCARD", name, phone, phone)
	return &waE2E.ContactMessage{DisplayName: &name, Vcard: &text}
}

// ButtonReply returns a tap on a button that a business sent.
func ButtonReply(id, text string) *waE2E.Message {
	return &waE2E.Message{ButtonsResponseMessage: &waE2E.ButtonsResponseMessage{
		SelectedButtonID: &id, Type: waE2E.ButtonsResponseMessage_DISPLAY_TEXT.Enum(),
		Response: &waE2E.ButtonsResponseMessage_SelectedDisplayText{SelectedDisplayText: text},
	}}
}

// ListReply returns a choice from a list that a business sent.
func ListReply(row, title string) *waE2E.Message {
	return &waE2E.Message{ListResponseMessage: &waE2E.ListResponseMessage{
		Title: &title, ListType: waE2E.ListResponseMessage_SINGLE_SELECT.Enum(),
		SingleSelectReply: &waE2E.ListResponseMessage_SingleSelectReply{SelectedRowID: &row},
	}}
}

// TemplateReply returns a tap on a button of a template.
func TemplateReply(id, text string) *waE2E.Message {
	return &waE2E.Message{TemplateButtonReplyMessage: &waE2E.TemplateButtonReplyMessage{
		SelectedID: &id, SelectedDisplayText: &text, SelectedIndex: proto.Uint32(0),
	}}
}

// ViewOnce wraps a message that may be viewed once.
func ViewOnce(m *waE2E.Message) *waE2E.Message {
	return &waE2E.Message{ViewOnceMessageV2: &waE2E.FutureProofMessage{Message: m}}
}

// Ephemeral wraps a message of a chat with disappearing messages.
func Ephemeral(m *waE2E.Message) *waE2E.Message {
	return &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: m}}
}

// Reaction returns an emoji reaction to a message. An empty emoji removes it. KeyOf
// makes the key.
func Reaction(target *waCommon.MessageKey, emoji string) *waE2E.Message {
	return &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{
		Key: target, Text: &emoji, SenderTimestampMS: proto.Int64(time.Now().UnixMilli()),
	}}
}

// Edit returns a message that replaces the content of the target.
func Edit(target *waCommon.MessageKey, content *waE2E.Message) *waE2E.Message {
	return &waE2E.Message{EditedMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ProtocolMessage: &waE2E.ProtocolMessage{
			Key: target, Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: content,
			TimestampMS: proto.Int64(time.Now().UnixMilli()),
		},
	}}}
}

// Revoke returns a message that deletes the target for everyone.
func Revoke(target *waCommon.MessageKey) *waE2E.Message {
	return &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Key: target, Type: waE2E.ProtocolMessage_REVOKE.Enum()}}
}

// KeyOf returns the key of a message in a chat between the contact and an account,
// as the contact's phone writes it. mine tells whether the contact wrote the
// message.
func (c *Contact) KeyOf(a *Account, id string, mine bool) *waCommon.MessageKey {
	return &waCommon.MessageKey{RemoteJID: proto.String(a.number.String()), FromMe: &mine, ID: &id}
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
