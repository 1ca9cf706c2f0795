package models

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

// User is a person who signs in, or stands for a key. Their employments determine what they
// may do; that of a key, its row.
type User struct {
	ID           int64
	Email        string // lower case
	Name         string
	PasswordHash string
	CompanyID    *int64 // the company that created the account, or invited its person
	CreatedAt    int64
	DisabledAt   int64 // 0: may sign in
	CutOff       int64 // number of the last command that ended the user's sockets

	CutOffSession int64 // id of the last session that there was then

	PasswordKnown bool // somebody else chose or saw the password
	OfKey         bool // is no person, but stands for an APIKey
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
	Bridge    bool // a program of the user's own has called POST L/inbound
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
