package crm

import (
	"encoding/json"

	"chatcast/models"
)

// Names of the events about messages.
const (
	EventMessage          = "message"
	EventMessageStatus    = "messageStatus"
	EventMessageEdit      = "messageEdit"
	EventMessageDelete    = "messageDelete"
	EventChatConversation = "chatConversation"
	EventChatRead         = "chatRead"
)

// Sides of a message.
const (
	SideIn  = "in"
	SideOut = "out"
)

// Who opened a conversation window: the customer, or the business.
const (
	WindowUIC = "UIC"
	WindowBIC = "BIC"
)

// MessageItem is the item of message.
type MessageItem struct {
	ID            ID              `json:"id"`
	FromAPI       bool            `json:"fromApi"`
	FromMe        bool            `json:"fromMe"`
	Side          string          `json:"side"` // in or out
	Time          int64           `json:"time"` // unix seconds
	IsForwarded   bool            `json:"isForwarded"`
	Type          string          `json:"type"`
	Subtype       *string         `json:"subtype"`
	Message       Content         `json:"message"`
	QuotedMessage *QuotedMessage  `json:"quotedMessage"`
	FromUser      Author          `json:"fromUser"`
	Chat          ChatCard        `json:"chat"`
	FromApp       *AppRef         `json:"fromApp"`
	UTM           json.RawMessage `json:"utm"`     // an object, or null
	Created       *IDRef          `json:"created"` // the employee who wrote it; null: none of ours
}

// Content is what a message says. The fields after File are present only in
// messages of their kind.
type Content struct {
	Text      string       `json:"text"`
	Caption   string       `json:"caption"`
	File      *FileData    `json:"file"`
	ParseMode string       `json:"parseMode,omitempty"` // how Text is marked up: markdown, html
	Location  *Location    `json:"location,omitempty"`
	Contact   *ContactCard `json:"contact,omitempty"`
	Poll      *Poll        `json:"poll,omitempty"`
	Reaction  *Reaction    `json:"reaction,omitempty"`

	Contacts []ContactCard `json:"contacts,omitempty"` // all of them, when there are several; Contact is the first
	Vote     *PollVote     `json:"vote,omitempty"`     // on a poll
	Mentions []Mention     `json:"mentions,omitempty"` // who is mentioned in the text or the caption
}

// FileData is an attachment. Size is in bytes.
type FileData struct {
	Link     string  `json:"link"`
	Name     string  `json:"name"`
	Size     *int64  `json:"size"`     // null: not known
	MimeType *string `json:"mimeType"` // null: not known
	// State is why the link has nothing yet: pending, failed, expired, tooLarge.
	// Absent, the file is there.
	State string `json:"state,omitempty"`
}

// Location is a place, in degrees.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

// ContactCard is a person that a message tells of.
type ContactCard struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// Poll is a question with answers to choose from.
type Poll struct {
	Question string   `json:"question"`
	Options  []string `json:"options"`
	Multiple bool     `json:"multiple"` // more than one may be chosen
}

// PollVote is what somebody chose in a poll: all that they choose now, nothing
// when they took their vote back.
type PollVote struct {
	MessageID ID       `json:"messageId"` // of the poll
	Options   []string `json:"options"`
}

// Reaction is a sign on another message; an empty Emoji takes it off.
type Reaction struct {
	MessageID ID     `json:"messageId"`
	Emoji     string `json:"emoji"`
}

// Author is who wrote a message. Of one that was sent through the API it is the
// employee: their user id and name.
type Author struct {
	ID       ID      `json:"id"`
	Username *string `json:"username"`
	Name     string  `json:"name"`
	Phone    *string `json:"phone"`
}

// QuotedMessage is the message that another answers. Of one that we never saw,
// only the id is known; the rest is null.
type QuotedMessage struct {
	ID         ID       `json:"id"`
	InternalID *int64   `json:"internalId"`
	FromMe     *bool    `json:"fromMe"`
	Side       *string  `json:"side"`
	Time       *int64   `json:"time"`
	Type       *string  `json:"type"`
	Message    *Content `json:"message"`
	FromUser   *Author  `json:"fromUser"`
}

// ChatCard is a chat as message shows it. LID is WhatsApp's other id of the chat,
// when both are known.
type ChatCard struct {
	ID       string  `json:"id"`
	LID      *string `json:"lid,omitempty"`
	Hash     string  `json:"hash"`
	Type     string  `json:"type"` // private or group
	Phone    *string `json:"phone"`
	Username *string `json:"username"`
	Name     string  `json:"name"`
	Image    *string `json:"image"`
}

// ChatStatusCard is a chat as messageStatus shows it.
type ChatStatusCard struct {
	ID       string  `json:"id"`
	Hash     string  `json:"hash"`
	Type     string  `json:"type"`
	Phone    *string `json:"phone"`
	Username *string `json:"username"`
}

// AppTracking is the app that sent a message and what it asked to be told back.
type AppTracking struct {
	ID       string  `json:"id"`
	Tracking *string `json:"tracking"`
}

// MessageStatusItem is the item of messageStatus. Type is sent, delivered,
// viewed or failed; Error is why it failed, else null.
type MessageStatusItem struct {
	ID      ID              `json:"id"`
	Type    string          `json:"type"`
	Chat    ChatStatusCard  `json:"chat"`
	FromApp *AppTracking    `json:"fromApp"`
	Error   json.RawMessage `json:"error"`
	Time    int64           `json:"time"`
}

// MessageEditItem is the item of messageEdit: the message as it is now.
type MessageEditItem struct {
	ID      ID      `json:"id"`
	Type    string  `json:"type"`
	Message Content `json:"message"`
	Time    int64   `json:"time"` // of the edit
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`
	// Error is why an edit or a deletion of ours failed, and the message says again
	// what it said before; else null.
	Error *SendError `json:"error"`
}

// MessageDeleteItem is the item of messageDelete.
type MessageDeleteItem struct {
	ID      ID      `json:"id"`
	Time    int64   `json:"time"` // of the deletion
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`
}

// ConversationData is a 24-hour window.
type ConversationData struct {
	ID        string `json:"id"`        // 32 hex digits
	Type      string `json:"type"`      // UIC or BIC
	StartTime int64  `json:"startTime"` // unix seconds
	EndTime   int64  `json:"endTime"`   // 86400 later
}

// ChatConversationItem is the item of chatConversation.
type ChatConversationItem struct {
	Conversation ConversationData `json:"conversation"`
	Chat         ChatRef          `json:"chat"`
}

// ChatReadItem is the item of chatRead.
type ChatReadItem struct {
	Chat   ChatRef `json:"chat"`
	Edited *IDRef  `json:"edited"`
}

func chatCard(c *models.Chat) ChatCard {
	return ChatCard{
		ID: c.ExternalID, LID: otherLID(c), Hash: c.Hash, Type: c.Type, Phone: c.Phone, Username: c.Username, Name: c.Name, Image: c.Image,
	}
}

// otherLID is the chat's LID, when that is not its only id.
func otherLID(c *models.Chat) *string {
	if c.LID == nil || *c.LID == c.ExternalID {
		return nil
	}
	return c.LID
}
