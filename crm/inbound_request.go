package crm

import (
	"bytes"
	"encoding/json"
)

// MaxInbound is the maximum number of messages and statuses together in one request.
const MaxInbound = 100

// InboundRequest is the request that the program of a bridge posts. It is applied as a
// whole or not at all. An empty list of messages says only that the program serves the
// line; a request without any list is CodeInvalid.
type InboundRequest struct {
	Messages []InboundMessage
	Statuses []InboundStatus
}

// InboundMessage is a message from a messenger: one of a customer, or one that the
// account itself wrote on another device (FromMe).
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
	Quote           *Quote          `json:"-"` // only a connector sets it
	UTM             json.RawMessage `json:"utm"`

	// For connectors only: an attachment from StoreFile, or one to fetch later.
	// Message.File is made from it.
	Attachment *Upload     `json:"-"`
	Remote     *RemoteFile `json:"-"`

	// For connectors only: what the rules cannot tell from the type, such as a
	// reaction that could not be decrypted. See aside.
	Aside bool `json:"-"`
}

// InboundQuote names the message that another message answers.
type InboundQuote struct {
	ID ID `json:"id"`
}

// InboundChat is the chat of a message or status. In JSON it is an object, or only
// the id.
type InboundChat struct {
	ID       ID      `json:"id"`
	LID      *string `json:"lid"` // WhatsApp's other id, ...@lid, when both are known
	Hash     *string `json:"hash"`
	Type     string  `json:"type"`  // private, group or channel
	Phone    *string `json:"phone"` // on WhatsApp digits; links the two ids when ID is a LID
	Username *string `json:"username"`
	Name     *string `json:"name"`
	Image    *string `json:"image"`

	// KnownAs is the name for a chat that has none yet. Only a connector sets it.
	KnownAs      string        `json:"-"`
	Disappearing *Disappearing `json:"-"` // for connectors only; nil: not told
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *InboundChat) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] != '{' {
		return c.ID.UnmarshalJSON(b)
	}
	type object InboundChat
	return json.Unmarshal(b, (*object)(c))
}

// InboundUser is a person, usually the author of a message.
type InboundUser struct {
	ID       ID      `json:"id"`
	Username *string `json:"username"`
	Name     string  `json:"name"`
	Phone    *string `json:"phone"`
	Image    *string `json:"image"`
	// BusinessName is the name of a business that the messenger has verified. Only
	// connectors know it.
	BusinessName *string `json:"-"`
	// LID is WhatsApp's other id, ...@lid, when both are known. For connectors only.
	LID *string `json:"-"`
}

// InboundStatus is the delivery status of an outgoing message.
type InboundStatus struct {
	ID    ID              `json:"id"`
	Chat  InboundChat     `json:"chat"`
	Type  string          `json:"type"` // sent, delivered, viewed or failed
	Time  *int64          `json:"time"` // unix seconds; now when absent
	Error json.RawMessage `json:"error"`
	// Played is given with viewed: the message was listened to or watched, too.
	Played bool `json:"-"`
}

// Results of the parts of a request or batch.
const (
	ResultAccepted  = "accepted"
	ResultDuplicate = "duplicate" // of a message: it is stored already
	ResultUnchanged = "unchanged" // of a status: the message has this status or a later one
	// of a delivery status: no such message was sent in this chat; of a status post: its
	// author has no chat here
	ResultUnknown = "unknown"
)

// InboundAnswer holds the result of each message and status of an InboundRequest,
// in the same order.
type InboundAnswer struct {
	Messages []InboundMessageResult `json:"messages"`
	Statuses []InboundStatusResult  `json:"statuses"`
}

// InboundMessageResult is the result of one message.
type InboundMessageResult struct {
	ID         ID     `json:"id"`
	ChatID     string `json:"chatId"`
	InternalID int64  `json:"internalId"`
	Result     string `json:"result"` // accepted, duplicate or unknown
}

// InboundStatusResult is the result of one status.
type InboundStatusResult struct {
	ID     ID     `json:"id"`
	ChatID string `json:"chatId"`
	Result string `json:"result"` // accepted, unchanged or unknown
}

// checkTime refuses a time that is not in unix seconds; nil is now. The most
// frequent error is milliseconds. Clocks may differ by an hour.
func checkTime(field string, t *int64, now int64) (int64, error) {
	const hour = 60 * 60
	switch {
	case t == nil:
		return now, nil
	case *t <= 0:
		return 0, Invalid(field, "must be unix seconds")
	case *t > now+hour:
		return 0, Invalid(field, "lies in the future: it must be unix seconds, not milliseconds")
	}
	return *t, nil
}

// checkJSON compacts a free JSON value, which must begin with one of the characters in
// begins. It returns nil for an absent value and for null.
func checkJSON(field string, raw json.RawMessage, begins string) (*string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if bytes.IndexByte([]byte(begins), raw[0]) < 0 {
		return nil, Invalid(field, "must be an object%s or null", map[bool]string{true: ", a string"}[len(begins) > 1])
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, Invalid(field, "must be JSON")
	}
	if compact.Len() > maxJSON {
		return nil, Invalid(field, "is longer than %d bytes", maxJSON)
	}
	s := compact.String()
	return &s, checkText(field, s, maxJSON)
}

// given returns a pointer to s, or nil when s is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
