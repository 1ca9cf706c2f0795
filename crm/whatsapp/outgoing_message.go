package whatsapp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// outgoing holds the parts of a message of ours. Its methods do no I/O: the upload and
// the lookup of a poll's secret are done before.
type outgoing struct {
	chat   types.JID
	self   types.JID // our own number
	item   *crm.MessageRef
	quoted *crm.MessageRef // the message that this one answers; nil: none, or unknown
	target *crm.MessageRef // the message that a reaction is on
	file   *uploaded
	secret []byte            // of a poll: decrypts its votes
	waids  map[string]string // of a contact card: what WhatsApp knows its numbers by; empty: not at all
	now    int64             // unix milliseconds
	// naming returns the id that the chat names a person by; nil: any id will do.
	naming func(types.JID) types.JID
}

// build returns the message as WhatsApp's protobuf.
func (o outgoing) build() (*waE2E.Message, error) {
	c := o.worded()
	from := o.context()
	switch {
	case c.Reaction != nil:
		return &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{
			Key: o.key(c.Reaction.MessageID.String(), o.target), Text: &c.Reaction.Emoji, SenderTimestampMS: &o.now,
		}}, nil
	case o.file != nil:
		return o.withFile(from), nil
	case c.Location != nil:
		return &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
			DegreesLatitude: &c.Location.Latitude, DegreesLongitude: &c.Location.Longitude,
			Name: given(c.Location.Name), Address: given(c.Location.Address), ContextInfo: from,
		}}, nil
	case len(c.Contacts) > 1:
		return &waE2E.Message{ContactsArrayMessage: o.contacts(c.Contacts, from)}, nil
	case c.Contact != nil:
		return &waE2E.Message{ContactMessage: &waE2E.ContactMessage{
			DisplayName: &c.Contact.Name, Vcard: proto.String(vcard(*c.Contact, o.waids)), ContextInfo: from,
		}}, nil
	case c.Poll != nil:
		return o.poll(c.Poll, from), nil
	case strings.TrimSpace(c.Text) != "":
		return text(content.Marked(c.Text, c.ParseMode), from), nil
	case c.File != nil: // the file is elsewhere: the message was sent when the line was a bridge
		return text(content.JoinNonBlank([]string{c.Caption, c.File.Link}), from), nil
	}
	return nil, fmt.Errorf("whatsapp: nothing to send in a message of type %q", o.item.Type)
}

// contacts returns several contact cards as one message.
func (o outgoing) contacts(cards []crm.ContactCard, from *waE2E.ContextInfo) *waE2E.ContactsArrayMessage {
	m := &waE2E.ContactsArrayMessage{DisplayName: proto.String(fmt.Sprintf("%d contacts", len(cards))), ContextInfo: from}
	for _, k := range cards {
		m.Contacts = append(m.Contacts, &waE2E.ContactMessage{DisplayName: proto.String(k.Name), Vcard: proto.String(vcard(k, o.waids))})
	}
	return m
}

func text(t string, from *waE2E.ContextInfo) *waE2E.Message {
	if from == nil {
		return &waE2E.Message{Conversation: &t}
	}
	return &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: &t, ContextInfo: from}}
}

func (o outgoing) poll(p *crm.Poll, from *waE2E.ContextInfo) *waE2E.Message {
	most := uint32(1)
	if p.Multiple {
		most = uint32(p.Most) // the rules allow no more than there are options
	}
	out := &waE2E.PollCreationMessage{Name: &p.Question, SelectableOptionsCount: &most, ContextInfo: from}
	for _, option := range p.Options {
		out.Options = append(out.Options, &waE2E.PollCreationMessage_Option{OptionName: proto.String(option)})
	}
	m := &waE2E.Message{MessageContextInfo: &waE2E.MessageContextInfo{MessageSecret: o.secret}}
	if p.Multiple {
		m.PollCreationMessage = out
	} else {
		m.PollCreationMessageV3 = out // as WhatsApp's own apps send single-choice polls
	}
	return m
}

// context returns the quoted message, the mentions and the chat's setting, or nil when there
// are none.
func (o outgoing) context() *waE2E.ContextInfo {
	id, info := o.item.Quoted, o.disappear(o.mentions())
	if id == "" {
		return info
	}
	if info == nil {
		info = &waE2E.ContextInfo{}
	}
	info.StanzaID, info.QuotedMessage = &id, &waE2E.Message{Conversation: proto.String("")}
	author := o.author(o.quoted)
	info.Participant = proto.String(author.String())
	if o.quoted != nil {
		info.QuotedMessage = excerpt(o.quoted)
		if o.quoted.Subtype == crm.SubtypeStatus { // phones look for it there
			info.RemoteJID = proto.String(types.StatusBroadcastJID.String())
		}
	}
	return info
}

// mentions returns a context with the people that the message mentions, or nil when there
// are none.
func (o outgoing) mentions() *waE2E.ContextInfo {
	var all []string
	for _, m := range o.item.Content.Mentions {
		if j, err := jidOf(m.ID.String()); err == nil && j.User != "" {
			all = append(all, o.name(j).String())
		}
	}
	if all == nil {
		return nil
	}
	return &waE2E.ContextInfo{MentionedJID: all}
}

