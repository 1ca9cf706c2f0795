package crm

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"chatcast/models"
)

const (
	// DefaultSendWithin is how long a message may wait when Options.SendWithin is 0.
	DefaultSendWithin = time.Hour
	// attemptLife is how long a started attempt may take, in seconds: until then its
	// message must not be marked as failed.
	attemptLife = 3 * 60
)

// Outbox lists at most limit items of a line with ids above after that may be performed at
// a time, oldest first: it is their turn in their chats, and nothing before them waits for
// a later time. Items of different chats may be committed out of the order of their ids, so
// a caller that looks for new items must begin at 0.
func (s *Service) Outbox(ctx context.Context, on Line, at time.Time, after int64, limit int) ([]OutboxItem, error) {
	tx := s.Store.Read(ctx)
	rows, err := tx.OutboxDue(on.LicenseID, on.Messenger, at.Unix(), after, limit)
	return outboxItems(tx, on, rows, err)
}

// OutboxAnswers is like Outbox, without the first messages to people that nobody began to
// send, and what is behind them in their chats.
func (s *Service) OutboxAnswers(ctx context.Context, on Line, at time.Time, after int64, limit int) ([]OutboxItem, error) {
	tx := s.Store.Read(ctx)
	rows, err := tx.OutboxDueAnswers(on.LicenseID, on.Messenger, at.Unix(), after, limit)
	return outboxItems(tx, on, rows, err)
}

func outboxItems(tx *models.Tx, on Line, rows []*models.OutboxItem, err error) ([]OutboxItem, error) {
	if err != nil {
		return nil, err
	}
	items := make([]OutboxItem, 0, len(rows))
	for _, row := range rows {
		item, err := outboxItem(tx, on, row)
		if errors.Is(err, models.ErrNotFound) {
			continue // done, or deleted with its chat, since the list was read
		}
		if err != nil {
			return nil, err
		}
		items = append(items, *item)
	}
	return items, nil
}

// OutboxNext returns when the next of a line's items that wait at a time may be performed,
// or the zero time when none waits.
func (s *Service) OutboxNext(ctx context.Context, on Line, at time.Time) (time.Time, error) {
	next, err := s.Store.Read(ctx).OutboxNext(on.LicenseID, on.Messenger, at.Unix())
	return timeOf(next), err
}

// OutboxItem returns an item as it is now. It returns CodeNotFound when there is nothing to
// do any more.
func (s *Service) OutboxItem(ctx context.Context, on Line, id int64) (*OutboxItem, error) {
	tx := s.Store.Read(ctx)
	row, err := tx.OutboxRow(on.LicenseID, on.Messenger, id)
	if err != nil {
		return nil, orNotFound(err, "item of the outbox")
	}
	return outboxItem(tx, on, row)
}

// OutboxStart begins an attempt at an item, right before the network is used, and
// returns the item as it is now. It returns nil when there is nothing to do any more.
func (s *Service) OutboxStart(ctx context.Context, on Line, id int64) (item *OutboxItem, err error) {
	v, err := s.renderer(ctx, on)
	if err != nil {
		return nil, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		item = nil
		row, err := c.lockOutbox(on, id)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if row.Deadline <= c.now.Unix() {
			now, err := sureNow(c.tx, c.now)
			if err != nil {
				return err
			}
			if row.Deadline <= now {
				s.countSend(c, on, OutFailed)
				return c.failOutbox(v, row, overdue(row))
			}
		}
		row.Attempts++
		row.StartedAt = c.now.Unix()
		if err := c.tx.SaveOutbox(row); err != nil {
			return err
		}
		if row.FirstContact && row.Kind == OutMessage && row.MessageID != nil {
			if err := c.tx.BeginFirstContact(*row.MessageID, c.now.Unix()); err != nil {
				return err
			}
		}
		if item, err = outboxItem(c.tx, on, row); err != nil || item.Group {
			return err
		}
		item.Answers, err = c.tx.HasReceived(row.ChatID)
		return err
	})
	return item, err
}

