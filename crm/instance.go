package crm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"chatcast/models"
)

// An instance is what the clients of other dialects (Evolution API, l2msg, MultiWA) call a line:
// it gives the line a UUID, a name that is unique in the company, and a way of being answered.
// Each line has one from the moment it is made until it is deleted.

// Shapes of the answers and events of an instance.
const (
	ShapeV2    = "v2"
	ShapeV1    = "v1"
	ShapeL2msg = "l2msg"
)

// ValidShape reports whether the text names a shape.
func ValidShape(shape string) bool {
	return shape == ShapeV2 || shape == ShapeV1 || shape == ShapeL2msg
}

// Limits of an instance.
const (
	maxEventNames = 100
	maxEventName  = 64
	maxWavoip     = 200
	maxWebhookURL = 2048
)

// instanceName is what names of instances look like; namespaces of Socket.IO are named like them.
var instanceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$`)

// Instance is the instance of a line.
type Instance struct {
	ID, Name    string
	CompanyID   int64
	Line        Line
	Shape       string
	Settings    InstanceSettings
	Websocket   InstanceEvents
	Webhook     *InstanceWebhook // nil: none
	ProfileName string           // the account's own name; empty: not known
	PictureURL  string           // of the account, at its messenger, for some days; empty: none, or not known
	About       string           // the account's text about itself; empty: none, or not known
	Number      string           // the phone number it was created with; empty: none
	Proxy       string           // with *** for its password; empty: none, or not for the actor to see
	CreatedAt   time.Time
	UpdatedAt   time.Time

	ownLicense bool   // the licence was created for it
	token      string // of a new one: the key to keep; empty: none
}

// InstanceSettings is how a line behaves towards clients of other dialects. RejectCall and
// MsgCall are those of LineSettings.
type InstanceSettings struct {
	RejectCall      bool   `json:"-"`
	MsgCall         string `json:"-"`                         // sent to people whose call was rejected; empty: nothing is
	GroupsIgnore    bool   `json:"groupsIgnore,omitempty"`    // nothing of groups reaches the dialects' clients
	AlwaysOnline    bool   `json:"alwaysOnline,omitempty"`    // the account is shown as online while it is connected
	ReadMessages    bool   `json:"readMessages,omitempty"`    // what comes is marked as read at once
	ReadStatus      bool   `json:"readStatus,omitempty"`      // the same for what people post as their status
	SyncFullHistory bool   `json:"syncFullHistory,omitempty"` // the phone is asked for all of its history when it is paired
	WavoipToken     string `json:"wavoipToken,omitempty"`     // kept for clients that read it again; it has no effect
	Online          bool   `json:"online,omitempty"`          // as AlwaysOnline, for clients that set presences
}

// InstanceEvents says which events the sockets of an instance get.
type InstanceEvents struct {
	Enabled bool     `json:"enabled"`
	Events  []string `json:"events"` // empty: all
}

// InstanceWebhook is the webhook of an instance.
type InstanceWebhook struct {
	Enabled   bool              `json:"enabled"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers,omitempty"`
	ByEvents  bool              `json:"byEvents"` // the name of the event ends the URL
	Base64    bool              `json:"base64"`   // files are in the body
	Events    []string          `json:"events"`   // empty: all
	CreatedAt time.Time         `json:"createdAt"`
	UpdatedAt time.Time         `json:"updatedAt"`
}

// allEvents is what the sockets of a new instance get.
var allEvents = InstanceEvents{Enabled: true, Events: []string{}}

// CheckInstanceName returns an error about the field unless name may name an instance.
func CheckInstanceName(field, name string) error {
	switch {
	case name == "ws" || name == "socket.io": // paths and namespaces of the dialects
		return Invalid(field, "must not be %s", name)
	case !instanceName.MatchString(name):
		return Invalid(field, "must be 1 to 100 letters, digits, spaces and any of . _ @ -, a letter or digit first")
	}
	return nil
}

// check returns what is wrong with events.
func (e InstanceEvents) check(field string) error { return checkEventNames(field, e.Events) }