// name returns the id that the chat names a person by.
func (o outgoing) name(j types.JID) types.JID {
	if o.naming == nil {
		return j
	}
	return o.naming(j)
}

// worded returns the content with the mentions in its text as the chat names people:
// WhatsApp shows a name in place of @ and the mentioned id.
func (o outgoing) worded() crm.Content {
	c := o.item.Content
	ids := map[string]string{}
	for _, m := range c.Mentions {
		j, err := jidOf(m.ID.String())
		if err != nil || o.naming == nil {
			continue
		}
		name := o.name(j).User
		for _, id := range []*string{&j.User, m.Phone, m.LID} {
			if id != nil {
				user, _, _ := strings.Cut(*id, "@")
				ids[user] = name
			}
		}
	}
	if len(ids) == 0 {
		return c
	}
	said := func(text string) string {
		return mentioned.ReplaceAllStringFunc(text, func(at string) string {
			if name, ok := ids[at[1:]]; ok {
				return "@" + name
			}
			return at
		})
	}
	c.Text, c.Caption = said(c.Text), said(c.Caption)
	return c
}

var mentioned = regexp.MustCompile(`@[0-9]+`)

// author returns the author of a message of the chat.
func (o outgoing) author(ref *crm.MessageRef) types.JID {
	if ref != nil && ref.FromMe {
		return o.self
	}
	if ref != nil && o.chat.Server == types.GroupServer {
		if j, err := jidOf(ref.AuthorID); err == nil && j.Server != types.GroupServer {
			return o.name(j)
		}
	}
	return o.chat
}

// excerpt returns a message as it is quoted in an answer to it.
func excerpt(ref *crm.MessageRef) *waE2E.Message {
	c := ref.Content
	words := content.FirstNonBlank(content.Marked(c.Text, c.ParseMode), c.Caption)
	if c.Poll != nil {
		words = c.Poll.Question
	}
	if c.Location != nil {
		words = content.FirstNonBlank(c.Location.Name, c.Location.Address)
	}
	if c.Contact != nil {
		words = c.Contact.Name
	}
	if words == "" && c.File != nil {
		words = c.File.Name
	}
	return &waE2E.Message{Conversation: proto.String(content.Clip(words, 1024))}
}

// key returns the key of another message of the chat. ref may be nil.
func (o outgoing) key(id string, ref *crm.MessageRef) *waCommon.MessageKey {
	key := &waCommon.MessageKey{RemoteJID: proto.String(o.chat.String()), ID: &id, FromMe: proto.Bool(ref != nil && ref.FromMe)}
	if o.chat.Server == types.GroupServer && !key.GetFromMe() && ref != nil {
		key.Participant = proto.String(o.author(ref).String())
	}
	return key
}

// edit returns a message that replaces the text or the caption of a message of ours.
// WhatsApp can edit nothing else.
func (o outgoing) edit() *waE2E.Message {
	c := o.worded()
	var now *waE2E.Message
	switch caption := &c.Caption; {
	case c.File == nil:
		now = text(content.Marked(c.Text, c.ParseMode), o.disappear(o.mentions()))
	case o.item.Type == crm.MessageImage:
		now = &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: caption}}
	case o.item.Type == crm.MessageVideo:
		now = &waE2E.Message{VideoMessage: &waE2E.VideoMessage{Caption: caption}}
	default:
		now = &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{Caption: caption}}
	}
	key := o.key(o.item.ID, o.item)
	return &waE2E.Message{EditedMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Key: key, Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: now, TimestampMS: &o.now,
	}}}}
}

// revoke returns a message that deletes a message of ours for everyone.
func (o outgoing) revoke() *waE2E.Message {
	return &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Key: o.key(o.item.ID, o.item), Type: waE2E.ProtocolMessage_REVOKE.Enum(),
	}}
}

// vcard returns a contact card: the whole one if its sender gave it. A number in waids, by which WhatsApp knows the person,
// opens a chat.
func vcard(k crm.ContactCard, waids map[string]string) string {
	if k.VCard != "" {
		return k.VCard
	}
	escape := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", "", ",", `\,`, ";", `\;`)
	card := "BEGIN:VCARD\nVERSION:3.0\nN:;" + escape.Replace(k.Name) + ";;;\nFN:" + escape.Replace(k.Name)
	for _, phone := range numbersOf(k) {
		card += "\nTEL;type=CELL"
		if id := waids[phone]; id != "" {
			card += ";waid=" + id
		}
		card += ":" + escape.Replace(phone)
	}
	return card + "\nEND:VCARD"
}

// cardsOf returns the contact cards of a message that have still to be written.
func cardsOf(c *crm.Content) (cards []crm.ContactCard) {
	all := c.Contacts
	if len(all) == 0 && c.Contact != nil {
		all = []crm.ContactCard{*c.Contact}
	}
	for _, k := range all {
		if k.VCard == "" {
			cards = append(cards, k)
		}
	}
	return cards
}

// numbersOf returns the numbers of a contact card, the most important one first.
func numbersOf(k crm.ContactCard) []string {
	return append([]string{k.Phone}, slices.DeleteFunc(slices.Clone(k.Phones), func(p string) bool { return p == k.Phone })...)
}

// given returns a pointer to s, or nil when s is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
