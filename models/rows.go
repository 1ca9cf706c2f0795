package models

import "cmp"

// The rows, as the tables of migrations/ have them. Times are unix seconds unless the
// name says otherwise. A pointer is a nullable column. The types of the wire are in
// crm.

// Setting is a value that the program generated once and must keep.
type Setting struct {
	Name  string `gorm:"primaryKey"`
	Value string
}

// Company owns its data: none of it is ever visible to another company.
type Company struct {
	ID          int64
	Name        string
	CreatedAt   int64
	RequireTOTP bool `gorm:"column:require_totp"` // its people need a second factor
}

// User is a person who signs in. Their employments determine what they may do.
type User struct {
	ID           int64
	Email        string // lower case
	Name         string
	PasswordHash string
	CompanyID    *int64 // the company that created the account, or invited its person
	CreatedAt    int64
	DisabledAt   int64 // 0: may sign in
	CutOff       int64 // number of the last command that ended the user's sockets

	PasswordKnown bool // somebody else chose or saw the password
}

// Roles of an employee.
const (
	RoleOwner    = "owner"
	RoleAdmin    = "admin"
	RoleOperator = "operator"
)

// Employee is a user in a company.
type Employee struct {
	CompanyID int64 `gorm:"primaryKey"`
	UserID    int64 `gorm:"primaryKey"`
	Role      string
	OnlyMine  bool // sees only chats that they or nobody is responsible for
	Online    bool
	Workday   string // start or end
	CreatedAt int64
}

// License is a contract of a company; its messengers are the company's lines.
type License struct {
	ID        int64
	CompanyID int64
	Name      string
	CreatedAt int64
}

// Messenger is one line: a messenger type within a licence.
type Messenger struct {
	LicenseID int64  `gorm:"primaryKey"`
	Type      string `gorm:"primaryKey"`
	Name      string
	CreatedAt int64
}

// EmployeeLicense lets an operator read a licence, and write it with CanWrite.
type EmployeeLicense struct {
	UserID    int64 `gorm:"primaryKey"`
	LicenseID int64 `gorm:"primaryKey"`
	CanWrite  bool
}

// Token is a pair of an access and a refresh token, both as hex SHA-256: a session of
// the user. A refresh replaces the pair and keeps the row.
type Token struct {
	ID               int64
	UserID           int64
	AppID            string
	AccessHash       string
	AccessExpiresAt  int64
	RefreshHash      string
	RefreshExpiresAt int64
	CreatedAt        int64
	LastUsedAt       int64
	Address          string // of the sign-in or the last refresh
	UserAgent        string
	Refreshes        int64
}

// TagCategory groups tags of a company.
type TagCategory struct {
	ID        int64
	CompanyID int64
	Name      string
	Sort      int64
}

// Tag is a label for chats.
type Tag struct {
	ID         int64
	CompanyID  int64
	CategoryID *int64
	Name       string
	Color      string
	Sort       int64
}

// Level is a step of the sales funnel.
type Level struct {
	ID        int64
	CompanyID int64
	Name      string
	Sort      int64
}

// QuickResponseList holds prepared answers. Its accesses determine who sees it.
type QuickResponseList struct {
	ID        int64
	CompanyID int64
	Name      string
	Sort      int64
	CreatedBy *int64 // the creator keeps permission w
	CreatedAt int64
}

// QuickResponseAccess lets a user read (r) or also write (w) a list.
type QuickResponseAccess struct {
	ListID     int64 `gorm:"primaryKey"`
	UserID     int64 `gorm:"primaryKey"`
	Permission string
}

// QuickResponse is a prepared answer.
type QuickResponse struct {
	ID       int64
	ListID   int64
	ParentID *int64
	Name     string
	Sort     int64
	Text     string
	Keywords string
	EnableAI bool
}

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
}

// Chat statuses, chat types and the parts that employees have in a chat.
const (
	ChatOpen       = "open"
	ChatClose      = "close"
	ChatPrivate    = "private"
	ChatGroup      = "group"
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
	CreatedAt         int64
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
	UTM              *string `gorm:"column:utm"` // JSON
	Author           string  // JSON, the wire's fromUser object
	AppID            *string
	Tracking         *string
	CreatedBy        *int64
	Status           string
	StatusTime       *int64
	Error            *string // JSON
	EditedAt         *int64
	DeletedAt        *int64
	CreatedAt        int64
}

// IdempotencyKey stores the response to a request that sent something.
type IdempotencyKey struct {
	UserID      int64  `gorm:"primaryKey"`
	Key         string `gorm:"primaryKey"`
	RequestHash string
	Response    string
	CreatedAt   int64
}

// JournalEntry is one event as it was committed. Seq is nil until the relay
// numbers it.
type JournalEntry struct {
	ID          int64
	Seq         *int64
	CompanyID   int64
	Name        string
	Channels    string // JSON array
	Data        string // JSON, without the event id
	CreatedAtMS int64  `gorm:"column:created_at_ms"`

	Messages []int64 `gorm:"-"` // the messages that Data shows; only for AppendJournal
}

// TableName returns the table's singular name: the journal.
func (JournalEntry) TableName() string { return "journal" }
