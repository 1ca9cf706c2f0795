package crm

import "encoding/json"

// InboundBatch holds the news from one event of a connector's messenger: a message, a
// receipt, a part of the history. Ingest applies all of it or nothing. The program of
// a bridge posts an InboundRequest instead, which has the parts that a user may write.
type InboundBatch struct {
	// History marks a batch of past events, from before the account was connected. Its
	// messages, statuses and names are stored, but it causes no events, no unread
	// messages and no windows, and reopens no chat. Known data stays as it is. Only dialects are told
	// what is new: see EventPast.
	History bool
	// Part is what the messenger says of the part of the history that the batch is of.
	Part HistoryPart

	Aliases  []InboundAlias // applied first, because the other parts may use either id
	Contacts []InboundUser  // names that people gave themselves
	Labels   []InboundLabel
	Chats    []InboundChat // names and pictures of chats; only of known ones and those that Messages create
	Messages []InboundMessage
	Edits    []InboundEdit
	Deletes  []InboundDelete
	Statuses []InboundStatus // the chat may be absent; a message is then found by its id
	Reads    []InboundRead
	Tags     []InboundTag
	Archives []InboundArchive
	States   []InboundChatState
	Calls    []InboundCall
	Gone     []InboundChat // the account's owner deleted them on the phone; the company keeps them
	Groups   []InboundGroup
	// AllGroups are the ids of all groups that the account is in, after Groups has told of
	// them: it is no longer in others. nil: not known.
	AllGroups []ID
}

// HistoryPart is a part of the history, as the messenger brings it.
type HistoryPart struct {
	Latest   bool   // it is the first one, with the newest messages
	Progress *int64 // how much of the history came with it, in percent; nil: not told
}

// InboundAlias states that a phone number and a LID belong to one person. It joins the
// existing chats and contacts. For later ones the connector must remember it, and name
// both ids in its batches (InboundChat.LID, Phone).
type InboundAlias struct {
	Phone ID // digits, or ...@c.us
	LID   ID // ...@lid; may be empty beside Typed
	// Typed is a number that somebody typed for this one, when the messenger knows the
	// person by Phone. Its chat is joined too, and is found by either number afterwards.
	Typed ID
}

// InboundEdit is a new content of a message. Only its author may edit it: FromMe and
// By identify the editor.
type InboundEdit struct {
	ID      ID
	Chat    InboundChat
	FromMe  bool
	By      ID      // in groups, the editor; ignored in private chats
	Type    string  // of the new content; text when empty
	Message Content // the new Text of a text message, or the new Caption of another
	Time    *int64  // unix seconds; now when nil
}

// InboundDelete is a message that was deleted for everyone: by its author, or by an
// admin of its group.
type InboundDelete struct {
	ID     ID
	Chat   InboundChat
	FromMe bool
	By     ID   // in groups, the user who deletes
	Admin  bool // the messenger guarantees that an admin of the group deletes
	Time   *int64
	IfHere bool // nothing is remembered of a message that is not here
	Post   bool // it was posted to everybody, as a status
}

// InboundRead states that the account itself read a chat on another device.
type InboundRead struct {
	Chat InboundChat
	UpTo *ID    // the last message that was read; nil: all messages until Time
	Time *int64 // unix seconds; now when nil
}

// InboundLabel is a label of the account's own catalogue. It is stored as a tag of
// the company.
type InboundLabel struct {
	ID      string
	Name    string
	Color   string // "#" and hex digits; empty: unchanged
	Deleted bool
	Time    *int64 // unix seconds; now when nil
}

// InboundTag states that a label was put on a chat or taken off.
type InboundTag struct {
	Chat  InboundChat
	Label string // the label's id
	Added bool
	Time  *int64 // unix seconds; now when nil
}

// InboundArchive states that a chat was put into the account's archive, which closes
// it, or taken out, which opens it.
type InboundArchive struct {
	Chat     InboundChat
	Archived bool
}

// RemoteFile is an attachment that is still with the messenger. Its message is stored
// without waiting for it, and the file is fetched afterwards (see FilesToFetch).
type RemoteFile struct {
	Name     string
	MimeType string
	Size     *int64          // as announced; nil: not known
	Preview  FilePreview     // as announced
	Source   json.RawMessage // the connector's own data about where it lies; never shown
}

// InboundResult holds the result of each part of an InboundBatch, in the same order.
type InboundResult struct {
	Messages []InboundMessageResult
	Statuses []InboundStatusResult
	Edits    []string // results, such as ResultAccepted
	Deletes  []string
	Reads    []string
	Tags     []string
	Archives []string
	States   []string
	Calls    []string
}

// Further results of the parts of an InboundBatch.
const (
	ResultReplaced = "replaced" // of a message: it replaced a placeholder
	ResultRefused  = "refused"  // of an edit or delete: the message has another author
)

// Type and subtypes of a placeholder for a message that could not be read. When the
// message arrives again with the same id and can be read, it replaces the placeholder.
const (
	MessageUnknown       = "unknown"
	SubtypeUndecryptable = "undecryptable"
	SubtypeViewOnce      = "viewOnce" // only the phone may show it, unless it sends a copy
)
