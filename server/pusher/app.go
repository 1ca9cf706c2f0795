package pusher

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"chatcast/broadcasting/apps"
)

// App is one Pusher app: who may connect and publish, and how much. Its secret
// signs, and is never printed: an App in a log or an error shows id and key.
type App struct {
	ID             string
	Key            string // public: pages connect with it
	Secret         string `json:"-"` // signs, and verifies
	Enabled        bool
	AllowedOrigins []string // of browsers; empty: any
	ClientEvents   bool     // sockets may send client- events

	// OldSecret is the one that Secret has replaced: what it signed is taken until
	// OldSecretUntil, and nothing is signed with it any more. Empty: there is none.
	OldSecret      string    `json:"-"`
	OldSecretUntil time.Time `json:"-"`

	SubscriptionCount  bool // sockets are told how many are subscribed
	UserAuthentication bool // a socket that neither signs in nor joins a guarded channel in time is closed

	Webhooks []Webhook `json:"-"` // told of what happens on the app's channels

	Limits Limits

	// Made is when the app was made, in unix seconds; 0: it has always been. One that was
	// made at another time is another app, even under the same id and key.
	Made int64

	origins apps.Origins
}

// Webhook is where an app is told of what happens on its channels. It is signed
// with the app's Secret as it is when it is sent, so a repetition may have another
// signature than the first try.
type Webhook struct {
	URL      string
	Events   []string          // kinds; empty: all
	Channels []string          // beginnings of names; empty: all
	Headers  map[string]string // to send along; never printed
	Single   bool              // one event in each request
}

// String is all that may be printed of a webhook: URLs and headers hold secrets.
func (w Webhook) String() string { return "a webhook" }

// GoString keeps %#v from showing more.
func (w Webhook) GoString() string { return w.String() }

// Limits of an app. A zero is the default; Sockets and the rates of the HTTP API
// are the exception, where zero is "no limit".
type Limits struct {
	EventBytes            int // of an event's data; 10,000
	ChannelsPerEvent      int // that one publish may name; 100
	ClientEventsPerSecond int // of one socket; 10
	PresenceMembers       int // of one channel; 100
	PresenceUserBytes     int // of a member's user_id and user_info; 1,024
	ChannelsPerSocket     int // 1,000
	Sockets               int // of the whole app on this node; 0: no limit
	EventsPerBatch        int // that one request may publish; 10
	EventsPerSecond       int // published over HTTP on this node; 0: no limit
	ReadsPerSecond        int // of channels over HTTP on this node; 0: no limit
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.EventBytes, 10_000},
		{&l.ChannelsPerEvent, 100},
		{&l.ClientEventsPerSecond, 10},
		{&l.PresenceMembers, 100},
		{&l.PresenceUserBytes, 1024},
		{&l.ChannelsPerSocket, 1000},
		{&l.EventsPerBatch, 10},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return l
}

func (l Limits) validate() error {
	for _, v := range []int{
		l.EventBytes, l.ChannelsPerEvent, l.ClientEventsPerSecond, l.PresenceMembers,
		l.PresenceUserBytes, l.ChannelsPerSocket, l.Sockets,
		l.EventsPerBatch, l.EventsPerSecond, l.ReadsPerSecond,
	} {
		if v < 0 {
			return errors.New("limits may not be negative")
		}
	}
	return nil
}

// String is the app without its secret.
func (a App) String() string { return "app " + a.ID + " (key " + a.Key + ")" }

// GoString keeps %#v from showing the secret.
func (a App) GoString() string { return a.String() }

// LogValue keeps slog from showing the secret.
func (a App) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("key", a.Key))
}

// AllowsOrigin says whether a page of this origin may connect to the app; an
// empty origin is no browser, and may.
func (a *App) AllowsOrigin(origin string) bool { return a.origins.Allow(origin) }

// Check says what is wrong with a, or nil.
func (a App) Check() error { return a.prepare() }

// prepare validates a and fills in what is derived.
func (a *App) prepare() (err error) {
	if !validID(a.ID) {
		return fmt.Errorf("id %q: 1 to 64 letters, digits, - and _ are needed, for it stands in paths", a.ID)
	}
	if !validID(a.Key) {
		return fmt.Errorf("key %q: 1 to 64 letters, digits, - and _ are needed, for it stands in paths", a.Key)
	}
	if a.Secret == "" {
		return errors.New("secret: it is empty, so everybody could sign")
	}
	if a.OldSecret == a.Secret { // it would outlive its time anyway
		a.OldSecret = ""
	}
	if err := a.Limits.validate(); err != nil {
		return err
	}
	a.Limits = a.Limits.withDefaults()
	a.origins, err = apps.ParseOrigins(a.AllowedOrigins)
	if err != nil {
		return fmt.Errorf("allowed_origins: %w", err)
	}
	return nil
}

func validID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
