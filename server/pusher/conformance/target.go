package conformance

import (
	"slices"
	"strings"
	"time"
)

// App is a Pusher app of the target.
type App struct{ ID, Key, Secret string }

// Target is the server that is looked at. Its main App has client events and, where
// the server has them, subscription_count events and webhooks on.
type Target struct {
	URL  string // ws://HOST:PORT, or wss:
	HTTP string // of the HTTP API; URL with http: when empty
	App

	// Claims are the features that the server says it has: no sign of one is a
	// failure, and others are not looked for. Nil means to find out.
	Claims []Feature

	Patience time.Duration // for what should come at once [5 s]

	// Apps and keys that show more, each optional.
	Other       App           // any second app, to sign with the wrong one
	Timeout     App           // an app that closes sockets which prove no user
	DisabledKey string        // an app that is switched off
	SmallKey    string        // an app that allows one connection
	QuietKey    string        // an app without client events
	Hooks       *Receiver     // the target's main app sends its webhooks there
	XHRPath     string        // before /app/KEY on the fallback transports [/pusher]
	PingWait    time.Duration // how long the server may be silent before it asks [0: not waited for]
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

// Flags that cases need, as they are named on the command line.
const (
	needsOther    = "-other-app"
	needsTimeout  = "-timeout-app"
	needsDisabled = "-disabled-key"
	needsSmall    = "-small-key"
	needsQuiet    = "-quiet-key"
	needsHooks    = "-webhook-listen"
	needsPingWait = "-ping-wait"
)

// given says whether the target has what a case needs.
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
