package multiwa

import (
	"strings"

	"chatcast/crm"
)

// messageData is a message, as events and answers show it.
type messageData struct {
	ID        string        `json:"id"`
	From      string        `json:"from"`
	To        string        `json:"to"` // empty while the account's number is not known
	Body      string        `json:"body"`
	Type      string        `json:"type"`
	Timestamp string        `json:"timestamp"`
	HasMedia  bool          `json:"hasMedia"`
	FromMe    bool          `json:"fromMe"`
	PushName  string        `json:"pushName"`
	IsGroup   bool          `json:"isGroup"`
	Author    *string       `json:"author,omitempty"`
	Media     *mediaData    `json:"media,omitempty"`
	Quoted    *string       `json:"quotedMessageId,omitempty"`
	Location  *locationData `json:"location,omitempty"`
	Contacts  []contactCard `json:"contacts,omitempty"`
}

// mediaData is the file of a message. Its address may answer a little later: while the
// messenger is asked for the file, it is not there.
type mediaData struct {
	URL      string  `json:"url"`
	MimeType *string `json:"mimetype"`
	FileName string  `json:"filename"`
	Size     *int64  `json:"size"`
}

type locationData struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
}

type contactCard struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// messages translates a message and, when its author has another name now, what is known of
// them.
func (at scene) messages(item *crm.MessageEvent) ([]occurrence, error) {
	found, err := at.message(&item.MessageItem, item.Unread)
	if err != nil || item.Contact != crm.ContactChanged {
		return found, err
	}
	from := &item.FromUser
	changed, err := occur(kindContact, "", item.Time, contactData{
		ID: personID(at.messenger, from.ID.String(), from.Phone), Name: from.Name, PushName: optional(from.Name),
	})
	return append(found, changed...), err
}

// message translates a message. One that cannot be read yet is told when it can be: it has no
// content, and clients would take the message itself, which has the same id, for a copy of it.
func (at scene) message(item *crm.MessageItem, unread *int64) ([]occurrence, error) {
	if item.IsPlaceholder() {
		return nil, nil
	}
	data := at.messageData(item)
	k, detail := kindReceived, ""
	if item.FromMe {
		k = kindSent
	}
	if data.IsGroup {
		detail = detailGroup
	}
	return occurs(k, detail, item.Time, data, at.shortMessage(item, unread, data))
}

// arrived translates a message that could not be read before. Edits have no event here.
func (at scene) arrived(item *crm.MessageEditItem) ([]occurrence, error) {
	if item.Arrived == nil {
		return nil, nil
	}
	return at.message(item.Arrived, nil)
}

// messageData returns a message as events and answers show it.
func (at scene) messageData(item *crm.MessageItem) messageData {
	chat, own := chatID(at.messenger, item.Chat.ID), ownID(at.phone)
	data := messageData{
		From: chat, To: own, FromMe: item.FromMe, PushName: item.FromUser.Name, IsGroup: item.Chat.Type == "group",
		Type: messageType(item), Body: bodyOf(item), Timestamp: isoSeconds(item.Time), HasMedia: item.Message.File != nil,
	}
	if item.FromMe {
		data.From, data.To = own, chat
	}
	participant := ""
	if !item.FromMe && (data.IsGroup || isStatus(item)) {
		participant = personID(at.messenger, item.FromUser.ID.String(), item.FromUser.Phone)
		data.Author = optional(participant)
	}
	if isStatus(item) {
		if chat = statusChat; item.FromMe {
			data.To = chat
		} else {
			data.From = chat
		}
	}
	data.ID = messageID(item.FromMe, chat, item.ID.String(), participant)
	if f := item.Message.File; f != nil {
		data.Media = &mediaData{URL: f.Link, MimeType: f.MimeType, FileName: f.Name, Size: f.Size}
	}
	if l := item.Message.Location; l != nil {
		data.Location = &locationData{Latitude: l.Latitude + 0, Longitude: l.Longitude + 0, Name: l.Name} // JavaScript writes no -0
	}
	for _, k := range cards(&item.Message) {
		data.Contacts = append(data.Contacts, contactCard{Name: k.Name, Phone: k.Phone})
	}
	data.Quoted = at.quoted(item, chat)
	return data
}

// isStatus reports whether a message is what somebody posted as their status.
func isStatus(item *crm.MessageItem) bool {
	return item.Subtype != nil && *item.Subtype == crm.SubtypeStatus
}

// quoted returns the id of the message that another one answers, or reacts to. Of a message
// that was never seen here the messenger's id alone is known.
func (at scene) quoted(item *crm.MessageItem, chat string) *string {
	q := item.QuotedMessage
	switch {
	case q == nil && item.Message.Reaction != nil:
		return at.reactedTo(item, chat)
	case q == nil:
		return nil
	case q.FromMe == nil:
		return optional(q.ID.String())
	}
	participant := ""
	if item.Chat.Type == "group" && q.FromUser != nil {
		participant = personID(at.messenger, q.FromUser.ID.String(), q.FromUser.Phone)
	}
	return optional(messageID(*q.FromMe, chat, q.ID.String(), participant))
}

// reactedTo returns the id of the message that a reaction is on.
func (at scene) reactedTo(item *crm.MessageItem, chat string) *string {
	r := item.Message.Reaction
	if r.Origin == nil {
		return optional(r.MessageID.String())
	}
	participant := ""
	if item.Chat.Type == "group" {
		participant = personID(at.messenger, r.Origin.FromUser.ID.String(), r.Origin.FromUser.Phone)
	}
	return optional(messageID(r.Origin.FromMe, chat, r.MessageID.String(), participant))
}

// cards returns the contacts that a message shares.
func cards(m *crm.Content) []crm.ContactCard {
	if len(m.Contacts) == 0 && m.Contact != nil {
		return []crm.ContactCard{*m.Contact}
	}
	return m.Contacts
}

// types are the types of messages in the words of this dialect.
var types = map[string]string{
	crm.MessageText: "chat", crm.MessageImage: "image", crm.MessageVideo: "video", crm.MessageAudio: "audio", crm.MessageVoice: "ptt",
	crm.MessageDocument: "document", crm.MessageSticker: "sticker", crm.MessageLocation: "location", crm.MessageReaction: "reaction",
}

const (
	typeUnknown = "unknown"
	typeRevoked = "revoked"
)

func messageType(item *crm.MessageItem) string {
	switch item.Type {
	case crm.MessageContact:
		if len(item.Message.Contacts) > 1 {
			return "multi_vcard"
		}
		return "vcard"
	case crm.MessagePoll:
		if item.Message.Poll != nil {
			return "poll_creation"
		}
		return typeUnknown // a vote
	}
	if t := types[item.Type]; t != "" {
		return t
	}
	return typeUnknown
}

// bodyOf returns what a message says in words.
func bodyOf(item *crm.MessageItem) string {
	m := &item.Message
	switch {
	case m.Text != "":
		return m.Text
	case m.Caption != "":
		return m.Caption
	case m.Reaction != nil:
		return m.Reaction.Emoji
	case m.Poll != nil:
		return m.Poll.Question
	case m.Vote != nil:
		return strings.Join(m.Vote.Options, ", ")
	case m.Location != nil:
		return m.Location.Name
	}
	var people []string
	for _, k := range cards(m) {
		people = append(people, k.Name)
	}
	return strings.Join(people, ", ")
}