// OutboxDone records the outcome of an attempt. The status of a message is announced
// once.
func (s *Service) OutboxDone(ctx context.Context, item OutboxItem, o Outcome) error {
	v, err := s.renderer(ctx, item.Line)
	if err != nil {
		return err
	}
	if o.Error == nil && o.Status != OutSent {
		o.Error = &SendError{Code: "failed", Message: "the messenger did not accept it"}
	}
	return s.changeWithRetry(ctx, func(c *change) error {
		row, err := c.lockOutbox(item.Line, item.ID)
		deleted := errors.Is(err, models.ErrNotFound)
		if err != nil && !deleted {
			return err
		}
		s.countSend(c, item.Line, o.Status)
		switch {
		case o.Status == OutRetry && deleted:
			return nil
		case o.Status == OutRetry:
			row.StartedAt, row.LastError, row.NotBefore = 0, o.Error.Message, o.NotBefore.Unix()
			if o.NotBefore.IsZero() {
				row.NotBefore = 0
			}
			row.Held = false
			return c.tx.SaveOutbox(row)
		case o.Status == OutFailed && !deleted:
			if err := c.failOutbox(v, row, *o.Error); err != nil {
				return err
			}
			return c.countOutcome(item, o)
		case o.Status == OutFailed:
			return nil // deleted meanwhile, so nobody waits for it
		}
		if !deleted {
			if err := c.tx.DeleteOutbox(row.ID); err != nil {
				return err
			}
		}
		if err := c.outboxSent(v, item, o.Time); err != nil {
			return err
		}
		return c.countOutcome(item, o)
	})
}

// outboxSent sets the status of a message to sent. An edit or deletion that waits to
// change the message gets the content that people have now.
func (c *change) outboxSent(v renderer, item OutboxItem, at time.Time) error {
	if item.Kind != OutMessage && item.Kind != OutEdit || item.Message == nil {
		return nil
	}
	if at.IsZero() {
		at = c.now
	}
	chat, err := c.tx.LockChat(v.line.LicenseID, v.line.Messenger, item.ChatID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	row, err := c.tx.LockMessage(chat.ID, item.Message.ID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.updatePreviousContent(row.ID, item.Message.previous); err != nil || item.Kind == OutEdit {
		return err
	}
	if item.FirstContact { // it may have been deleted meanwhile, and the next one made the first
		if err := c.answerOutbox(item.Line, chat.ID); err != nil {
			return err
		}
	}
	if !advances(row.Status, models.StatusSent) {
		return nil
	}
	return c.setStatus(v, chat, row, models.StatusSent, at.Unix(), nil)
}

// failOutbox removes an item that will not be performed. A message gets the status
// failed, and the items that were to follow on it are removed too. An edit or a
// deletion is undone, because nobody outside has seen it.
func (c *change) failOutbox(v renderer, row *models.OutboxItem, why SendError) error {
	if err := c.tx.DeleteOutbox(row.ID); err != nil || row.MessageID == nil {
		return err
	}
	if row.Kind == OutEdit || row.Kind == OutDelete {
		return c.undo(v, row, why)
	}
	if err := c.forgetOutbox(*row.MessageID); err != nil {
		return err
	}
	if err := c.passFirst(row); err != nil {
		return err
	}
	chat, err := c.tx.ChatRow(row.ChatID)
	if err != nil {
		return err
	}
	m, err := c.tx.MessageRow(chat.ID, *row.MessageID)
	if err != nil || !advances(m.Status, models.StatusFailed) {
		return err
	}
	violation, err := json.Marshal(why)
	if err != nil {
		return err
	}
	news, err := c.abandon(v, m)
	if err != nil {
		return err
	}
	text := string(violation)
	if err := c.setStatus(v, chat, m, models.StatusFailed, c.now.Unix(), &text); err != nil || !news {
		return err
	}
	return c.emitContent(v, chat, m, MessageEditItem{Time: c.now.Unix(), Cause: CauseFile})
}
