package crm

import (
	"context"
	"errors"
	"strconv"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// CallbackRewind says from where to send events again: either field.
type CallbackRewind struct {
	EventID Field[int64]  `json:"eventId"` // the last event that is not sent again
	Time    Field[int64]  `json:"time"`    // unix seconds: the events from then on
	URL     Field[string] `json:"url"`     // a dry run: they go there, and the callback URL goes on as it does
}

func (in CallbackRewind) check() error {
	var which, to error
	switch {
	case in.EventID.Set == in.Time.Set:
		which = Invalid("eventId", "or time is required, and not both")
	case in.EventID.Null || in.EventID.Value < 0:
		which = Invalid("eventId", "must be an event id, or 0")
	case in.Time.Null || in.Time.Value < 0 || in.Time.Value > maxTime:
		which = Invalid("time", "must be unix seconds")
	}
	if in.URL.Set && !in.URL.Null {
		if message := apps.CheckWebhookURL(in.URL.Value); message != "" {
			to = Invalid("url", "%s", message)
		} else {
			to = checkText("url", in.URL.Value, apps.MaxWebhookURL)
		}
	}
	return allViolations(which, to)
}

// maxTime is the last second of the year 9999.
const maxTime = 253402300799

// cursor returns the number of the last event that is not sent, and that of the last one
// that there is.
func (in CallbackRewind) cursor(tx *models.Tx) (cursor, last int64, err error) {
	bounds, err := tx.JournalBounds()
	if err != nil {
		return 0, 0, err
	}
	last = bounds.LastSeq
	if in.EventID.Set {
		switch n := in.EventID.Value; {
		case n > last:
			return 0, 0, Invalid("eventId", "was never reached: the last event is %d", last)
		case n < bounds.First-1:
			return 0, 0, Invalid("eventId", "is too old: what came after %d is kept", bounds.First-1)
		}
		return in.EventID.Value, last, nil
	}
	cursor, kept, err := tx.JournalBefore(in.Time.Value * 1000)
	if err != nil {
		return 0, 0, err
	}
	if !kept {
		return 0, 0, Invalid("time", "is before the oldest event that is kept; send eventId %d for all that is kept", bounds.First-1)
	}
	return cursor, last, nil
}

// managedCallback returns a URL, locked, for an owner or an admin of its company, or a key that
// may manage it. To others there is none.
func (c *change) managedCallback(a Actor, id int64) (*models.CallbackURL, error) {
	row, err := c.tx.LockCallbackURL(id)
	if err != nil {
		return nil, orNotFound(err, "callback URL")
	}
	return row, mayManageCallback(c.tx, a, row)
}

func mayManageCallback(tx *models.Tx, a Actor, row *models.CallbackURL) error {
	if row.ParentID != nil {
		return notFound("callback URL")
	}
	if k, err := keyIn(tx, a, row.CompanyID); err != nil || k != nil {
		if err == nil && !callbackOf(k, row) {
			return notFound("callback URL")
		}
		_, err = callbackKey(tx, a, row.CompanyID)
		return err
	}
	if err := member(tx, a, row.CompanyID, "callback URL"); err != nil {
		return err
	}
	_, err := ownerOrAdmin(tx, a, row.CompanyID, "manage callback URLs")
	return err
}

// RewindCallback goes on after an event id, or from a time on: every event that the URL
// selects from there is sent, those that were sent before too. A suspended one goes on. With
// a URL it is a dry run: the events up to now go there, and nothing else changes.
func (s *Service) RewindCallback(ctx context.Context, a Actor, id int64, in CallbackRewind) (data CallbackData, err error) {
	row, err := s.callbackFor(ctx, a, id)
	if err != nil {
		return data, err
	}
	if err := in.check(); err != nil {
		return data, err
	}
	dry := in.URL.Set && !in.URL.Null
	if dry {
		if err := s.Callbacks.CheckURL(ctx, row.CompanyID, in.URL.Value); err != nil {
			return data, err
		}
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		if row, err = c.managedCallback(a, id); err != nil {
			return err
		}
		cursor, last, err := in.cursor(c.tx)
		if err != nil {
			return err
		}
		details := map[string]string{"eventId": strconv.FormatInt(cursor, 10)}
		if dry {
			details["dryRun"] = callbackHost(in.URL.Value)
			err = c.startDryRun(row, in.URL.Value, cursor, last)
		} else {
			details["eventIdBefore"] = strconv.FormatInt(row.CursorSeq, 10)
			row.CallbackProgress = restarted(row.CallbackProgress)
			row.CursorSeq, row.CursorPart = cursor, 0
			row.Generation++
			err = c.tx.PutCallbackURL(row)
		}
		if err != nil {
			return err
		}
		if data, err = oneCallback(c.tx, row); err != nil {
			return err
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.audit(row.CompanyID, audited{action: AuditCallbackRewound, by: a.auditor(), on: callbackTarget(row), details: details})
	})
	return data, err
}

// startDryRun replaces the dry run of a URL, which the caller has locked.
func (c *change) startDryRun(row *models.CallbackURL, to string, cursor, last int64) error {
	run, err := c.tx.DryRunOf(row.ID)
	if errors.Is(err, models.ErrNotFound) {
		run, err = &models.CallbackURL{}, nil
	}
	if err != nil {
		return err
	}
	*run = models.CallbackURL{
		ID: run.ID, CompanyID: row.CompanyID, LicenseID: row.LicenseID, MessengerType: row.MessengerType, ParentID: &row.ID, UntilSeq: last,
		URL: to, Secret: row.Secret, OldSecret: row.OldSecret, OldSecretUntil: row.OldSecretUntil, Events: row.Events, Lines: row.Lines, Chats: row.Chats, FormerChats: row.FormerChats,
		Format: row.Format, Options: row.Options, Enabled: true,
		Generation: run.Generation + 1, CreatedAt: c.now.Unix(), LeaseOwner: run.LeaseOwner, LeaseEpoch: run.LeaseEpoch,
		CallbackProgress: models.CallbackProgress{CursorSeq: cursor},
	}
	return c.tx.PutCallbackURL(run)
}

// ResumeCallback sends again to a URL that is suspended, or tries a failing one at once.
// It goes on where it was.
func (s *Service) ResumeCallback(ctx context.Context, a Actor, id int64) (data CallbackData, err error) {
	err = s.change(ctx, func(c *change) error {
		row, err := c.managedCallback(a, id)
		if err != nil {
			return err
		}
		was := callbackState(row).State
		if was == CallbackActive {
			data, err = oneCallback(c.tx, row)
			return err
		}
		row.CallbackProgress = restarted(row.CallbackProgress)
		row.Generation++
		if err := c.tx.PutCallbackURL(row); err != nil {
			return err
		}
		if data, err = oneCallback(c.tx, row); err != nil {
			return err
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.audit(row.CompanyID, audited{
			action: AuditCallbackResumed, by: a.auditor(), on: callbackTarget(row), details: map[string]string{"stateBefore": was},
		})
	})
	return data, err
}
