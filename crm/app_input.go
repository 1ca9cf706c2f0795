package crm

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"chatcast/models"
)

// AppInput is a Pusher app to make, or what to change of one: fields that are not
// given stay as they are.
type AppInput struct {
	ID                 Field[string]       `json:"id"`  // of a new one alone; generated when absent
	Key                Field[string]       `json:"key"` // likewise
	Name               Field[string]       `json:"name"`
	Enabled            Field[bool]         `json:"enabled"`
	AllowedOrigins     Field[[]string]     `json:"allowedOrigins"` // the whole list
	ClientEvents       Field[bool]         `json:"clientEvents"`
	SubscriptionCount  Field[bool]         `json:"subscriptionCount"`
	UserAuthentication Field[bool]         `json:"userAuthentication"`
	Limits             Field[LimitChanges] `json:"limits"`   // those that are to change
	Webhooks           Field[[]AppWebhook] `json:"webhooks"` // the whole list
}

// RotateInput says how an app's secret is replaced.
type RotateInput struct {
	KeepOld Field[int64] `json:"keepOld"` // seconds for which the old one is honoured too; DefaultKeepOld when absent
}

const (
	// DefaultKeepOld is for how long a replaced secret is honoured.
	DefaultKeepOld = 24 * time.Hour
	// MaxKeepOld is the longest that one can be.
	MaxKeepOld = 30 * 24 * time.Hour

	maxAppOrigins   = 100
	maxOriginLength = 300
)

// appNameForm is that of ids and keys, which stand in paths.
var appNameForm = regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)

func checkAppName(field string, f Field[string]) error {
	if f.Set && !appNameForm.MatchString(f.Value) {
		return Invalid(field, "must be 1 to 64 letters, digits, - and _, for it stands in paths")
	}
	return nil
}

// newApp is the row of a new app with a secret of its own.
func newApp(in AppInput) (*models.App, error) {
	row := &models.App{
		ID: in.ID.Value, Key: in.Key.Value, Secret: randomToken(), Enabled: true, ClientEvents: true,
		AllowedOrigins: "[]", Limits: "{}", Webhooks: "[]",
	}
	if !in.ID.Set {
		row.ID = randomAppID()
	}
	if !in.Key.Set {
		row.Key = randomAppKey()
	}
	return row, allViolations(checkAppName("id", in.ID), checkAppName("key", in.Key))
}

// randomAppID is ten digits, the first no zero, as other servers' ids look.
func randomAppID() string {
	const low = 1_000_000_000
	n, err := rand.Int(rand.Reader, big.NewInt(9*low))
	if err != nil {
		panic(err) // never: the program would end
	}
	return fmt.Sprint(n.Int64() + low)
}

// randomAppKey is ten random bytes in hex.
func randomAppKey() string {
	var b [10]byte
	rand.Read(b[:]) // never fails: the program would end
	return hex.EncodeToString(b[:])
}

// stays refuses another value for what cannot be changed.
func stays(field string, f Field[string], is string) error {
	if f.Set && (f.Null || f.Value != is) {
		return Invalid(field, "cannot be changed; make another app")
	}
	return nil
}

// apply changes row as in says, and says whether that changed anything.
func (s *Service) apply(row *models.App, in AppInput) (changed bool, err error) {
	r, err := readAppRow(row)
	if err != nil {
		return false, err
	}
	before := *row
	violations := []error{
		in.Name.notNull("name"), checkText("name", in.Name.Value, maxName), in.Enabled.notNull("enabled"),
		in.ClientEvents.notNull("clientEvents"), in.SubscriptionCount.notNull("subscriptionCount"),
		in.UserAuthentication.notNull("userAuthentication"), in.Limits.notNull("limits"),
		in.AllowedOrigins.notNull("allowedOrigins"), in.Webhooks.notNull("webhooks"), r.limits.set(in.Limits.Value),
	}
	if in.AllowedOrigins.Set {
		r.origins, err = s.readOrigins(in.AllowedOrigins.Value)
		violations = append(violations, err)
	}
	if in.Webhooks.Set {
		r.hooks, err = readHooks(in.Webhooks.Value, r.hooks)
		violations = append(violations, err)
	}
	if err := allViolations(violations...); err != nil {
		return false, err
	}
	into(&row.Name, in.Name)
	into(&row.Enabled, in.Enabled)
	into(&row.ClientEvents, in.ClientEvents)
	into(&row.SubscriptionCount, in.SubscriptionCount)
	into(&row.UserAuthentication, in.UserAuthentication)
	if err := r.write(row); err != nil {
		return false, err
	}
	return *row != before, nil
}

// readOrigins is list as it is kept.
func (s *Service) readOrigins(list []string) ([]string, error) {
	if len(list) > maxAppOrigins {
		return nil, Invalid("allowedOrigins", "has more than %d entries", maxAppOrigins)
	}
	origins, violations := []string{}, []error{}
	for i, entry := range list {
		field, entry := fmt.Sprintf("allowedOrigins[%d]", i), strings.TrimSpace(entry)
		err := checkRequired(field, entry, maxOriginLength)
		if err == nil && s.CheckOrigin != nil {
			if violation := s.CheckOrigin(entry); violation != nil {
				err = Invalid(field, "is wrong: %v", violation)
			}
		}
		violations = append(violations, err)
		if !slices.Contains(origins, entry) {
			origins = append(origins, entry)
		}
	}
	return origins, allViolations(violations...)
}

// keep is for how long the old secret is honoured.
func (in RotateInput) keep() (time.Duration, error) {
	if !in.KeepOld.Set {
		return DefaultKeepOld, nil
	}
	if in.KeepOld.Null || in.KeepOld.Value < 0 || in.KeepOld.Value > int64(MaxKeepOld/time.Second) {
		return 0, Invalid("keepOld", "must be seconds from 0, at once, to %d, 30 days", int64(MaxKeepOld/time.Second))
	}
	return time.Duration(in.KeepOld.Value) * time.Second, nil
}
