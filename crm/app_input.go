package crm

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"chatcast/broadcasting/apps"
)

// AppInput describes a Pusher app to create, or the changes of an app. Absent fields
// stay as they are.
type AppInput struct {
	ID                 Field[string]         `json:"id"`  // only of a new app; generated when absent
	Key                Field[string]         `json:"key"` // likewise
	Name               Field[string]         `json:"name"`
	Enabled            Field[bool]           `json:"enabled"`
	AllowedOrigins     Field[[]string]       `json:"allowedOrigins"` // the whole list
	ClientEvents       Field[bool]           `json:"clientEvents"`
	SubscriptionCount  Field[bool]           `json:"subscriptionCount"`
	UserAuthentication Field[bool]           `json:"userAuthentication"`
	Limits             Field[LimitChanges]   `json:"limits"`   // only those to change
	Webhooks           Field[[]apps.Webhook] `json:"webhooks"` // the whole list
	History            Field[[]apps.History] `json:"history"`  // the whole list
}

// RotateInput holds the options of Rotate.
type RotateInput struct {
	KeepOld Field[int64] `json:"keepOld"` // seconds for which the old secret stays valid too; DefaultKeepOld when absent
}

const (
	// DefaultKeepOld is how long a replaced secret is honoured by default.
	DefaultKeepOld = 24 * time.Hour
	// MaxKeepOld is the longest time that a replaced secret can be honoured.
	MaxKeepOld = 30 * 24 * time.Hour
)

// LimitChanges maps the names of limits to their new values. Absent limits stay as
// they are.
type LimitChanges map[string]json.RawMessage

// newApp returns an app with a generated id, key and secret.
func newApp() apps.App {
	a := apps.Default()
	a.ID, a.Key, a.Secret = randomAppID(), randomAppKey(), randomToken()
	return a
}

// randomAppID returns ten digits, the first of which is not zero, like the ids of
// other servers.
func randomAppID() string {
	const low = 1_000_000_000
	n, err := rand.Int(rand.Reader, big.NewInt(9*low))
	if err != nil {
		panic(err) // unreachable: rand.Reader ends the program when it fails
	}
	return fmt.Sprint(n.Int64() + low)
}

// randomAppKey returns ten random bytes in hex.
func randomAppKey() string {
	var b [10]byte
	rand.Read(b[:]) // never returns an error: it ends the program when it fails
	return hex.EncodeToString(b[:])
}

// stays refuses another value for a field that cannot be changed.
func stays(field string, f Field[string], is string) error {
	if f.Set && (f.Null || f.Value != is) {
		return Invalid(field, "cannot be changed; make another app")
	}
	return nil
}

// create returns the new app that in describes.
func (in AppInput) create() (apps.App, error) {
	generated := newApp()
	next := generated
	if in.ID.Set {
		next.ID = in.ID.Value
	}
	if in.Key.Set {
		next.Key = in.Key.Value
	}
	return in.change(generated, next)
}

// apply returns old with the changes of in.
func (in AppInput) apply(old apps.App) (apps.App, error) { return in.change(old, old) }

// change returns next with the changes of in. Violations that old has already are
// not reported.
func (in AppInput) change(old, next apps.App) (apps.App, error) {
	violations := []error{
		in.Name.notNull("name"), in.Enabled.notNull("enabled"), in.ClientEvents.notNull("clientEvents"),
		in.SubscriptionCount.notNull("subscriptionCount"), in.UserAuthentication.notNull("userAuthentication"),
		in.Limits.notNull("limits"), in.AllowedOrigins.notNull("allowedOrigins"), in.Webhooks.notNull("webhooks"),
		in.History.notNull("history"),
		in.Limits.Value.apply(&next.Limits),
	}
	into(&next.Name, in.Name)
	into(&next.Enabled, in.Enabled)
	into(&next.ClientEvents, in.ClientEvents)
	into(&next.SubscriptionCount, in.SubscriptionCount)
	into(&next.UserAuthentication, in.UserAuthentication)
	if in.AllowedOrigins.Set {
		next.AllowedOrigins = in.AllowedOrigins.Value
	}
	if in.Webhooks.Set {
		var err error
		next.Webhooks, err = unhide(in.Webhooks.Value, old.Webhooks)
		violations = append(violations, err)
	}
	if in.History.Set {
		next.History = in.History.Value
	}
	before := old.Check()
	for _, violation := range next.Check() {
		if !slices.Contains(before, violation) {
			violations = append(violations, invalidApp(violation))
		}
	}
	return next.Clone(), allViolations(violations...)
}

// apply sets the limits that are in l. apps.App.Check checks their ranges.
func (l LimitChanges) apply(limits *apps.Limits) error {
	var violations []error
	for _, name := range slices.Sorted(maps.Keys(l)) {
		value := -1 // null leaves it as it is
		if json.Unmarshal(l[name], &value) != nil {
			value = -1
		}
		if err := limits.Set(name, value); err != nil {
			violations = append(violations, Invalid("limits."+shortName(name), "%v", err))
		}
	}
	return allViolations(violations...)
}

// invalidApp returns a violation with the API's field name. A header's name is the
// client's own text, so it is in the message and not in the field.
func invalidApp(v apps.Violation) error {
	field, message := v.Field, v.Message
	if rest, ok := strings.CutPrefix(field, "allowed_origins"); ok {
		field = "allowedOrigins" + rest
	}
	if hook, header, ok := strings.Cut(field, ".headers."); ok {
		field, message = hook+".headers", fmt.Sprintf("has %q, which %s", shortName(header), message)
	}
	return Invalid(field, "%s", message)
}

// shortName shortens a name from a client, so that an error message can repeat it.
func shortName(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%.*s...", most, s)
}

// keep returns how long the old secret is honoured.
func (in RotateInput) keep() (time.Duration, error) {
	if !in.KeepOld.Set {
		return DefaultKeepOld, nil
	}
	if in.KeepOld.Null || in.KeepOld.Value < 0 || in.KeepOld.Value > int64(MaxKeepOld/time.Second) {
		return 0, Invalid("keepOld", "must be seconds from 0, at once, to %d, 30 days", int64(MaxKeepOld/time.Second))
	}
	return time.Duration(in.KeepOld.Value) * time.Second, nil
}
