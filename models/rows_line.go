package models

// The rows of lines with an account of their own.

// Kinds of outbox items.
const (
	OutMessage = "message"
	OutEdit    = "edit"
	OutDelete  = "delete"
	OutRead    = "read"
)

// OutboxItem is an action of an operator that the messenger has not performed yet.
type OutboxItem struct {
	ID            int64
	LicenseID     int64
	MessengerType string
	ChatID        int64
	Kind          string
	MessageID     *int64
	Payload       string // JSON
	FirstContact  bool   `gorm:"column:cold"` // the first message of a chat
	CreatedAt     int64
	Deadline      int64
	NotBefore     int64
	Held          bool // NotBefore ends when the person writes: it is not of a failed attempt
	Attempts      int64
	StartedAt     int64 // start of the current attempt; 0: none
	LastError     string
}

// TableName returns the table's singular name: the outbox.
func (OutboxItem) TableName() string { return "outbox" }

// FirstContact records that a line wrote first to somebody.
type FirstContact struct {
	ID            int64
	LicenseID     int64
	MessengerType string
	At            int64
	ChatID        *int64 // nil: not known
	MessageID     *int64 // of the first message, until it was delivered
	TextHash      int64  // of what it says; 0: nothing that can be compared
	BegunAt       int64  // when the first attempt to send it began; 0: none did
}

// TableName returns the table's name.
func (FirstContact) TableName() string { return "cold_contacts" }

// MessengerSession is the state of a line with an account of its own, and the process
// that serves the line.
type MessengerSession struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	State         string
	Device        string
	Phone         string
	Detail        string
	BannedUntil   *int64
	// RestrictedUntil is until when the account may not write to strangers.
	RestrictedUntil *int64
	Rating          string // how safely the account may write to strangers
	RatingReasons   string // JSON
	PhoneSeenAt     int64  // when the account's phone was last connected; 0: not known
	VersionKnownAt  int64  // when the messenger last told its current version; 0: not known
	Paired          bool
	LostAtMS        int64  `gorm:"column:lost_at_ms"` // since when the account is not connected while it is tried; 0: it is, or is not tried
	LossTold        bool   // that has taken too long, and was told
	EndedState      string // how the account was last disconnected for long; empty: it never was
	EndedDetail     string
	EndedAtMS       int64 `gorm:"column:ended_at_ms"`
	LeaseOwner      string
	LeaseUntilMS    int64 `gorm:"column:lease_until_ms"`
	UpdatedAt       int64 `gorm:"autoUpdateTime:false"`
}

// LineLabel is a label of a line's own account, and the tag that represents it.
type LineLabel struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	Label         string `gorm:"primaryKey"`
	TagID         int64
	Made          bool // the tag was created for the label
}

// LineDay counts what became of the messages of a line to strangers on one day, and what
// the messenger said about its account.
type LineDay struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	Day           int64  `gorm:"primaryKey;autoIncrement:false"`
	Sent          int64
	Delivered     int64
	NotThere      int64
	RefusedLock   int64
	RefusedNoLink int64
	Forbidden     int64
	Locks         int64
	Bans          int64
	Blocks        int64
	Checked       int64 // numbers that the messenger was asked about
	CheckedAbsent int64 // of them, those that do not use it
}
