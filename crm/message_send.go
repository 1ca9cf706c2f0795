package crm

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"chatcast/models"
)

// Outgoing is a message to send.
type Outgoing struct {
	Type     string
	Subtype  string `json:",omitempty"` // SubtypeVideoNote or empty
	Content  Content
	Tracking *string // returned in messageStatus
	Quoted   *ID     // the message that it answers
	// Quote is what that message says, for the case that it is not here; nil: then it must be.
	Quote *Quote `json:",omitempty"`
	// IdempotencyKey makes a second try of the same request harmless; empty: none.
	IdempotencyKey string
}

// Sent is the answer to a message that was accepted for sending.
type Sent struct {
	ID     ID     `json:"id"`
	ChatID string `json:"chatId"`
}

// check checks an outgoing message against the limits. Errors name the fields as in the
// request bodies.
func (m *Outgoing) check() error {
	errs := []error{checkOptional("tracking", m.Tracking, MaxTracking)}
	if m.Quoted != nil {
		errs = append(errs, checkID("quotedMessageId", m.Quoted.String()))
	}
	switch { // the bodies of these have the fields at the top level
	case m.Content.Location != nil:
		errs = append(errs, m.Content.Location.check(""))
	case m.Content.Contact != nil:
		errs = append(errs, m.Content.Contact.check(""))
	case m.Content.Poll != nil:
		errs = append(errs, m.Content.Poll.check(""))
	case m.Content.Reaction != nil:
		errs = append(errs, m.Content.Reaction.check(""))
	default:
		errs = append(errs, m.Content.check("", m.Type, MaxText))
	}
	return allViolations(errs...)
}

// Send accepts a message for sending: it stores the message and emits its event, and
// the messenger delivers it afterwards. A missing chat is created when its id is a
// phone number.
func (s *Service) Send(ctx context.Context, a Actor, at ChatAddress, m Outgoing) (Sent, error) {
	mentions, err := checkMentions(at.Messenger, "mentions", m.Content.Mentions)
	if err = allViolations(m.check(), err); err != nil {
		return Sent{}, err
	}
	m.Content.Mentions = mentions
	connector, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return Sent{}, err
	}
	return s.send(ctx, a, at, connector.MessageID(at.Line), m, nil)
}

// send is Send for a checked message with the given id. file is its attachment, or nil.
func (s *Service) send(ctx context.Context, a Actor, at ChatAddress, id string, m Outgoing, file attachment) (sent Sent, err error) {
	key, err := ParseChatID("chatId", at.Messenger, at.ChatID)
	if err != nil {
		return sent, err
	}
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return sent, err
	}
	request := struct {
		Line
		Chat, File string
		Message    Outgoing
	}{Line: at.Line, Chat: key.External, Message: m.withoutStored()}
	if file != nil {
		request.File = file.digest()
	}
	err = s.once(ctx, a, m.IdempotencyKey, request, &sent, func(c *change) error {
		l, err := s.line(c.tx, a, at.LicenseID, at.Messenger, send)
		if err != nil {
			return err
		}
		chat, err := c.chatToSend(l, a, key)
		if err != nil {
			return err
		}
		out, err := s.outbox(c, at.Line)
		if err != nil {
			return err
		}
		if out != nil {
			if err := c.countSend(at.Line); err != nil {
				return err
			}
		}
		m, file := m, file
		link, remote := file.(linked)
		switch {
		case remote && out == nil: // a bridge fetches the file itself
			file = nil
		case remote:
			m.Content.File = link.pending()
		}
		row, err := c.outgoing(a, at.Messenger, chat, m)
		if err != nil {
			return err
		}
		row.ExternalID = id
		added, err := c.record(v, chat, row)
		if err == nil && !added {
			err = errors.New("crm: the messenger made a message id twice")
		}
		if err != nil {
			return err
		}
		if err := c.addFile(l, chat, row, file); err != nil {
			return err
		}
		sent = Sent{ID: MakeID(at.Messenger, id), ChatID: chat.ExternalID}
		return out.send(chat, row)
	})
	return sent, err
}

// addFile adds the row of the attachment of a message that was just recorded. The row
// of an attachment that is still to be fetched refers to its message.
func (c *change) addFile(l *line, chat *models.Chat, m *models.Message, file attachment) error {
	if file == nil {
		return nil
	}
	row := file.row(l.licenseID, chat.ID, c.now.Unix())
	if row.State != "" {
		row.MessageID = &m.ID
	}
	return c.tx.AddFile(row)
}

