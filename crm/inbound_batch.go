package crm

import "encoding/json"

// InboundBatch is what a connector learned from one event of its messenger: a
// message, a receipt, a part of the history. Ingest applies all of it or nothing.
// The program of a bridge posts an InboundRequest instead, which has the parts that
// a user may write.
type InboundBatch struct {
	// History says that this happened before we were there: messages, statuses,
	// names are kept, nothing is told of, nothing is unread, no window opens and
	// no chat reopens. What is known already stays as it is.
	History bool

	Aliases  []InboundAlias // first: everything after may come under either id
	Contacts []InboundUser  // names that people gave themselves
	Labels   []InboundLabel
	Chats    []InboundChat // names and pictures of chats; of those alone that are known, or that Messages make
	Messages []InboundMessage
	Edits    []InboundEdit
	Deletes  []InboundDelete
	Statuses []InboundStatus // the chat may be left out: a message is then found by its id
	Reads    []InboundRead
	Tags     []InboundTag
	Archives []InboundArchive
}

// InboundAlias says that a phone number and a LID are one person's. It joins the
// chats and contacts that there are; for later ones the connector keeps it itself, and
// names both ids in its batches (InboundChat.LID, Phone).
type InboundAlias struct {
	Phone ID // digits, or ...@c.us
	LID   ID // ...@lid
}

// InboundEdit is a message that says something else now. Only its author may
// edit it: FromMe and By say who did.
type InboundEdit struct {
	ID      ID
	Chat    InboundChat
	FromMe  bool
	By      ID      // in groups, who edits; of others ignored
	Type    string  // of what it says now; text when empty
	Message Content // a text message's Text, another's Caption
	Time    *int64  // unix seconds; now when nil
}

// InboundDelete is a message that was deleted for all, by its author, or in a
// group by one of its admins.
type InboundDelete struct {
	ID     ID
	Chat   InboundChat
	FromMe bool
	By     ID   // in groups, who deletes
	Admin  bool // the messenger vouches for it that an admin of the group deletes
	Time   *int64
}

// InboundRead is that the account itself read a chat on another device.
type InboundRead struct {
	Chat InboundChat
	UpTo *ID    // the last message that was read; nil: all until Time
	Time *int64 // unix seconds; now when nil
}

// InboundLabel is a label of the account's own catalogue, kept as a tag of the
// company.
type InboundLabel struct {
	ID      string
	Name    string
	Color   string // "#" and hex digits; empty: as it was
	Deleted bool
}

// InboundTag is a label put on a chat, or taken off.
type InboundTag struct {
	Chat  InboundChat
	Label string // the label's id
	Added bool
}

// InboundArchive is a chat that was put into the account's archive, or taken out:
// it closes or opens.
type InboundArchive struct {
	Chat     InboundChat
	Archived bool
}

// RemoteFile is an attachment that lies with the messenger still: its message is
// stored without waiting for it, and it is fetched afterwards (see FilesToFetch).
type RemoteFile struct {
	Name     string
	MimeType string
	Size     *int64          // as announced; nil: not known
	Source   json.RawMessage // the connector's own note of where it lies; never shown
}

// InboundResult holds the result of each part of an InboundBatch, in its order.
type InboundResult struct {
	Messages []InboundMessageResult
	Statuses []InboundStatusResult
	Edits    []string // results
	Deletes  []string
	Reads    []string
	Tags     []string
	Archives []string
}

// More results, of the parts of an InboundBatch.
const (
	ResultReplaced = "replaced" // of a message: it replaced its placeholder
	ResultRefused  = "refused"  // of an edit or delete: the message is somebody else's
)

// Type and subtypes of a message that could not be read. When it arrives again
// under its id and can be read, it takes the placeholder's place.
const (
	MessageUnknown       = "unknown"
	SubtypeUndecryptable = "undecryptable"
	SubtypeViewOnce      = "viewOnce" // the phone alone may show it
)
