package crm

// MessageEvent is the item of message.
type MessageEvent struct {
	MessageItem
	MessageNews
}

// MessageNews is what a message changed around it. What did not change is absent.
type MessageNews struct {
	NewChat bool   `json:"newChat,omitempty"`       // it is the first one of its chat
	Unread  *int64 `json:"unread,omitempty"`        // how many messages of the chat are unread now
	Contact string `json:"contactChange,omitempty"` // its author is new to the line, or has changed: new or changed
}

// What a message tells of its author.
const (
	ContactNew     = "new"
	ContactChanged = "changed"
)

// MessageOrigin is what is known of a message that another one, or an event, is about.
type MessageOrigin struct {
	FromMe   bool   `json:"fromMe"`
	Time     int64  `json:"time"` // unix seconds
	Type     string `json:"type"`
	FromUser Author `json:"fromUser"`
}

// Choice is the button or the row of a list that a person chose.
type Choice struct {
	ID string `json:"id"`
}

// Invite is an invitation to a group.
type Invite struct {
	GroupID string `json:"groupId"`
	Code    string `json:"code"`
	Expires int64  `json:"expires,omitempty"` // unix seconds
	Name    string `json:"name"`
	Caption string `json:"caption"`
}

// Causes of a messageEdit that is no edit.
const (
	CauseFile    = "file"    // the file of the message was fetched, or could not be
	CauseArrived = "arrived" // the message could not be decrypted before
)