func checkEventNames(field string, names []string) error {
	if len(names) > maxEventNames {
		return Invalid(field, "must be at most %d names", maxEventNames)
	}
	for i, name := range names {
		if err := checkRequired(fmt.Sprintf("%s[%d]", field, i), name, maxEventName); err != nil {
			return err
		}
	}
	return nil
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// instance returns the instance of a row, without what LineSettings holds of it.
func instance(row *models.Instance) (*Instance, error) {
	i := &Instance{
		ID: row.ID, Name: row.Name, CompanyID: row.CompanyID, Line: Line{LicenseID: row.LicenseID, Messenger: row.MessengerType},
		Shape:       row.Shape,
		ProfileName: row.ProfileName, PictureURL: row.PictureURL, About: row.About, Number: row.Number,
		CreatedAt: time.UnixMilli(row.CreatedAtMS).UTC(), UpdatedAt: time.UnixMilli(row.UpdatedAtMS).UTC(),
	}
	err := errors.Join(json.Unmarshal([]byte(row.Settings), &i.Settings), json.Unmarshal([]byte(row.Websocket), &i.Websocket))
	if row.Webhook != "" {
		i.Webhook = &InstanceWebhook{}
		err = errors.Join(err, json.Unmarshal([]byte(row.Webhook), i.Webhook))
	}
	if err != nil {
		return nil, fmt.Errorf("crm: the instance %s is stored in a wrong form: %w", row.ID, err)
	}
	return i, nil
}

// store writes the instance into its row.
func (i *Instance) store(row *models.Instance) error {
	settings, err := json.Marshal(i.Settings)
	events, err2 := json.Marshal(i.Websocket)
	row.Name, row.Shape, row.Settings, row.Websocket, row.Webhook = i.Name, i.Shape, string(settings), string(events), ""
	if i.Webhook == nil {
		return errors.Join(err, err2)
	}
	hook, err3 := json.Marshal(i.Webhook)
	row.Webhook = string(hook)
	return errors.Join(err, err2, err3)
}

// withLineSettings adds what LineSettings holds of the instance.
func (i *Instance) withLineSettings(tx *models.Tx) (*Instance, error) {
	row, err := tx.LineSettings(i.Line.LicenseID, i.Line.Messenger)
	if err != nil {
		return nil, err
	}
	i.Settings.RejectCall, i.Settings.MsgCall = row.RejectCalls, row.RejectText
	return i, nil
}

// mayUse returns a not-found error unless the actor has any right on the instance's line: who has
// none, is not told that there is one.
func mayUse(tx *models.Tx, a Actor, row *models.Instance) (*models.Access, error) {
	acc, err := tx.LineAccess(a.UserID, row.LicenseID, row.MessengerType)
	if err == nil && !mayUseAny(acc) {
		err = models.ErrNotFound
	}
	return acc, orNotFound(err, "instance")
}

// mayUseAny reports whether an access has any right; nil has none.
func mayUseAny(acc *models.Access) bool {
	return acc != nil && (acc.Read || acc.Write || acc.Manage || acc.Inbound)
}

// shown returns an instance as the actor may see it.
func shown(tx *models.Tx, a Actor, row *models.Instance) (*Instance, error) {
	acc, err := mayUse(tx, a, row)
	if err != nil {
		return nil, err
	}
	set, err := tx.LineSettings(row.LicenseID, row.MessengerType)
	if err != nil {
		return nil, err
	}
	return shownTo(acc, row, set)
}

// shownTo returns an instance as who has the access may see it, with what the line's settings hold
// of it; nil: there are none. The address of a webhook and its headers are secrets of its receiver,
// and so is the token that clients keep: only who may set them sees them, as for the texts of
// LineSettings.
func shownTo(acc *models.Access, row *models.Instance, set *models.LineSettings) (*Instance, error) {
	i, err := instance(row)
	if err != nil {
		return nil, err
	}
	if set != nil {
		i.Settings.RejectCall, i.Settings.MsgCall, i.Proxy = set.RejectCalls, set.RejectText, maskedProxy(set.Proxy)
	}
	if hooks.allowed(acc) != nil {
		i.Webhook = nil
	}
	if manage.allowed(acc) != nil {
		i.Settings.WavoipToken, i.Settings.MsgCall, i.Proxy = "", "", ""
	}
	return i, nil
}

// Instance returns the instance with this name, of a company that the actor belongs to. One whose
// line the actor may not use is not found.
func (s *Service) Instance(ctx context.Context, a Actor, name string) (*Instance, error) {
	tx := s.Store.Read(ctx)
	row, err := instanceNamed(tx, a, name)
	if err != nil {
		return nil, err
	}
	return shown(tx, a, row)
}

// InstanceByID returns the instance with this id. One whose line the actor may not use is not
// found.
func (s *Service) InstanceByID(ctx context.Context, a Actor, id string) (*Instance, error) {
	tx := s.Store.Read(ctx)
	if len(id) != len("00000000-0000-0000-0000-000000000000") || checkText("id", id, maxName) != nil { // no text that a database refuses
		return nil, notFound("instance")
	}
	row, err := tx.InstanceByID(id)
	if err != nil {
		return nil, orNotFound(err, "instance")
	}
	return shown(tx, a, row)
}

// InstanceOf returns the instance of a line, also one that the directory does not know yet. One
// whose line the actor may not use is not found.
func (s *Service) InstanceOf(ctx context.Context, a Actor, on Line) (*Instance, error) {
	tx := s.Store.Read(ctx)
	row, err := tx.InstanceOf(on.LicenseID, on.Messenger)
	if err != nil {
		return nil, orNotFound(err, "instance")
	}
	return shown(tx, a, row)
}

// instanceNamed returns the row of the instance with this name that the actor may use.
func instanceNamed(tx *models.Tx, a Actor, name string) (*models.Instance, error) {
	if CheckInstanceName("name", name) != nil {
		return nil, notFound("instance")
	}
	companies, err := tx.CompaniesOf(a.UserID)
	if err != nil {
		return nil, err
	}
	for _, id := range companies {
		row, err := tx.InstanceNamed(id, name)
		if err == nil {
			_, err = mayUse(tx, a, row)
		}
		if err == nil {
			return row, nil
		}
		if !errors.Is(err, models.ErrNotFound) && !isNotFound(err) {
			return nil, err
		}
	}
	return nil, notFound("instance")
}
