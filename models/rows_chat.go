package models

import "cmp"

// Contact is a person that a line knows.
type Contact struct {
	ID            int64
	LicenseID     int64
	MessengerType string
	ExternalID    string
	LID           *string `gorm:"column:lid"`
	Name          string
	Username      *string
	Phone         *string
	Image         *string
	CreatedAt     int64
	Folded        string  // what searches compare; set by whatever saves the row
	MessengerName *string // the messenger's name, while Name is one that an employee gave
	Blocked       bool    // by the line's account
	BusinessName  *string // that the messenger has verified
}

// Chat statuses, chat types and the parts that employees have in a chat.
const (
	ChatOpen       = "open"
	ChatClose      = "close"
	ChatPrivate    = "private"
	ChatGroup      = "group"
	ChatChannel    = "channel" // can only be read
	PartAccomplice = "accomplice"
	PartAuditor    = "auditor"
)

// Chat is a conversation on a line.
type Chat struct {
	ID                int64
	CompanyID         int64
	LicenseID         int64
	MessengerType     string
	ExternalID        string  // the wire's chat.id
	LID               *string `gorm:"column:lid"` // WhatsApp's other id of the same chat
	TypedID           *string // the id that an operator typed, when WhatsApp answers another one
	Hash              string
	Type              string
	Phone             *string
	Username          *string
	Name              string
	Image             *string
	Status            string
	ResponsibleID     *int64
	ResponsiblePinned bool
	ProducerID        *int64
	LevelID           *int64
	Process           *string
	Unread            int64
	LastTime          int64
	WindowID          *string
	WindowType        *string // UIC or BIC
	WindowStart       *int64
	WindowEnd         *int64
	DisappearsAfter   int64  // seconds after which messages disappear from phones; 0: never
	DisappearsSince   int64  // when that was set
	DisappearsMode    string // how, in the connector's own terms
	CreatedAt         int64
	Folded            string  // what searches compare; set by whatever saves the row
	MessengerName     *string // the messenger's name, while Name is one that an employee gave
	PictureID         string  // the messenger's id of the picture
	PictureState      string  // shown, none or hidden; empty: it was not asked
	PictureAt         int64   // when it was last asked; 0: never
	Archived          bool    // this and the next three: how the account's phone arranges it
	Pinned            bool
	MutedUntil        int64 // unix seconds; 0: it is not muted; -1: for ever
	MarkedUnread      bool
}

// ChatMember is an employee with a part in a chat besides the responsible.
type ChatMember struct {
	ChatID int64  `gorm:"primaryKey"`
	UserID int64  `gorm:"primaryKey"`
	Part   string `gorm:"primaryKey"`
}

// ChatTag is a tag on a chat.
type ChatTag struct {
	ChatID int64 `gorm:"primaryKey"`
	TagID  int64 `gorm:"primaryKey"`
}

// States of a File that is not in the file store.
const (
	FilePending  = "pending"
	FileFailed   = "failed"
	FileExpired  = "expired"
	FileTooLarge = "tooLarge"
)

// File is a stored attachment. Its bytes are in the file store under StoredID, unless
// it has a State.
type File struct {
	ID        string
	LicenseID int64
	ChatID    int64
	Name      string
	Size      int64 // bytes; as announced while the file is not in the file store
	MimeType  string
	CreatedAt int64
	State     string
	MessageID *int64  // set when the file was announced before it came
	Source    *string // where to fetch it, in the connector's own terms
	Attempts  int64
	NotBefore int64
	StoredAs  string // the id in the file store, when it is not ID
	DeletedAt *int64 // when its message was deleted: nobody may have it since
	Picture   bool   // it is the picture of the chat
}

// StoredID returns the id under which the file is in the file store.
func (f *File) StoredID() string { return cmp.Or(f.StoredAs, f.ID) }

// Message statuses in their order; failed is final. A status never goes back.
const (
	StatusNone      = ""
	StatusSent      = "sent"
	StatusDelivered = "delivered"
	StatusViewed    = "viewed"
	StatusFailed    = "failed"
)

// SubtypeStatus is the subtype of what somebody posted as their status, for everybody who
// has their number.
const SubtypeStatus = "status"

// Message is one message of a chat. ID is the wire's internalId.
type Message struct {
	ID               int64
	ChatID           int64
	ExternalID       string
	FromMe           bool
	FromAPI          bool `gorm:"column:from_api"`
	Time             int64
	IsForwarded      bool
	Type             string
	Subtype          *string
	Content          string // JSON, the wire's message object
	QuotedExternalID *string
	Quote            *string // JSON: the quoted message as the messenger told it, when its row is not here
	UTM              *string `gorm:"column:utm"` // JSON
	Author           string  // JSON, the wire's fromUser object
	AppID            *string
	Tracking         *string
	CreatedBy        *int64
	Status           string
	StatusTime       *int64
	Played           bool    // one of ours that was viewed was listened to or watched, too
	Error            *string // JSON
	EditedAt         *int64
	DeletedAt        *int64
	CreatedAt        int64
	Aside            bool // a reaction, a vote: it is shown, but does not count as a message
}
