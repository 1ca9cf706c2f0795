package crm

import "chatcast/channels"

// Names of the events that only dialects read: clients of the CRM, its streams and its callback URLs
// do not get them. Dialects make events of them that the CRM has no words for. They are on the channels
// of lines, and have schemas in schemas/internal.
const (
	EventPast     = channels.InternalPrefix + "past"
	EventUnseen   = channels.InternalPrefix + "unseen"
	EventTally    = channels.InternalPrefix + "tally"
	EventContact  = channels.InternalPrefix + "contact"
	EventChatGone = channels.InternalPrefix + "chatGone"
)

// UnseenItem is the item of EventUnseen: a message was deleted for everyone that never was here.
type UnseenItem struct {
	ID      ID      `json:"id"`
	Chat    ChatRef `json:"chat"`
	ChatLID *string `json:"chatLid,omitempty"` // the chat's other id, when both are known
	FromMe  bool    `json:"fromMe"`            // it is the account's
	By      *ID     `json:"by,omitempty"`      // in a group, whose message it is; absent: not known
	Post    bool    `json:"post,omitempty"`    // it was posted to everybody, as a status
	Time    int64   `json:"time"`              // unix seconds
}

// TallyItem is the item of EventTally: how a poll stands after a vote.
type TallyItem struct {
	ID      ID            `json:"id"` // of the poll
	Chat    ChatCard      `json:"chat"`
	Origin  MessageOrigin `json:"origin"`
	Status  string        `json:"status"` // of the poll, when it is ours; "": it is on its way
	Time    int64         `json:"time"`   // of the vote, unix seconds
	Options []TallyOption `json:"options"`
}

// TallyOption is an option of a poll with those who choose it now.
type TallyOption struct {
	Name   string  `json:"name"`
	Voters []Voter `json:"voters"`
}

// Voter is a person who voted.
type Voter struct {
	ID     ID      `json:"id"`
	Phone  *string `json:"phone,omitempty"`
	LID    *string `json:"lid,omitempty"`
	FromMe bool    `json:"fromMe,omitempty"` // it is the account
}

// PersonItem is the item of EventContact: a person has another picture.
type PersonItem struct {
	Contact Person `json:"contact"`
}

// ChatGoneItem is the item of EventChatGone: the account's owner deleted a chat on the phone. The
// company keeps it.
type ChatGoneItem struct {
	Chat ChatCard `json:"chat"`
	Time int64    `json:"time"` // unix seconds
}

// emitToDialects emits an event that only dialects read. messages are those whose content it shows.
func (c *change) emitToDialects(companyID int64, on Line, event string, item any, messages ...int64) {
	c.emit(Event{
		Name: event, CompanyID: companyID, Channels: []string{on.Channel()}, Items: []any{item}, Messages: messages,
		Meta: LineMeta{Type: event, LicenseID: on.LicenseID, MessengerType: on.Messenger},
	})
}
