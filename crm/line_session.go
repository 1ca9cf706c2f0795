package crm

// States of a line with an account of its own.
const (
	StateDisconnected = "disconnected" // paired, and on its way to connect again
	StatePairing      = "pairing"
	StateConnecting   = "connecting"
	StateConnected    = "connected"
	StateLoggedOut    = "logged_out"
	StateBanned       = "banned_until"
	StateReplaced     = "replaced" // the session was opened elsewhere
	StateOutdated     = "outdated" // the messenger does not serve this version of ours any more
)

// LineState is how a line stands now, as its plug says.
type LineState struct {
	State       string
	Device      *string // the paired device's id; nil: as it was; empty: none any more
	Phone       *string // digits of the paired account; nil: as it was
	Detail      string  // a sentence for a person; empty: the state's own
	BannedUntil *int64  // of banned_until: unix seconds, nil when nobody knows
	// Owner, when not empty, must hold the line's lease, or nothing is changed
	// and the error has CodeConflict.
	Owner string
}

// LineSession is what is kept of a line that was paired, or is being paired. A
// line without one, or whose Paired is false, is a bridge.
type LineSession struct {
	Line        Line
	State       string
	Device      string
	Phone       string
	Detail      string
	BannedUntil *int64
	Paired      bool // an account was connected once: the line is no bridge any more
	LeaseOwner  string
	Leased      bool // the lease has not run out
	UpdatedAt   int64
}
