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

// Types of a conversation window: the customer or the business opened it.
const (
	WindowUIC = "UIC"
	WindowBIC = "BIC"
)

// MessageItem is a message. With what it changed it is the item of message.
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
	Created       *IDRef          `json:"created"` // the employee who wrote it; null: nobody of the company
}

// Content is the content of a message. The fields after File are present only in
// messages of their kind.
type Content struct {
	Text      string       `json:"text"`
	Caption   string       `json:"caption"`
	File      *FileData    `json:"file"`
	ParseMode string       `json:"parseMode,omitempty"` // the markup of Text: markdown or html
	Location  *Location    `json:"location,omitempty"`
	Contact   *ContactCard `json:"contact,omitempty"`
	Poll      *Poll        `json:"poll,omitempty"`
	Reaction  *Reaction    `json:"reaction,omitempty"`

	Contacts []ContactCard `json:"contacts,omitempty"` // all of them, when there are several; Contact is the first
	Vote     *PollVote     `json:"vote,omitempty"`     // on a poll
	Mentions []Mention     `json:"mentions,omitempty"` // the people mentioned in the text or the caption
	Choice   *Choice       `json:"choice,omitempty"`   // of a text that is the label of a button or a row: which one
	Invite   *Invite       `json:"invite,omitempty"`   // to a group
	// Expiration is after how many seconds the message disappears from phones.
	Expiration int64 `json:"expiration,omitempty"`
	// Addressing is how the messenger named the people of a message that arrived: AddressingPhone or
	// AddressingHidden; absent: not known.
	Addressing string `json:"addressing,omitempty"`
	// Original is what a message of the type unknown says, as the messenger has it: an object.
	Original json.RawMessage `json:"original,omitempty"`
}

// Ways in which WhatsApp names people.
const (
	AddressingPhone  = "pn"  // by their numbers
	AddressingHidden = "lid" // by their hidden ids
)

// FileData is an attachment. Size is in bytes.
type FileData struct {
	Link     string  `json:"link"`
	Name     string  `json:"name"`
	Size     *int64  `json:"size"`     // null: not known
	MimeType *string `json:"mimeType"` // null: not known
	FilePreview
	// State is the reason why the file is not there: pending, failed, expired or
	// tooLarge. It is absent when the file is there.
	State string `json:"state,omitempty"`
}

// FilePreview is what is known of a picture, a film or a sound without its bytes. The
// fields are absent when they are not known.
type FilePreview struct {
	Width     int64  `json:"width,omitempty"` // pixels
	Height    int64  `json:"height,omitempty"`
	Duration  int64  `json:"duration,omitempty"`  // seconds
	Thumbnail []byte `json:"thumbnail,omitempty"` // a small JPEG, as base64
	Waveform  []byte `json:"waveform,omitempty"`  // of a voice message: how loud it is, as base64
	Pages     int64  `json:"pages,omitempty"`     // of a document
	Animated  bool   `json:"animated,omitempty"`  // of a sticker
}

// Location is a place, in degrees.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
	// Of a live location; absent: not known.
	Accuracy int64   `json:"accuracy,omitempty"` // metres
	Speed    float64 `json:"speed,omitempty"`    // metres in a second
	Sequence int64   `json:"sequence,omitempty"` // grows with each place that is shared
}

// ContactCard is a person whose contact a message shares.
type ContactCard struct {
	Name   string   `json:"name"`
	Phone  string   `json:"phone"`
	Phones []string `json:"phones,omitempty"` // all of them, when there are several; Phone is one of them
	VCard  string   `json:"vcard,omitempty"`  // the whole card as its sender has it; absent: not known, or too long
}

// Poll is a question with answers to choose from.
type Poll struct {
	Question string   `json:"question"`
	Options  []string `json:"options"`
	Multiple bool     `json:"multiple"`       // more than one may be chosen
	Most     int64    `json:"most,omitempty"` // how many, from 2 on, when several may be; absent: any number
}

// PollVote is a vote in a poll. Options holds all options that the voter chooses now;
// it is empty when they took their vote back.
type PollVote struct {
	MessageID ID             `json:"messageId"` // of the poll
	Options   []string       `json:"options"`
	Origin    *MessageOrigin `json:"origin,omitempty"` // of the poll, when it is here
}

// Reaction is an emoji on another message. An empty Emoji removes it.
type Reaction struct {
	MessageID ID             `json:"messageId"`
	Emoji     string         `json:"emoji"`
	Origin    *MessageOrigin `json:"origin,omitempty"` // of that message, when it is here
}

// Author is the author of a message. For a message that was sent through the API it
// has the user id and the name of the employee.
type Author struct {
	ID       ID      `json:"id"`
	Username *string `json:"username"`
	Name     string  `json:"name"`
	Phone    *string `json:"phone"`
	LID      *string `json:"lid,omitempty"` // WhatsApp's other id of the person, when both are known
}

// QuotedMessage is the message that another message answers. Of a message that we never
// saw only the ID is known, and what the answer tells of it; the rest is null.
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

// ChatCard is a chat as the event message shows it. LID is WhatsApp's other id of the
// chat, when both are known.
type ChatCard struct {
	ID       string  `json:"id"`
	LID      *string `json:"lid,omitempty"`
	Hash     string  `json:"hash"`
	Type     string  `json:"type"` // private, group or channel
	Phone    *string `json:"phone"`
	Username *string `json:"username"`
	Name     string  `json:"name"`
	Image    *string `json:"image"`
}

// ChatStatusCard is a chat as the event messageStatus shows it.
type ChatStatusCard struct {
	ID       string  `json:"id"`
	Hash     string  `json:"hash"`
	Type     string  `json:"type"`
	Phone    *string `json:"phone"`
	Username *string `json:"username"`
}

// AppTracking is the app that sent a message, and the tracking value that the app
// gave with it.
type AppTracking struct {
	ID       string  `json:"id"`
	Tracking *string `json:"tracking"`
}

// MessageStatusItem is the item of messageStatus. Type is sent, delivered,
// viewed or failed. Error is the reason for failed, otherwise null.
type MessageStatusItem struct {
	ID      ID              `json:"id"`
	Type    string          `json:"type"`
	Chat    ChatStatusCard  `json:"chat"`
	FromApp *AppTracking    `json:"fromApp"`
	Error   json.RawMessage `json:"error"`
	Time    int64           `json:"time"`
	// Played tells of a viewed message, which was told before, that it was listened to or
	// watched, too.
	Played bool `json:"played,omitempty"`
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
	// Error is the reason why an edit or a deletion of ours failed, after which the
	// message has its previous content again; otherwise null.
	Error *SendError `json:"error"`
	// Cause says why the content is another one, when nobody edited it: CauseFile or
	// CauseArrived.
	Cause  string         `json:"cause,omitempty"`
	Origin *MessageOrigin `json:"origin,omitempty"`
	// Arrived is the whole message, with CauseArrived, and when it could not be read before.
	Arrived *MessageItem `json:"arrived,omitempty"`

	whole bool // Arrived is wanted, whatever the cause
}

// MessageDeleteItem is the item of messageDelete.
type MessageDeleteItem struct {
	ID      ID      `json:"id"`
	Time    int64   `json:"time"` // of the deletion
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`

	Origin *MessageOrigin `json:"origin,omitempty"` // absent: the message never was here
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

// otherLID returns the chat's LID, or nil when that is its only id.
func otherLID(c *models.Chat) *string {
	if c.LID == nil || *c.LID == c.ExternalID {
		return nil
	}
	return c.LID
}
