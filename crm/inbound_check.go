package crm

import (
	"encoding/json"
	"fmt"
	"strings"

	"chatcast/models"
)

// batch is a checked InboundRequest or InboundBatch, in the form of rows.
type batch struct {
	messages      []messageArrival
	statuses      []statusArrival
	inboundExtras // only of an InboundBatch
}

type messageArrival struct {
	chat       inboundChat
	contact    *models.Contact // the author; nil: the account itself
	authorName string
	row        models.Message // without the chat's row id
	file       *models.File   // the attachment's row; nil: no stored attachment
	upload     *Upload        // the attachment, when it is stored already
}

type statusArrival struct {
	chat    inboundChat
	id      string
	status  string
	played  bool
	time    int64
	failure *string // JSON
}

// inboundChat is a checked InboundChat.
type inboundChat struct {
	InboundChat
	key ChatKey
}

// batch checks all parts at once. Each violation names the path of its field.
func (in InboundRequest) batch(messenger string, now int64) (b batch, err error) {
	n := len(in.Messages) + len(in.Statuses)
	if n == 0 && in.Messages == nil {
		return b, Invalid("messages", "is required, or statuses")
	}
	if n > MaxInbound {
		return b, Invalid("messages", "and statuses must not be more than %d together", MaxInbound)
	}
	var violations []error
	for i := range in.Messages {
		m, err := in.Messages[i].check(messenger, fmt.Sprintf("messages[%d].", i), now)
		b.messages, violations = append(b.messages, m), append(violations, err)
	}
	for i := range in.Statuses {
		st, err := in.Statuses[i].check(messenger, fmt.Sprintf("statuses[%d].", i), now)
		b.statuses, violations = append(b.statuses, st), append(violations, err)
	}
	return b, allViolations(violations...)
}

func (m *InboundMessage) check(messenger, at string, now int64) (r messageArrival, err error) {
	chat, chatViolation := m.Chat.check(messenger, at+"chat.")
	fromMe := m.FromMe || m.Side == SideOut
	typ := m.Type
	if typ == "" {
		typ = MessageText
	}
	violations := []error{chatViolation, checkID(at+"id", m.ID.String()), m.Message.check(at+"message.", typ, MaxText)}
	if !messageTypeForm.MatchString(typ) {
		violations = append(violations, Invalid(at+"type", "must be 1 to 32 letters, digits and _, a letter first"))
	}
	if m.Side != "" && m.Side != SideIn && m.Side != SideOut || m.FromMe && m.Side == SideIn {
		violations = append(violations, Invalid(at+"side", "must be in or out, and out when fromMe is true"))
	}
	violations = append(violations, checkOptional(at+"subtype", m.Subtype, 64))
	when, timeViolation := checkTime(at+"time", m.Time, now)
	quoted, quoteViolation := m.quoted(at)
	quote, contentViolation := m.Quote.check(messenger, at+"quote.")
	utm, utmViolation := checkJSON(at+"utm", m.UTM, "{")
	mentions, mentionViolation := checkMentions(messenger, at+"message.mentions", m.Message.Mentions)
	author, contact, authorViolation := m.author(messenger, at, chat, fromMe)
	if chat.key.Channel || isStatus(m.Subtype) { // no person; or perhaps of nobody who is known here
		contact = nil
	}
	if m.FromUser == nil && chatViolation != nil {
		authorViolation = nil // it would only repeat the chat's
	}
	if err := allViolations(append(violations, timeViolation, quoteViolation, contentViolation, utmViolation, mentionViolation, authorViolation)...); err != nil {
		return r, err
	}
	r = messageArrival{chat: chat, contact: contact, row: models.Message{
		ExternalID: m.ID.String(), FromMe: fromMe, Time: when, IsForwarded: m.IsForwarded, Type: typ, Subtype: m.Subtype,
		QuotedExternalID: quoted, Quote: quote, UTM: utm, Aside: m.Aside || aside(typ, m.Subtype, &m.Message),
	}}
	if !fromMe {
		r.authorName = author.Name
	}
	shown, err := json.Marshal(author)
	if err != nil {
		return r, err
	}
	r.row.Author = string(shown)
	content := m.Message
	content.Mentions = mentions
	if r.file, r.upload = m.attached(now); r.file != nil {
		content.File = &FileData{
			Link: storedLink + r.file.ID, Name: r.file.Name, Size: &r.file.Size, MimeType: given(r.file.MimeType), State: r.file.State,
		}
		if m.Remote != nil {
			content.File.FilePreview = m.Remote.Preview
		}
		if r.upload == nil && m.Remote.announced() == nil {
			content.File.Size = nil
		}
	}
	r.row.Content, err = encodeContent(content)
	return r, err
}

func (m *InboundMessage) quoted(at string) (*string, error) {
	var id string
	switch {
	case m.QuotedMessage != nil:
		id, at = m.QuotedMessage.ID.String(), at+"quotedMessage.id"
	case m.QuotedMessageID != nil:
		id, at = m.QuotedMessageID.String(), at+"quotedMessageId"
	default:
		return nil, nil
	}
	return &id, checkID(at, id)
}

// author returns the author of the message, and the contact to store. In a private
// chat FromUser may be absent: the chat itself identifies the customer.
func (m *InboundMessage) author(messenger, at string, chat inboundChat, fromMe bool) (author Author, contact *models.Contact, err error) {
	u := m.FromUser
	if u == nil {
		if fromMe || chat.key.Group || chat.Type == models.ChatGroup {
			return author, nil, Invalid(at+"fromUser", "is required in groups and in messages of the account itself")
		}
		u = &InboundUser{ID: ID{text: chat.key.External}, Username: chat.Username, Phone: chat.phone(), Image: chat.Image}
		if chat.Name != nil {
			u.Name = *chat.Name
		}
	}
	if author, contact, err = u.check(messenger, at+"fromUser.", fromMe); contact != nil && contact.ExternalID == chat.key.External {
		contact.LID = firstOf(contact.LID, given(chat.key.LID)) // of a private chat
	}
	return author, contact, err
}

