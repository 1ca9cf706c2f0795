package models

// CallbackURL is a URL to which the events of a line, or of a company, are posted.
type CallbackURL struct {
	ID             int64
	CompanyID      int64
	LicenseID      *int64 // nil: of the company
	MessengerType  *string
	ParentID       *int64 // set for the dry run of another one
	UntilSeq       int64  // of a dry run: its last event
	URL            string
	Secret         string
	OldSecret      string // signs too, until OldSecretUntil; empty: none
	OldSecretUntil int64
	Events         string // JSON arrays; an empty one selects all
	Lines          string
	Chats          string
	FormerChats    string // JSON: ids that the chats had before
	Generation     int64  // rises with each change by a person
	CreatedAt      int64
	LeaseOwner     string // the process that delivers; empty: none
	LeaseEpoch     int64  // rises with each change of LeaseOwner
	Format         string // in whose words; empty: as callback URLs have them
	PublicID       string // a UUID; empty: of the callback URL, and of dry runs
	Options        string // JSON, of the format; empty: none
	Enabled        bool   // nothing is sent to one that is not

	CallbackProgress
}

// TableName returns the table's name.
func (CallbackURL) TableName() string { return "callback_urls" }

// CallbackProgress is how far the deliveries to a URL have got.
type CallbackProgress struct {
	CursorSeq      int64  // the last event that is done with
	Failures       int64  // in a row
	FailingSinceMS int64  `gorm:"column:failing_since_ms"` // 0: the last attempt succeeded
	NextAtMS       int64  `gorm:"column:next_at_ms"`       // of the next attempt
	LastError      string // of the last failure
	SuspendedAt    int64  // 0: not suspended
	LostFrom       int64  // the last gap; 0: there was none
	LostTo         int64
	LostAt         int64
	CursorPart     int64  // requests of the event behind the cursor that are done with
	CursorList     string // the list of requests of that event, in which CursorPart counts; empty: not known
	HeadTries      int64  // attempts at the next request, in vain
	HeadSinceMS    int64  `gorm:"column:head_since_ms"` // when the first of them began
	GivenUp        int64  // requests that were
}

// Kinds of a CallbackDelivery.
const (
	CallbackEvent      = "event"
	CallbackRedelivery = "redelivery"
	CallbackDryRun     = "dryRun"
	CallbackLost       = "lost"
	CallbackGivenUp    = "givenUp" // an event that will not be tried again by itself
	CallbackLive       = "live"    // what is not in the journal: codes, and who types
)

// CallbackDelivery is an attempt to post an event to a URL, or a gap.
type CallbackDelivery struct {
	ID         int64
	CallbackID int64
	Kind       string
	Seq        int64 // of a gap the first event
	UntilSeq   int64 // of a gap the last event
	Part       int64 // of the requests of the event, from 0
	Name       string
	Attempt    int64
	Status     int64 // 0: no answer came
	Reason     string
	Error      string
	DurationMS int64 `gorm:"column:duration_ms"`
	Answer     string
	AtMS       int64 `gorm:"column:at_ms"`
}

// TableName returns the table's name.
func (CallbackDelivery) TableName() string { return "callback_deliveries" }
