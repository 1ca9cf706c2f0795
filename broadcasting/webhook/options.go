package webhook

import (
	"log/slog"
	"net/http"
	"time"

	"chatcast/broadcasting/apps"
)

// Options of Hooks.
type Options struct {
	Store Store
	Log   *slog.Logger
	Apps  []apps.App // as for Set
	// AllowPrivate lets webhooks go to addresses outside the public internet.
	AllowPrivate bool
	// Grace is the time in which a vacated channel or a removed member may return
	// before receivers are told; 0 is DefaultGrace.
	Grace time.Duration
	// ReturnGrace is the same after a start, for subjects of the previous process; 0 is
	// DefaultReturnGrace. It is longer, because all clients have to connect again.
	ReturnGrace time.Duration
	// Lease is how long another process waits to deliver in place of this one after
	// this one has died; 0 is DefaultLease. It must be the same in all processes.
	Lease time.Duration
	// SuspendAfter is how long an endpoint may fail before nothing is sent to it until a
	// person resumes it; 0: for ever.
	SuspendAfter time.Duration
	// Alone says that no other process uses the store, so that leases of a process that
	// died are taken at once.
	Alone bool
	// Transport replaces the default transport, to which AllowPrivate applies; nil: the
	// default.
	Transport http.RoundTripper
}
