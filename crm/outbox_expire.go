package crm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/models"
)

// ExpireOutbox fails the items that have waited too long, on all lines, and returns
// their number. What cannot be failed is tried again with the next call.
func (s *Service) ExpireOutbox(ctx context.Context) (n int, err error) {
	now, err := sureNow(s.Store.Read(ctx), s.Now())
	if err != nil {
		return 0, err
	}
	var failed skipped // items that do not keep the others
	for after := (models.OutboxItem{Deadline: models.Abandoned - 1}); ; {
		rows, err := s.Store.Read(ctx).OutboxOverdue(now, now-attemptLife, after, sweepBatch)
		if err != nil {
			return n, errors.Join(failed.err(), err)
		}
		for _, found := range rows {
			after = *found
			if err := s.expire(ctx, found, now); err != nil {
				failed.add(fmt.Errorf("item %d of the outbox: %w", found.ID, err))
				continue
			}
			n++
		}
		if len(rows) < sweepBatch || ctx.Err() != nil {
			return n, failed.err()
		}
	}
}

// sureNow returns the time by which an item may be failed, in unix seconds: that of this
// process's clock or of the database's, whichever is behind. Items of all processes are
// failed by each of them, also by one whose clock was set wrong.
func sureNow(tx *models.Tx, now time.Time) (int64, error) {
	ms, err := tx.NowMS()
	return min(now.Unix(), ms/1000), err
}

// expire fails an item that had waited too long at a time.
func (s *Service) expire(ctx context.Context, found *models.OutboxItem, now int64) error {
	on := Line{LicenseID: found.LicenseID, Messenger: found.MessengerType}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return err
	}
	return s.changeWithRetry(ctx, func(c *change) error {
		row, err := c.lockOutbox(on, found.ID)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil || row.Deadline > now || row.StartedAt > now-attemptLife {
			return err
		}
		s.countSend(c, on, OutFailed)
		return c.failOutbox(v, row, overdue(row))
	})
}

func overdue(row *models.OutboxItem) SendError {
	if row.Deadline == models.Abandoned {
		return SendError{Code: SendLoggedOut, Message: "the account was logged out before it was sent"}
	}
	e := SendError{Code: SendDeadline, Message: "it could not be sent in time"}
	if row.LastError != "" {
		e.Message += ": " + row.LastError
	}
	return e
}

// emptyOutbox fails all items of a line whose account is gone. What is more than one
// transaction should change is failed by ExpireOutbox, item by item.
func (s *Service) emptyOutbox(c *change, v renderer, on Line) error {
	if err := c.tx.AbandonOutbox(on.LicenseID, on.Messenger); err != nil {
		return err
	}
	rows, err := c.tx.Outbox(on.LicenseID, on.Messenger, deleteBatch)
	if err != nil {
		return err
	}
	for _, found := range rows {
		row, err := c.lockOutbox(on, found.ID) // read again: failing the items before it may have changed it
		if errors.Is(err, models.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		s.countSend(c, on, OutFailed)
		if err := c.failOutbox(v, row, overdue(row)); err != nil {
			return err
		}
	}
	return nil
}
