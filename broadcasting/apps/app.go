package apps

import (
	"log/slog"
	"slices"
	"strings"
	"time"
)

// App is a Pusher app: who may connect and publish, and how much. In a log or an error
// an App shows its id and key, never a secret. The tags yaml and secret are for the
// configuration file: a field tagged "-" cannot be set there, and a secret one is
// masked.
type App struct {
	ID                 string    `yaml:"id"`
	Key                string    `yaml:"key"`                          // public: pages connect with it
	Secret             string    `yaml:"secret" secret:"all" json:"-"` // signs and verifies
	Name               string    `yaml:"-"`                            // the name shown to people
	Enabled            bool      `yaml:"enabled"`                      // if false, sockets are closed and publishing is refused
	AllowedOrigins     []string  `yaml:"allowed_origins"`              // of browsers, besides the server's; empty: any
	ClientEvents       bool      `yaml:"client_events"`                // sockets may send client- events
	SubscriptionCount  bool      `yaml:"subscription_count"`           // sockets are told how many are subscribed
	UserAuthentication bool      `yaml:"user_authentication"`          // a socket that neither signs in nor joins a guarded channel in time is closed
	Webhooks           []Webhook `yaml:"webhooks" json:"-"`            // endpoints that are told what happens on the app's channels
	History            []History `yaml:"history"`                      // which events are kept, to be read later; the first rule that matches a channel counts
	Limits             Limits    `yaml:"limits"`                       // 0: the limit of all apps

	// OldSecret is the secret that Secret has replaced. What it signed is accepted
	// until OldSecretUntil; nothing is signed with it any more. Empty: there is none.
	OldSecret      string    `yaml:"-" json:"-"`
	OldSecretUntil time.Time `yaml:"-" json:"-"`

	// Made is when the app was created, in unix seconds; 0: it has always existed. An
	// app created at another time is another app, even under the same id and key.
	Made int64 `yaml:"-"`
	// Updated is when the app was last changed, in unix seconds; 0: never.
	Updated int64 `yaml:"-"`
}

// Default returns the settings of an app for which nothing is set.
func Default() App {
	return App{Enabled: true, ClientEvents: true, AllowedOrigins: []string{}, Webhooks: []Webhook{}, History: []History{}}
}

// String returns the app's id and key.
func (a App) String() string { return "app " + a.ID + " (key " + a.Key + ")" }

// GoString keeps %#v from showing the secret.
func (a App) GoString() string { return a.String() }

// LogValue keeps slog from showing the secret.
func (a App) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("key", a.Key))
}

// Clone returns a copy of a that shares no list or map with it. Its lists are not nil.
// Origins have no spaces around them. Neither origins nor the events of a webhook are
// listed twice.
func (a App) Clone() App {
	origins := make([]string, 0, len(a.AllowedOrigins))
	for _, origin := range a.AllowedOrigins {
		if origin = strings.TrimSpace(origin); !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	a.AllowedOrigins = origins
	hooks := make([]Webhook, len(a.Webhooks))
	for i, hook := range a.Webhooks {
		hooks[i] = hook.Clone()
	}
	a.Webhooks = hooks
	a.History = append([]History{}, a.History...)
	return a
}