// withoutStored returns m in the form that is compared with a repeated request: without
// the id of the stored attachment, which differs each time.
func (m Outgoing) withoutStored() Outgoing {
	m.IdempotencyKey = ""
	if f := m.Content.File; f != nil && isStored(f.Link) {
		plain := *f
		plain.Link = storedLink
		m.Content.File = &plain
	}
	return m
}

// connected returns the connector of a line that the actor may write and that accepts
// messages: the line is connected, or its messages wait in its outbox.
func (s *Service) connected(ctx context.Context, a Actor, on Line) (Messenger, error) {
	l, connector, err := s.connectorFor(ctx, a, on, send)
	if err != nil {
		return nil, err
	}
	x, _, err := s.account(s.Store.Read(ctx), on)
	switch {
	case err != nil:
		return nil, err
	case x != nil && !x.accepts():
		return nil, Unavailable("the messenger takes no messages now: " + x.Detail)
	case x != nil:
		return connector, nil
	case !l.isBridge(connector): // nobody would send the message
		return nil, Unavailable("the line is not set up. " + notSetUp)
	}
	if _, queued := connector.(Queued); queued {
		return connector, nil // a bridge, which accepts every message
	}
	status, err := connector.Status(ctx, on)
	if err != nil {
		return nil, err
	}
	if !status.Connected {
		return nil, Unavailable("the messenger is not connected")
	}
	return connector, nil
}

// chatToSend locks and returns the chat that a message goes to. It creates a missing
// chat when the key is a phone number.
func (c *change) chatToSend(l *line, a Actor, key ChatKey) (*models.Chat, error) {
	chat, err := c.tx.LockChat(l.licenseID, l.messenger, key.External)
	if errors.Is(err, models.ErrNotFound) && key.Phone != "" {
		chat, err = c.chatWithPhone(l, key.Phone, key.Phone, nil)
	}
	if err != nil {
		return nil, orNotFound(err, "chat")
	}
	if err := l.mustSee(c.tx, a, chat); err != nil {
		return nil, err
	}
	return chat, mayWrite(chat)
}

// mayWrite returns nil if people write in a chat.
func mayWrite(chat *models.Chat) error {
	if chat.Type == models.ChatChannel {
		return conflict("this chat is a channel: it can only be read")
	}
	return nil
}

// outgoing returns the row of a message that the actor sends to the chat.
func (c *change) outgoing(a Actor, messenger string, chat *models.Chat, m Outgoing) (*models.Message, error) {
	row := &models.Message{
		FromMe: true, FromAPI: true, Time: c.now.Unix(), Type: m.Type, Tracking: m.Tracking, CreatedBy: &a.UserID,
		Subtype: given(m.Subtype), Aside: aside(m.Type, nil, &m.Content),
	}
	if a.AppID != "" {
		row.AppID = &a.AppID
	}
	if m.Quoted != nil {
		quoted := m.Quoted.String()
		row.QuotedExternalID = &quoted
		_, err := c.tx.MessageByExternal(chat.ID, quoted)
		if errors.Is(err, models.ErrNotFound) && m.Quote != nil {
			row.Quote, err = m.Quote.check(messenger, "quote.")
		}
		if err != nil {
			return nil, orInvalid(err, "quotedMessageId", "is not a message of this chat")
		}
	}
	if r := m.Content.Reaction; r != nil {
		target, err := c.tx.MessageByExternal(chat.ID, r.MessageID.String())
		if err != nil {
			return nil, orInvalid(err, "messageId", "is not a message of this chat")
		}
		if isStatus(target.Subtype) {
			return nil, conflict("a status post takes no reactions: answer it with quotedMessageId")
		}
	}
	user, err := c.tx.UserByID(a.UserID)
	if err != nil {
		return nil, err
	}
	author, err := json.Marshal(Author{ID: MakeID(messenger, strconv.FormatInt(a.UserID, 10)), Name: user.Name})
	if err != nil {
		return nil, err
	}
	row.Author = string(author)
	row.Content, err = encodeContent(m.Content)
	return row, err
}

// orInvalid converts the store's ErrNotFound to an error of a field. It returns other
// errors unchanged.
func orInvalid(err error, field, violation string) error {
	if errors.Is(err, models.ErrNotFound) {
		return Invalid(field, "%s", violation)
	}
	return err
}
