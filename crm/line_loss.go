package crm

import (
	"cmp"
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// lossTold is how long a line may be without its connection before that is told: until then it
// is on its way to a new one. Afterwards it is disconnected until it is connected.
const lossTold = time.Minute

// LineEnd is how an account was disconnected: for good, until somebody does something, or for
// longer than a minute.
type LineEnd struct {
	State, Detail string
	At            time.Time
}

// lineEnd returns an end as it is stored, or nil when there is none.
func lineEnd(state, detail string, atMS int64) *LineEnd {
	if state == "" {
		return nil
	}
	return &LineEnd{State: state, Detail: cmp.Or(detail, stateSentences[state]), At: time.UnixMilli(atMS).UTC()}
}

// reconnects reports whether the account of a row is not connected, and is tried by itself.
func reconnects(row *models.MessengerSession) bool {
	return row.Device != "" && (row.State == StateDisconnected || row.State == StateConnecting)
}

// ends reports whether the account of a row is disconnected until somebody does something.
func ends(row *models.MessengerSession) bool {
	switch row.State {
	case StateLoggedOut, StateBanned, StateReplaced, StateOutdated:
		return true
	}
	return false
}

// lostForLong reports whether the account of a row is not connected for longer than lossTold.
func lostForLong(row *models.MessengerSession, now time.Time) bool {
	return reconnects(row) && (row.LossTold || row.LostAtMS != 0 && now.UnixMilli()-row.LostAtMS >= lossTold.Milliseconds())
}

// disconnected makes the session one that is lost for long, whether or not it is tried now.
func (x *LineSession) disconnected(row *models.MessengerSession) {
	if x.State != StateDisconnected {
		x.State, x.Detail = StateDisconnected, stateSentences[StateDisconnected]
	}
	since := row.LostAtMS / 1000
	x.LostSince = &since
	x.Ended = lineEnd(x.State, x.Detail, row.LostAtMS)
}

// noteConnection notes in a row that changes since when its account is not connected, and how it
// was disconnected. One that is not connected for long stays disconnected while it is tried, so
// that nobody sees it as connecting for ever. It reports whether that is to be told now: once for
// each loss.
func noteConnection(before, row *models.MessengerSession, now time.Time) (tell bool) {
	if !reconnects(row) {
		row.LostAtMS, row.LossTold = 0, false
		if ends(row) && row.State != before.State {
			row.EndedState, row.EndedDetail, row.EndedAtMS = row.State, row.Detail, now.UnixMilli()
		}
		return false
	}
	if row.LostAtMS == 0 || row.LostAtMS > now.UnixMilli() { // or the clock was set back
		row.LostAtMS = now.UnixMilli()
	}
	if !lostForLong(row, now) {
		return false
	}
	if row.State == StateConnecting {
		row.State, row.Detail = StateDisconnected, ""
		if before.State == StateDisconnected {
			row.Detail = before.Detail // why the last try failed
		}
	}
	tell, row.LossTold = !row.LossTold, true
	if tell {
		row.EndedState, row.EndedDetail, row.EndedAtMS = row.State, row.Detail, row.LostAtMS
	}
	return tell
}

// TellLoss emits messengerStatus when the account of a line is not connected for too long: once
// for each loss. It returns how long that will take; 0: it was told, or the account is connected
// or not tried. Whoever serves the line calls it after each state that it stores, and again when
// that time is over. owner must hold the line's lease.
func (s *Service) TellLoss(ctx context.Context, on Line, owner string) (later time.Duration, err error) {
	row, err := s.Store.Read(ctx).MessengerSession(on.LicenseID, on.Messenger)
	if errors.Is(err, models.ErrNotFound) {
		return 0, nil
	}
	if err != nil || !reconnects(row) || row.LossTold {
		return 0, err
	}
	if later = lossTold - s.Now().Sub(time.UnixMilli(row.LostAtMS)); row.LostAtMS != 0 && later > 0 {
		return min(later, lossTold), nil
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, row, err := c.session(on)
		if err != nil {
			return err
		}
		if err := ownedBy(c.tx, row, owner); err != nil {
			return err
		}
		before := *row
		tell := noteConnection(&before, row, c.now)
		if later = 0; !tell {
			later = lossTold
		}
		if before == *row {
			return nil
		}
		row.UpdatedAt = c.now.Unix()
		if err := c.tx.SaveMessengerSession(row); err != nil || !tell {
			return err
		}
		return c.emitLineStatus(l, row, &before.State, nil)
	})
	return later, err
}
