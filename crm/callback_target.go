package crm

import (
	"time"

	"chatcast/models"
)

// CallbackTarget is where to post, in which form, and the secret to sign with. It must not be
// printed.
type CallbackTarget struct {
	Format    string // in whose words; empty: in those of callback URLs
	CompanyID int64
	Line      Line            // the zero Line: the lines of the company
	PublicID  string          // a UUID; empty: none
	URL       string          `json:"-"`
	Secret    string          `json:"-"`
	OldSecret string          `json:"-"` // to sign with too; empty: none
	Events    []string        // of a format: names in its words; empty: all
	Options   EndpointOptions `json:"-"`
}

// targetOf returns where to post the events of a row.
func targetOf(row *models.CallbackURL, now time.Time) (to CallbackTarget, err error) {
	to = CallbackTarget{Format: row.Format, CompanyID: row.CompanyID, PublicID: row.PublicID, URL: row.URL, Secret: row.Secret}
	if row.LicenseID != nil {
		to.Line = Line{*row.LicenseID, *row.MessengerType}
	}
	if row.OldSecretUntil > now.Unix() {
		to.OldSecret = row.OldSecret
	}
	if to.Events, to.Options, err = endpointOf(row); err != nil {
		return to, err
	}
	return to, nil
}

// String keeps the URL and the secret from being printed.
func (CallbackTarget) String() string { return "a callback URL" }

// GoString keeps %#v from showing the URL and the secret.
func (t CallbackTarget) GoString() string { return t.String() }

// CallbackEvent is an event that is posted.
type CallbackEvent struct {
	ID   int64 // the event id; 0: it is not in the journal
	Name string
	Body []byte    // {"data":[...],"meta":{...}}
	Line Line      // the zero Line: of no line
	At   time.Time // when it happened
}

// Data returns the event as sockets get it: {"payload":{"data":[...],"meta":{...}}}.
func (ev CallbackEvent) Data() string { return envelopeHead + string(ev.Body) + "}" }

// CallbackTest is the name of the event that people have posted to an endpoint to see whether it
// works. It has no data.
const CallbackTest = "test"

// ErrCallbackNothing is the error when an event is nothing in the words of an endpoint, or the
// endpoint does not want it.
var ErrCallbackNothing = notFound("event of this callback URL")

// CallbackAttempt is how an attempt to post an event went.
type CallbackAttempt struct {
	Began    time.Time
	Duration time.Duration
	Status   int           // 0: no answer came
	Reason   string        // why it failed, in one word; empty: it was delivered
	Error    string        // the same for people; it holds neither URL nor secret
	Answer   string        // the first bytes
	After    time.Duration // the receiver asks to wait so long; 0: it does not
	Gone     bool          // the receiver wants no more events
}
