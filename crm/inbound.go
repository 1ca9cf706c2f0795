package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"chatcast/models"
)

// MaxInbound is how many messages and statuses one request may bring together.
const MaxInbound = 100

// Inbound is what a bridge brings: all of it is taken, or nothing.
type Inbound struct {
	Messages []InboundMessage
	Statuses []InboundStatus
}

// InboundMessage is a message that a messenger has seen: of a customer, or of
// the account itself, written on another device (FromMe).
type InboundMessage struct {
	ID              ID              `json:"id"`
	Chat            InboundChat     `json:"chat"`
	FromUser        *InboundUser    `json:"fromUser"`
	Time            *int64          `json:"time"` // unix seconds; now when absent
	Type            string          `json:"type"` // text when absent
	Subtype         *string         `json:"subtype"`
	Message         Content         `json:"message"`
	IsForwarded     bool            `json:"isForwarded"`
	FromMe          bool            `json:"fromMe"`
	Side            string          `json:"side"` // in or out; out is the same as FromMe
	QuotedMessage   *InboundQuote   `json:"quotedMessage"`
	QuotedMessageID *ID             `json:"quotedMessageId"`
	UTM             json.RawMessage `json:"utm"`

	// Of connectors alone: an attachment that StoreFile kept, or one to fetch later.
	// Message.File is made of it.
	Attachment *Upload     `json:"-"`
	Remote     *RemoteFile `json:"-"`
}

// InboundQuote names the message that another answers.
type InboundQuote struct {
	ID ID `json:"id"`
}

// InboundChat is where a message or status belongs. In JSON it is an object, or
// the id alone.
type InboundChat struct {
	ID       ID      `json:"id"`
	LID      *string `json:"lid"` // WhatsApp's other id, ...@lid, when both are known
	Hash     *string `json:"hash"`
	Type     string  `json:"type"`  // private or group
	Phone    *string `json:"phone"` // on WhatsApp digits; with an id that is a LID it links the two
	Username *string `json:"username"`
	Name     *string `json:"name"`
	Image    *string `json:"image"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *InboundChat) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] != '{' {
		return c.ID.UnmarshalJSON(b)
	}
	type object InboundChat
	return json.Unmarshal(b, (*object)(c))
}

// InboundUser is who wrote a message.
type InboundUser struct {
	ID       ID      `json:"id"`
	Username *string `json:"username"`
	Name     string  `json:"name"`
	Phone    *string `json:"phone"`
	Image    *string `json:"image"`
}

// InboundStatus is how far a message of ours got.
type InboundStatus struct {
	ID    ID              `json:"id"`
	Chat  InboundChat     `json:"chat"`
	Type  string          `json:"type"` // sent, delivered, viewed or failed
	Time  *int64          `json:"time"` // unix seconds; now when absent
	Error json.RawMessage `json:"error"`
}

// Results of what was brought.
const (
	ResultAccepted  = "accepted"
	ResultDuplicate = "duplicate" // of a message: it is known already
	ResultUnchanged = "unchanged" // of a status: the message has got as far or further
	ResultUnknown   = "unknown"   // of a status: no such message was sent in this chat
)

// InboundAnswer says what became of each thing brought, in the same order.
type InboundAnswer struct {
	Messages []InboundMessageResult `json:"messages"`
	Statuses []InboundStatusResult  `json:"statuses"`
}

// InboundMessageResult is the fate of a message.
type InboundMessageResult struct {
	ID         ID     `json:"id"`
	ChatID     string `json:"chatId"`
	InternalID int64  `json:"internalId"`
	Result     string `json:"result"` // accepted or duplicate
}

// InboundStatusResult is the fate of a status.
type InboundStatusResult struct {
	ID     ID     `json:"id"`
	ChatID string `json:"chatId"`
	Result string `json:"result"` // accepted, unchanged or unknown
}

// Receive takes what a bridge brings, in one transaction. It is idempotent by
// messenger, chat and message id. It needs write on the line and sight of all
// its chats. A line that was paired has an account of its own and is no bridge any
// more.
func (s *Service) Receive(ctx context.Context, a Actor, on Line, in Inbound) (answer InboundAnswer, err error) {
	// Who may not write learns that, and nothing of the errors.
	if _, err := s.receiver(s.Store.Read(ctx), a, on); err != nil {
		return answer, err
	}
	b, err := in.batch(on.Messenger, s.Now().Unix())
	if err != nil {
		return answer, err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return answer, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, err := s.receiver(c.tx, a, on)
		if err != nil {
			return err
		}
		taken, err := c.applyInbound(l, v, b)
		answer = InboundAnswer{Messages: taken.Messages, Statuses: taken.Statuses}
		return err
	})
	return answer, err
}

func (s *Service) receiver(tx *models.Tx, a Actor, on Line) (*line, error) {
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, write)
	if err != nil {
		return nil, err
	}
	if l.access.OnlyMine {
		return nil, denied("who may see only their own chats cannot bring messages for all")
	}
	x, _, err := s.account(tx, on)
	if err == nil && x != nil {
		err = conflict("this line has an account of its own: its messages come from there")
	}
	return l, err
}

// receive adds one message to its chat.
func (c *change) receive(v renderer, chats *chatSet, m *arrival) (InboundMessageResult, error) {
	r := InboundMessageResult{ID: MakeID(v.line.Messenger, m.row.ExternalID), Result: ResultAccepted}
	chat, err := chats.add(c, m.chat)
	if err != nil {
		return r, err
	}
	r.ChatID = chat.ExternalID
	known, err := c.tx.MessagesByExternal(chat.ID, []string{m.row.ExternalID})
	if err != nil {
		return r, err
	}
	if row := known[m.row.ExternalID]; row != nil {
		r.Result, r.InternalID = ResultDuplicate, row.ID
		if isPlaceholder(row) && m.row.Type != MessageUnknown {
			r.Result = ResultReplaced
			return r, c.replace(v, chat, row, m)
		}
		return r, nil
	}
	if err := chats.describe(c, chat, m); err != nil {
		return r, err
	}
	row := m.row // a copy: the change may be tried again
	added, err := c.record(v, chat, &row)
	if err == nil && !added {
		err = fmt.Errorf("crm: message %q of chat %d appeared under the chat's lock", m.row.ExternalID, chat.ID)
	}
	if err != nil {
		return r, err
	}
	r.InternalID = row.ID
	return r, c.keepFile(chat, &row, m)
}

// receiveStatus moves one message of ours on.
func (c *change) receiveStatus(v renderer, chats *chatSet, st *statusArrival) (InboundStatusResult, error) {
	r := InboundStatusResult{ID: MakeID(v.line.Messenger, st.id), ChatID: st.chat.key.External, Result: ResultUnknown}
	chat, row, err := chats.messageOf(c, st)
	if chat != nil {
		r.ChatID = chat.ExternalID
	}
	if err != nil || row == nil || !row.FromMe {
		return r, err
	}
	if !advances(row.Status, st.status) {
		r.Result = ResultUnchanged
		return r, nil
	}
	r.Result = ResultAccepted
	return r, c.setStatus(v, chat, row, st.status, st.time, st.failure)
}