// check returns the person as messages show them, and the contact to store, which is
// nil for the account itself.
func (u *InboundUser) check(messenger, at string, fromMe bool) (author Author, contact *models.Contact, err error) {
	violations := []error{
		checkID(at+"id", u.ID.String()), checkOptional(at+"username", u.Username, maxName),
		checkText(at+"name", u.Name, maxName), checkOptional(at+"phone", u.Phone, 64),
	}
	if u.Image != nil {
		violations = append(violations, checkLink(at+"image", *u.Image))
	}
	if err := allViolations(violations...); err != nil {
		return author, nil, err
	}
	author = Author{ID: MakeID(messenger, u.ID.String()), Username: u.Username, Name: u.Name, Phone: u.Phone, LID: u.otherLID(messenger)}
	if fromMe {
		return author, nil, nil
	}
	contact = &models.Contact{
		MessengerType: messenger, ExternalID: u.ID.String(), Name: u.Name, Username: u.Username, Phone: u.Phone, Image: u.Image,
		BusinessName: u.BusinessName,
	}
	if key, err := ParseChatID("", messenger, u.ID.String()); err == nil && IsWhatsApp(messenger) {
		contact.ExternalID = key.External // one contact, however the bridge spells it
		contact.LID = given(key.LID)
		if strings.Contains(u.ID.String(), "@") { // clients see ...@s.whatsapp.net as ...@c.us
			author.ID = MakeID(messenger, key.External)
		}
		if key.Phone != "" && contact.Phone == nil {
			contact.Phone, author.Phone = &key.Phone, &key.Phone
		}
	}
	return author, contact, nil
}

// otherLID returns the person's LID, or nil when that is their only id.
func (u *InboundUser) otherLID(messenger string) *string {
	if u.LID == nil {
		return nil
	}
	key, err := ParseChatID("", messenger, *u.LID)
	if err != nil || key.LID == "" || key.LID == u.ID.String() {
		return nil
	}
	return &key.LID
}

func (st *InboundStatus) check(messenger, at string, now int64) (r statusArrival, err error) {
	chat, chatViolation := st.Chat.check(messenger, at+"chat.")
	violations := []error{chatViolation, checkID(at+"id", st.ID.String())}
	if statusRank[st.Type] == 0 {
		violations = append(violations, Invalid(at+"type", "must be sent, delivered, viewed or failed"))
	}
	when, timeViolation := checkTime(at+"time", st.Time, now)
	failure, errorViolation := checkJSON(at+"error", st.Error, `{"`)
	if failure != nil && st.Type != models.StatusFailed {
		violations = append(violations, Invalid(at+"error", "is only of type failed"))
	}
	if err := allViolations(append(violations, timeViolation, errorViolation)...); err != nil {
		return r, err
	}
	return statusArrival{chat: chat, id: st.ID.String(), status: st.Type, played: st.Played && st.Type == models.StatusViewed, time: when, failure: failure}, nil
}

func (c InboundChat) check(messenger, at string) (inboundChat, error) {
	r := inboundChat{InboundChat: c}
	key, idViolation := ParseChatID(at+"id", messenger, c.ID.String())
	r.key = key
	violations := []error{
		idViolation, checkOptional(at+"username", c.Username, maxName), checkOptional(at+"name", c.Name, maxName),
		checkOptional(at+"phone", c.Phone, 64), c.Disappearing.check(at),
	}
	if c.Hash != nil {
		violations = append(violations, checkID(at+"hash", *c.Hash))
	}
	if c.Image != nil {
		violations = append(violations, checkLink(at+"image", *c.Image))
	}
	whatsApp := IsWhatsApp(messenger)
	if c.Type != "" && c.Type != models.ChatPrivate && c.Type != models.ChatGroup && (!whatsApp || c.Type != models.ChatChannel) {
		violations = append(violations, Invalid(at+"type", "must be private or group, or on WhatsApp channel"))
	} else if whatsApp && c.Type != "" && c.Type != key.chatType() && idViolation == nil {
		violations = append(violations, Invalid(at+"type", "does not fit the id"))
	}
	if whatsApp && idViolation == nil {
		violations = append(violations, r.link(messenger, at))
	}
	return r, allViolations(violations...)
}

// link joins the two ids of a WhatsApp chat, when both are known.
func (c *inboundChat) link(messenger, at string) error {
	if c.InboundChat.LID != nil {
		lid, err := ParseChatID(at+"lid", messenger, *c.InboundChat.LID)
		if err != nil {
			return err
		}
		if lid.LID == "" || !c.key.private() || c.key.LID != "" && c.key.LID != lid.LID {
			return Invalid(at+"lid", "must be the other id of this private chat, ending in @lid")
		}
		c.key.LID = lid.LID
	}
	if c.InboundChat.Phone == nil || !c.key.private() {
		return nil
	}
	digits := phoneSigns.Replace(*c.InboundChat.Phone)
	switch {
	case !phoneForm.MatchString(digits):
		return Invalid(at+"phone", "must be a phone number of 5 to 15 digits with its country code")
	case c.key.Phone != "" && c.key.Phone != digits:
		return Invalid(at+"phone", "does not fit the id")
	}
	c.key.Phone, c.key.External = digits, phoneChat(messenger, digits)
	return nil
}

// phone returns the chat's phone number, or nil.
func (c *inboundChat) phone() *string {
	if c.key.Phone != "" {
		return &c.key.Phone
	}
	return c.InboundChat.Phone
}
