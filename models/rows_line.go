package models

// The rows of lines with an account of their own.

// Kinds of the outbox.
const (
	OutMessage = "message"
	OutEdit    = "edit"
	OutDelete  = "delete"
	OutRead    = "read"
)

// OutboxItem is something that an operator did and the messenger has not done
// yet.
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
	Attempts      int64
	StartedAt     int64 // of the attempt that goes on; 0: none does
	LastError     string
}

// TableName is the table's singular name: the outbox.
func (OutboxItem) TableName() string { return "outbox" }

// FirstContact is that a line wrote first to somebody.
type FirstContact struct {
	ID            int64
	LicenseID     int64
	MessengerType string
	At            int64
}

// TableName is the table's name.
func (FirstContact) TableName() string { return "cold_contacts" }

// MessengerSession is how a line with an account of its own stands, and which
// process serves it.
type MessengerSession struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	State         string
	Device        string
	Phone         string
	Detail        string
	BannedUntil   *int64
	Paired        bool
	LeaseOwner    string
	LeaseUntilMS  int64 `gorm:"column:lease_until_ms"`
	UpdatedAt     int64 `gorm:"autoUpdateTime:false"`
}

// LineLabel is a label of a line's own account, and the tag that it is kept as.
type LineLabel struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	Label         string `gorm:"primaryKey"`
	TagID         int64
	Made          bool // the tag was made for the label
}
