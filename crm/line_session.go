package crm

import (
	"cmp"
	"context"
	"errors"
	"time"

	"chatcast/models"
)

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

// LineState is how a line stands now, as its connector says.
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

// stateSentences say what the states mean to a person.
var stateSentences = map[string]string{
	StateDisconnected: "The connection was lost; it is being made again.",
	StatePairing:      "Scan the QR code, or type the code into the phone.",
	StateConnecting:   "Connecting.",
	StateConnected:    "Connected.",
	StateLoggedOut:    "The account was logged out. Pair it again.",
	StateBanned:       "The messenger has banned the account for a time.",
	StateReplaced:     "The session was opened elsewhere. Connect again to take it back.",
	StateOutdated:     "The messenger does not serve this version any more. Update the program.",
}

// accepts says whether messages may be put into the line's outbox: its account is
// there, or will be again without anybody's help.
func (x *LineSession) accepts() bool {
	return x.Device != "" && (x.State == StateConnected || x.State == StateConnecting || x.State == StateDisconnected)
}

// Status is how the line stands, for Messenger.Status. via is what serves it.
func (x *LineSession) Status(via string) LineStatus {
	return LineStatus{
		State: x.State, Connected: x.State == StateConnected, Via: via, Phone: given(x.Phone), Detail: x.Detail, BannedUntil: x.BannedUntil,
	}
}

func lineSession(row *models.MessengerSession, nowMS int64) *LineSession {
	return &LineSession{
		Line: Line{LicenseID: row.LicenseID, Messenger: row.MessengerType}, State: row.State, Device: row.Device, Phone: row.Phone,
		Detail: cmp.Or(row.Detail, stateSentences[row.State]), BannedUntil: row.BannedUntil, Paired: row.Paired,
		LeaseOwner: row.LeaseOwner, Leased: row.LeaseOwner != "" && row.LeaseUntilMS > nowMS, UpdatedAt: row.UpdatedAt,
	}
}

// SessionOf returns the session of a line; nil when it has none.
func (s *Service) SessionOf(ctx context.Context, on Line) (*LineSession, error) {
	tx := s.Store.Read(ctx)
	row, err := tx.MessengerSession(on.LicenseID, on.Messenger)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	now, err := tx.NowMS()
	return lineSession(row, now), err
}

// account is the session of a line that has an account of its own; nil of a
// bridge, which a line is until it is paired.
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
	if errors.Is(err, models.ErrNotFound) || err == nil && !row.Paired && row.Device == "" { // with a device it will be no bridge
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return lineSession(row, 0), queued, nil
}

// Sessions lists the sessions of all lines of a type of messenger.
func (s *Service) Sessions(ctx context.Context, messengerType string) ([]LineSession, error) {
	tx := s.Store.Read(ctx)
	rows, err := tx.MessengerSessions(messengerType)
	if err != nil {
		return nil, err
	}
	now, err := tx.NowMS()
	list := make([]LineSession, len(rows))
	for i := range rows {
		list[i] = *lineSession(&rows[i], now)
	}
	return list, err
}

// SetLineState keeps how a line stands and tells of it when that is new. A line
// that is logged out cannot send what waits in its outbox: all of it has failed.
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
		if st.Owner != "" {
			now, err := c.tx.NowMS()
			if err != nil {
				return err
			}
			if row.LeaseOwner != st.Owner || row.LeaseUntilMS <= now {
				return conflict("another process serves this line")
			}
		}
		before := *row
		st.apply(row)
		if same(before.BannedUntil, row.BannedUntil) {
			before.BannedUntil = row.BannedUntil
		}
		if before == *row {
			return nil
		}
		row.UpdatedAt = c.now.Unix()
		if err := c.tx.SaveMessengerSession(row); err != nil {
			return err
		}
		if row.State == StateLoggedOut {
			if err := c.emptyOutbox(v, on); err != nil {
				return err
			}
		}
		return c.emitLineStatus(l, row)
	})
}

// session locks the session of a line, made when there is none.
func (c *change) session(on Line) (*line, *models.MessengerSession, error) {
	l, err := lineForConnector(c.tx, on)
	if err != nil {
		return nil, nil, err
	}
	err = c.tx.EnsureMessengerSession(&models.MessengerSession{
		LicenseID: on.LicenseID, MessengerType: on.Messenger, State: StateDisconnected, UpdatedAt: c.now.Unix(),
	})
	if err != nil {
		return nil, nil, err
	}
	row, err := c.tx.LockMessengerSession(on.LicenseID, on.Messenger)
	return l, row, err
}

func (st LineState) apply(row *models.MessengerSession) {
	row.State, row.Detail, row.BannedUntil = st.State, st.Detail, st.BannedUntil
	if st.Device != nil {
		row.Device = *st.Device
	}
	if st.Phone != nil {
		row.Phone = *st.Phone
	}
	row.Paired = row.Paired || st.State == StateConnected && row.Device != ""
}

func (c *change) emitLineStatus(l *line, row *models.MessengerSession) error {
	x := lineSession(row, 0)
	return c.emitLine(l, EventMessengerStatus, MessengerStatusItem{
		State: x.State, Connected: x.State == StateConnected, Phone: given(x.Phone), Detail: x.Detail,
		BannedUntil: x.BannedUntil, Time: row.UpdatedAt,
	})
}

// emitLine emits an event about the line itself, to everybody who may read it.
func (c *change) emitLine(l *line, event string, item any) error {
	ev, err := c.lineEvent(l, event, item)
	if err == nil {
		c.emit(ev)
	}
	return err
}

func (c *change) lineEvent(l *line, event string, item any) (Event, error) {
	names, err := c.lineChannels(l.companyID, l.licenseID, l.messenger, nil)
	return Event{
		Name: event, CompanyID: l.companyID, Channels: names, Items: []any{item},
		Meta: LineMeta{Type: event, LicenseID: l.licenseID, MessengerType: l.messenger},
	}, err
}

// Lease gives the line to owner for ttl, when nobody else has it by the
// database's clock, and says whether owner has it now. Who has it asks again
// before the time is over; when they do not, somebody else may take it.
func (s *Service) Lease(ctx context.Context, on Line, owner string, ttl time.Duration) (has bool, err error) {
	err = s.change(ctx, func(c *change) error {
		if _, _, err := c.session(on); err != nil {
			return err
		}
		has, err = c.tx.TakeLease(on.LicenseID, on.Messenger, owner, ttl)
		return err
	})
	return has && err == nil, err
}

// Release gives the line back when owner has it.
func (s *Service) Release(ctx context.Context, on Line, owner string) error {
	return s.change(ctx, func(c *change) error { return c.tx.DropLease(on.LicenseID, on.Messenger, owner) })
}

// PublishQR brings what pairs an account to everybody who looks at the line now.
// It is kept nowhere.
func (s *Service) PublishQR(ctx context.Context, on Line, p Pairing) error {
	tx := s.Store.Read(ctx)
	l, err := lineForConnector(tx, on)
	if err != nil {
		return err
	}
	ev, err := (&change{tx: tx}).lineEvent(l, EventQR, QRItem(p))
	if err != nil {
		return err
	}
	return s.publishLive([]Event{ev})
}
