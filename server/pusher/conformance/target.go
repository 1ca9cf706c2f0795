package conformance

import (
	"slices"
	"strings"
	"time"
)

// App is a Pusher app of the target.
type App struct{ ID, Key, Secret string }

// Target is the server under test. Its main App must have client events enabled and,
// where the server has them, subscription_count events and webhooks.
type Target struct {
	URL  string // ws://HOST:PORT, or wss:
	HTTP string // of the HTTP API; when empty, URL with http:
	App

	// Claims are the features that the server claims: a missing one is a failure, and
	// other features are not tested. Nil means that the tests find out.
	Claims []Feature

	Patience time.Duration // for messages that should come at once [5 s]

	// Optional apps and keys that allow more cases.
	Other       App           // any second app, for signatures of the wrong app
	Timeout     App           // an app that closes sockets which prove no user
	DisabledKey string        // key of a disabled app
	SmallKey    string        // key of an app that allows one connection
	QuietKey    string        // key of an app without client events
	Hooks       *Receiver     // receives the webhooks of the main app
	XHRPath     string        // before /app/KEY on the fallback transports [/pusher]
	PingWait    time.Duration // silence after which the server pings [0: not tested]
}

func (t Target) withDefaults() Target {
	if t.Patience <= 0 {
		t.Patience = 5 * time.Second
	}
	if t.HTTP == "" {
		t.HTTP = "http" + strings.TrimPrefix(t.URL, "ws")
	}
	if t.XHRPath == "" {
		t.XHRPath = "/pusher"
	}
	t.URL, t.HTTP = strings.TrimSuffix(t.URL, "/"), strings.TrimSuffix(t.HTTP, "/")
	return t
}

func (t Target) claims(f Feature) bool { return len(t.Claims) == 0 || slices.Contains(t.Claims, f) }

// Flags that cases need, by their names on the command line.
const (
	needsOther    = "-other-app"
	needsTimeout  = "-timeout-app"
	needsDisabled = "-disabled-key"
	needsSmall    = "-small-key"
	needsQuiet    = "-quiet-key"
	needsHooks    = "-webhook-listen"
	needsPingWait = "-ping-wait"
)

// given reports whether the target has what a case needs.
func (t Target) given(needs string) bool {
	switch needs {
	case needsOther:
		return t.Other != App{}
	case needsTimeout:
		return t.Timeout != App{}
	case needsDisabled:
		return t.DisabledKey != ""
	case needsSmall:
		return t.SmallKey != ""
	case needsQuiet:
		return t.QuietKey != ""
	case needsHooks:
		return t.Hooks != nil
	case needsPingWait:
		return t.PingWait > 0
	}
	return true
}
