package crm

import "time"

// Kinds of outbox items.
const (
	OutMessage = "message"
	OutEdit    = "edit"
	OutDelete  = "delete"
	OutRead    = "read"
)

// Queued is a Messenger that takes our actions from the outbox. Each outbox row is
// written in the transaction of its action, so an accepted action is sent whatever
// happens in between. Lines that were never paired are bridges (see LineSession) and
// have no outbox.
type Queued interface {
	Messenger
	// Queue is called after the commit when there is more in the line's outbox. It does
	// not block and may be called for lines of other nodes.
	Queue(l Line)
}

// OutboxItem is one action to perform outside. The items of one chat are performed in
// the order of their ids, one after the other.
type OutboxItem struct {
	ID   int64
	Line Line
	Kind string // message, edit, delete, read

	ChatID string // on the wire: ...@c.us, ...@g.us, ...@lid
	LID    string // the private chat's other id; empty: not known
	Group  bool

	Message  *MessageRef  // message: what to send; edit: its current content; delete: which message
	Quoted   *MessageRef  // message: the message that it answers
	Reaction *MessageRef  // message with a reaction: the message that it is on
	Reads    []MessageRef // read: the messages that were unread, oldest first

	CreatedAt    time.Time
	Deadline     time.Time // afterwards the item has failed
	NotBefore    time.Time // zero: now
	Attempts     int       // attempts begun, including this one
	LastError    string
	FirstContact bool // message: the first one that may reach the person, who has not written
	Answers      bool // a begun message to a person: they have written before
}

// MessageRef is a message as a connector needs it. A file of ours has FileID set and is
// opened with OpenStored; any other file has its address in Content.File.Link.
type MessageRef struct {
	ID       string
	FromMe   bool
	AuthorID string // the author; for our messages, the account or an employee
	Time     int64
	Type     string
	Subtype  string
	Content  Content
	FileID   string
	Quoted   string // the id of the message that it answers

	Disappearing Disappearing // of its chat

	previous previousContent // the stored content, which an attempt sends
}

// Statuses of an Outcome.
const (
	OutSent   = "sent"
	OutFailed = "failed"
	OutRetry  = "retry" // try again after NotBefore
)

// Outcome is the result of an attempt at an OutboxItem.
type Outcome struct {
	Status    string
	Error     *SendError // failed: the reason; retry: what prevented it
	Time      time.Time  // when it happened; zero: now
	NotBefore time.Time
}

// SendError is the reason why a message was not sent, as messageStatus shows it.
type SendError struct {
	Code    string `json:"code"`    // for a program: "not_on_whatsapp", "deadline", ...
	Message string `json:"message"` // a sentence for a person
}

// Codes of SendError that this package sets itself.
const (
	SendDeadline  = "deadline"   // its deadline passed before it could be sent
	SendLoggedOut = "logged_out" // the account's session ended
)

// Codes of SendError that connectors set and that a line is rated by.
const (
	SendNotOnWhatsApp  = "not_on_whatsapp" // the person does not use the messenger
	SendReachoutLocked = "reachout_locked" // the account may not write to the person, who does not seem to know it
	SendForbidden      = "forbidden"       // the account may not write to the chat
)
