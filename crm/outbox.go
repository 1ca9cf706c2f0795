package crm

import "time"

// Kinds of things that go out.
const (
	OutMessage = "message"
	OutEdit    = "edit"
	OutDelete  = "delete"
	OutRead    = "read"
)

// Queued is a Messenger that takes what we do from the outbox: a row that is
// written in the transaction of the action, so that what was accepted is sent,
// whatever happens in between. Lines that were never paired have no outbox: they
// are bridges (see LineSession).
type Queued interface {
	Messenger
	// Queue tells, after the commit, that there is more in the line's outbox. It
	// does not block and may be called for lines of other nodes.
	Queue(l Line)
}

// OutboxItem is one thing to do outside. Things of one chat are done in the order
// of their ids, one after the other.
type OutboxItem struct {
	ID   int64
	Line Line
	Kind string // message, edit, delete, read

	ChatID string // on the wire: ...@c.us, ...@g.us, ...@lid
	LID    string // the private chat's other id; empty: not known
	Group  bool

	Message  *MessageRef  // of message: what to send. Of edit: as it is now. Of delete: which
	Quoted   *MessageRef  // of message: what it answers
	Reaction *MessageRef  // of a message that is a reaction: on what
	Reads    []MessageRef // of read: the messages that were unread, oldest first

	CreatedAt    time.Time
	Deadline     time.Time // afterwards it has failed
	NotBefore    time.Time // zero: now
	Attempts     int       // begun, this one included
	LastError    string
	FirstContact bool // of message: nobody has written to us in this chat, nor we there before
}

// MessageRef is a message as a connector needs it. Files of ours have FileID set, and
// are opened with OpenStored; others have an address in Content.File.Link.
type MessageRef struct {
	ID       string
	FromMe   bool
	AuthorID string // who wrote it; of our own, the account's or an employee's
	Time     int64
	Type     string
	Subtype  string
	Content  Content
	FileID   string
	Quoted   string // the id of the message that it answers

	previous previousContent // as it is kept: what an attempt takes outside
}

// Statuses of an Outcome.
const (
	OutSent   = "sent"
	OutFailed = "failed"
	OutRetry  = "retry" // not yet: again after NotBefore
)

// Outcome is what became of an OutboxItem.
type Outcome struct {
	Status    string
	Error     *SendError // of failed; of retry what it is that hinders
	Time      time.Time  // when; now when zero
	NotBefore time.Time
}

// SendError is why a message was not sent, as messageStatus shows it.
type SendError struct {
	Code    string `json:"code"`    // for a program: "not_on_whatsapp", "deadline", ...
	Message string `json:"message"` // a sentence for a person
}

// Codes of SendError that the rules give themselves.
const (
	SendDeadline  = "deadline"   // its time was over before it could be sent
	SendLoggedOut = "logged_out" // the account's session ended
)
