package pusher

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"chatcast/server"
)

// App is one Pusher app: who may connect and publish, and how much. Its secret
// signs, and is never printed: an App in a log or an error shows id and key.
type App struct {
	ID             string
	Key            string // public: pages connect with it
	Secret         string `json:"-"`
	Enabled        bool
	AllowedOrigins []string // of browsers; empty: any
	ClientEvents   bool     // sockets may send client- events

	SubscriptionCount  bool // sockets are told how many are subscribed
	UserAuthentication bool // a socket that neither signs in nor joins a guarded channel in time is closed

	Limits Limits

	origins server.Origins
}

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

// Apps are the apps of this server. Safe for concurrent use; the Apps it hands out
// must not be changed.
type Apps struct {
	first *tenant
	byID  map[string]*tenant
	byKey map[string]*tenant
}

// tenant is an app through its changes, with its sockets on this node.
type tenant struct {
	app     atomic.Pointer[App] // as it is now
	sockets atomic.Int64
}

// enter counts a socket of the app if there is room for it.
func (t *tenant) enter() bool {
	if limit := t.app.Load().Limits.Sockets; t.sockets.Add(1) > int64(limit) && limit > 0 {
		t.sockets.Add(-1)
		return false
	}
	return true
}

func (t *tenant) leave() { t.sockets.Add(-1) }

// NewApps validates list and indexes copies of its apps, limits filled in. The
// first one carries the CRM's channels.
func NewApps(list []App) (*Apps, error) {
	if len(list) == 0 {
		return nil, errors.New("apps: at least one app is needed")
	}
	apps := &Apps{byID: make(map[string]*tenant, len(list)), byKey: make(map[string]*tenant, len(list))}
	for i, a := range list {
		if err := a.prepare(); err != nil {
			return nil, fmt.Errorf("apps[%d]: %w", i, err)
		}
		if apps.byID[a.ID] != nil {
			return nil, fmt.Errorf("apps[%d]: the id %q is used twice", i, a.ID)
		}
		if apps.byKey[a.Key] != nil {
			return nil, fmt.Errorf("apps[%d]: the key %q is used twice", i, a.Key)
		}
		t := &tenant{}
		t.app.Store(&a)
		apps.byID[a.ID], apps.byKey[a.Key] = t, t
		if i == 0 {
			apps.first = t
		}
	}
	return apps, nil
}

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
	if err := a.Limits.validate(); err != nil {
		return err
	}
	a.Limits = a.Limits.withDefaults()
	a.origins, err = server.ParseOrigins(a.AllowedOrigins)
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

// First is the app that carries the CRM's channels.
func (s *Apps) First() *App { return s.first.app.Load() }

// ByID finds an app by its id, nil when there is none.
func (s *Apps) ByID(id string) *App {
	if t := s.byID[id]; t != nil {
		return t.app.Load()
	}
	return nil
}

// ByKey finds an app by its key, nil when there is none.
func (s *Apps) ByKey(key string) *App {
	if t := s.tenantOf(key); t != nil {
		return t.app.Load()
	}
	return nil
}

// tenantOf finds an app by its key, nil when there is none.
func (s *Apps) tenantOf(key string) *tenant { return s.byKey[key] }
