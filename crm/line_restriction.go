package crm

import (
	"context"
	"time"

	"chatcast/models"
)

// SetLineRestriction stores until when the account of a line may not write to strangers,
// in unix seconds, and emits messengerStatus when that changed. With nil, or a time that
// is over, it may. What waited for the end of an earlier restriction is tried at once.
func (s *Service) SetLineRestriction(ctx context.Context, on Line, until *int64) error {
	return s.changeWithRetry(ctx, func(c *change) error {
		l, row, err := c.session(on)
		if err != nil {
			return err
		}
		before := restrictionAt(row.RestrictedUntil, c.now)
		after := restrictionAt(until, c.now)
		if same(before, after) {
			return nil
		}
		if before != nil {
			if err := c.tx.ReleaseOutbox(on.LicenseID, on.Messenger, *before); err != nil {
				return err
			}
			if _, connector, err := s.account(c.tx, on); err == nil && connector != nil {
				c.after = append(c.after, func() { connector.Queue(on) })
			}
		}
		if before == nil {
			if err := c.countDay(on, c.now.Unix(), models.LineDay{Locks: 1}); err != nil {
				return err
			}
		}
		row.RestrictedUntil, row.UpdatedAt = after, c.now.Unix()
		if err := s.rateRow(c, row); err != nil {
			return err
		}
		if err := c.tx.SaveMessengerSession(row); err != nil {
			return err
		}
		return c.emitLineStatus(l, row, nil, nil)
	})
}

// restrictionAt returns the end of a restriction, or nil when it is over.
func restrictionAt(until *int64, now time.Time) *int64 {
	if until == nil || *until <= now.Unix() {
		return nil
	}
	return until
}
