package crm

import (
	"cmp"
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// StateNotSetUp is the state of a line that neither an account nor a bridge serves.
const StateNotSetUp = "not_set_up"

// States of a line with an account of its own.
const (
	StateDisconnected = "disconnected" // paired, and reconnecting
	StatePairing      = "pairing"
	StatePasskey      = "passkey" // pairing, and waiting for the account's passkey
	StateConnecting   = "connecting"
	StateConnected    = "connected"
	StateLoggedOut    = "logged_out"
	StateBanned       = "banned_until"
	StateReplaced     = "replaced" // the session was opened elsewhere
	StateOutdated     = "outdated" // the messenger no longer serves our version
)

// NothingPaired ends the detail of a line whose pairing failed. Otherwise nobody scanned a code in time.
const NothingPaired = " Nothing was paired."

// LineState is the current state of a line, as its connector reports it.
type LineState struct {
	State       string
	Device      *string // the paired device's id; nil: unchanged; empty: none any more
	Phone       *string // digits of the paired account; nil: unchanged
	Name        string  // the account's own name; empty: unchanged
	Detail      string  // a sentence for people; empty: the state's default
	BannedUntil *int64  // for banned_until: unix seconds; nil: not known
	Blocked     bool    // for banned_until: because people blocked the account
	// Owner, when not empty, must hold the line's lease. Otherwise nothing changes and
	// the error has CodeConflict.
	Owner string
}

// LineSession is the stored session of a line that was paired or is being paired. A
// line without a session, or with Paired false, is a bridge, or not set up.
type LineSession struct {
	Line        Line
	State       string
	Device      string
	Phone       string
	Detail      string
	BannedUntil *int64
	// RestrictedUntil is until when the account may not write to strangers, in unix
	// seconds; nil: it may, or the time is over.
	RestrictedUntil *int64
	LostSince       *int64   // see LineStatus
	Ended           *LineEnd // see LineStatus
	Rating          Rating
	Paired          bool // an account was connected once, so the line is no longer a bridge
	LeaseOwner      string
	Leased          bool // LeaseOwner lives, or its lease has not run out
	UpdatedAt       int64
}

// stateSentences explain the states to people.
var stateSentences = map[string]string{
	StateDisconnected: "The connection was lost; it is being made again.",
	StatePairing:      "Scan the QR code, or type the code into the phone.",
	StatePasskey:      "Confirm the pairing with the passkey of the account.",
	StateConnecting:   "Connecting.",
	StateConnected:    "Connected.",
	StateLoggedOut:    "The account was logged out. Pair it again.",
	StateBanned:       "The messenger has banned the account for a time.",
	StateReplaced:     "The session was opened elsewhere. Connect again to take it back.",
	StateOutdated:     "The messenger does not serve this version any more. Update the program.",
}

// accepts reports whether messages may be put into the line's outbox: its account is
// connected, or will reconnect by itself.
func (x *LineSession) accepts() bool {
	return x.Device != "" && (x.State == StateConnected || x.State == StateConnecting || x.State == StateDisconnected)
}

// Status returns the line's status for Messenger.Status. via names what serves the
// line.
func (x *LineSession) Status(via string) LineStatus {
	return LineStatus{
		State: x.State, Connected: x.State == StateConnected, Via: via, Phone: given(x.Phone), Detail: x.Detail, BannedUntil: x.BannedUntil,
		RestrictedUntil: x.RestrictedUntil, Rating: &x.Rating.Rating, RatingReasons: x.Rating.Reasons, Reconnects: x.Device != "",
		LostSince: x.LostSince, Ended: x.Ended,
	}
}

// lineSession returns the session of a row as it is now. Nobody has to store that a loss has
// taken too long before it is shown.
func lineSession(row *models.MessengerSession, now time.Time) *LineSession {
	x := &LineSession{
		Line: Line{LicenseID: row.LicenseID, Messenger: row.MessengerType}, State: row.State, Device: row.Device, Phone: row.Phone,
		Detail: cmp.Or(row.Detail, stateSentences[row.State]), BannedUntil: row.BannedUntil, RestrictedUntil: row.RestrictedUntil, Paired: row.Paired,
		Rating:     storedRating(row),
		LeaseOwner: row.LeaseOwner, UpdatedAt: row.UpdatedAt,
		Ended: lineEnd(row.EndedState, row.EndedDetail, row.EndedAtMS),
	}
	if lostForLong(row, now) {
		x.disconnected(row)
	}
	return x
}

// SessionOf returns the session of a line, or nil when it has none.
func (s *Service) SessionOf(ctx context.Context, on Line) (*LineSession, error) {
	tx := s.Store.Read(ctx)
	row, err := tx.MessengerSession(on.LicenseID, on.Messenger)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x := lineSession(row, s.Now())
	x.Leased, err = leased(tx, row)
	x.RestrictedUntil = restrictionAt(x.RestrictedUntil, s.Now())
	return x, err
}

// account returns the session and the connector of a line with an account of its own.
// Both are nil for a bridge, and for a line that is not set up.
func (s *Service) account(tx *models.Tx, on Line) (*LineSession, Queued, error) {
	connector, err := s.messenger(on.Messenger)
	if err != nil {
		return nil, nil, err
	}
	queued, ok := connector.(Queued)
	if !ok {
		return nil, nil, nil
	}
	row, err := tx.MessengerSession(on.LicenseID, on.Messenger)
	if errors.Is(err, models.ErrNotFound) || err == nil && !row.Paired && row.Device == "" { // with a device the line will not stay a bridge
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return lineSession(row, s.Now()), queued, nil
}

// Sessions lists the sessions of all lines of a messenger type.
func (s *Service) Sessions(ctx context.Context, messengerType string) ([]LineSession, error) {
	tx := s.Store.Read(ctx)
	rows, err := tx.MessengerSessions(messengerType)
	if err != nil {
		return nil, err
	}
	nodes, err := tx.LineNodes(messengerType)
	if err != nil {
		return nil, err
	}
	alive := map[string]bool{}
	for _, n := range nodes {
		alive[n.Name] = true
	}
	now, err := tx.NowMS()
	list := make([]LineSession, len(rows))
	for i := range rows {
		list[i] = *lineSession(&rows[i], s.Now())
		list[i].Leased = alive[rows[i].LeaseOwner] || leasedAt(&rows[i], now)
	}
	return list, err
}

// SetLineState stores the state of a line and emits messengerStatus when it changed.
// When the line is logged out, everything that waits in its outbox fails.
func (s *Service) SetLineState(ctx context.Context, on Line, st LineState) error {
	if stateSentences[st.State] == "" {
		return Invalid("state", "must be one of the states of a line")
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return err
	}
	return s.changeWithRetry(ctx, func(c *change) error {
		l, row, err := c.session(on)
		if err != nil {
			return err
		}
		if err := ownedBy(c.tx, row, st.Owner); err != nil {
			return err
		}
		before := *row
		st.apply(row)
		lost := noteConnection(&before, row, c.now)
		if err := c.accountChanged(on, before.Phone != row.Phone, st.Name); err != nil {
			return err
		}
		if same(before.BannedUntil, row.BannedUntil) {
			before.BannedUntil = row.BannedUntil
		}
		if before == *row {
			return nil
		}
		row.UpdatedAt = c.now.Unix()
		if err := s.rateState(c, on, &before, row, st); err != nil {
			return err
		}
		if err := c.tx.SaveMessengerSession(row); err != nil {
			return err
		}
		if row.State == StateLoggedOut {
			if err := s.emptyOutbox(c, v, on); err != nil {
				return err
			}
		}
		if before.Phone != "" && before.Phone != row.Phone {
			if err := c.otherAccountsLabels(on); err != nil {
				return err
			}
		}
		if err := c.auditLine(askedBy(ctx), l, &before, row); err != nil {
			return err
		}
		was := stateBefore(&before, row)
		if lost && was == nil {
			was = &before.State
		}
		return c.emitLineStatus(l, row, was, loggedOutBy(ctx, row))
	})
}

// ownedBy returns an error unless owner has the line's lease. An empty owner needs none.
func ownedBy(tx *models.Tx, row *models.MessengerSession, owner string) error {
	if owner == "" {
		return nil
	}
	leased, err := leased(tx, row)
	if err == nil && (!leased || row.LeaseOwner != owner) {
		err = conflict("another process serves this line")
	}
	return err
}

// auditLine writes an entry when the account of a line was paired, logged out, or opened
// elsewhere.
func (c *change) auditLine(by auditor, l *line, before, after *models.MessengerSession) error {
	e := audited{by: by, on: lineTarget(l.licenseID, l.messenger)}
	switch {
	case after.Device != "" && !beingPaired(after.State) && (after.Device != before.Device || beingPaired(before.State)):
		e.action, e.details = AuditLinePaired, map[string]string{"phone": after.Phone}
	case after.State == before.State:
		return nil
	case after.State == StateLoggedOut:
		e.action, e.details = AuditLineLoggedOut, map[string]string{"stateBefore": before.State}
	case after.State == StateReplaced:
		e.action = AuditLineReplaced
	default:
		return nil
	}
	return c.audit(l.companyID, e)
}

// beingPaired reports whether a phone has still to accept the line, or its keys to be stored.
func beingPaired(state string) bool { return state == StatePairing || state == StatePasskey }

// session locks and returns the session of a line. It creates a missing one.
func (c *change) session(on Line) (*line, *models.MessengerSession, error) {
	l, err := lineForConnector(c.tx, on)
	if err != nil {
		return nil, nil, err
	}
	err = c.tx.EnsureMessengerSession(&models.MessengerSession{
		LicenseID: on.LicenseID, MessengerType: on.Messenger, State: StateDisconnected, UpdatedAt: c.now.Unix(),
		Rating: RatingOK, RatingReasons: "[]",
	})
	if err != nil {
		return nil, nil, err
	}
	row, err := c.tx.LockMessengerSession(on.LicenseID, on.Messenger)
	return l, row, err
}

func (st LineState) apply(row *models.MessengerSession) {
	if st.Phone != nil && *st.Phone != row.Phone { // another account
		row.RestrictedUntil = nil
	}
	row.State, row.Detail, row.BannedUntil = st.State, st.Detail, st.BannedUntil
	if st.Device != nil {
		row.Device = *st.Device
	}
	if st.Phone != nil {
		row.Phone = *st.Phone
	}
	row.Paired = row.Paired || st.State == StateConnected && row.Device != ""
}
