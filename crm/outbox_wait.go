package crm

import (
	"context"
	"errors"
	"slices"
	"time"

	"chatcast/models"
)

// OutboxPark lets an item wait until the given time, and what is behind it in its chat. Its
// deadline moves as far, so the wait does not make it fail. An attempt that the messenger
// refused is none, because nobody has the message, and counts as refused when the account
// is locked. When the person has written during the attempt, the item does not wait: it is
// an answer now.
func (s *Service) OutboxPark(ctx context.Context, item OutboxItem, until time.Time, why SendError) error {
	return s.changeWithRetry(ctx, func(c *change) error {
		row, err := c.lockOutbox(item.Line, item.ID)
		if errors.Is(err, models.ErrNotFound) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		if row.StartedAt != 0 && row.Kind == OutMessage && why.Code == SendReachoutLocked {
			row.Attempts = max(0, row.Attempts-1)
			if err := c.countDay(item.Line, c.now.Unix(), models.LineDay{RefusedLock: 1}); err != nil {
				return err
			}
		}
		if row.Deadline == models.Abandoned {
			return nil // the account was logged out meanwhile
		}
		row.StartedAt, row.LastError = 0, why.Message
		if err := c.tx.SaveOutbox(row); err != nil {
			return err
		}
		answers, err := c.tx.HasReceived(row.ChatID)
		if err != nil {
			return err
		}
		if answers && !item.Answers && !item.Group && row.Kind == OutMessage {
			return c.answerOutbox(item.Line, row.ChatID)
		}
		return c.tx.HoldChat(row.ChatID, row.ID, s.hold(until, why))
	})
}

// answerOutbox makes answers of what waits in a chat. When something did, the line's
// connector sends it after the commit.
func (c *change) answerOutbox(on Line, chatID int64) error {
	waited, err := c.tx.AnswerOutbox(chatID)
	if waited {
		if c.answers == nil {
			c.answers = map[Line]bool{}
		}
		c.answers[on] = true
	}
	return err
}

// queueAnswers wakes the connectors of lines.
func (s *Service) queueAnswers(lines map[Line]bool) {
	for on := range lines {
		if connector, err := s.messenger(on.Messenger); err == nil {
			if queued, ok := connector.(Queued); ok {
				queued.Queue(on)
			}
		}
	}
}

// hold is a wait until the first whole second that is not before until.
func (s *Service) hold(until time.Time, why SendError) models.Hold {
	until = until.Add(time.Second - 1)
	return models.Hold{Until: until.Unix(), Deadline: until.Add(s.sendWithin()).Unix(), Why: why.Message}
}

// firstSlots is how many first messages of a careful line get a time of their own at once.
// Those behind them wait for the last of these, so that a thousand are not written for each
// one that is sent.
const firstSlots = 100

// OutboxHold lets the first messages of a line that are due wait, and what is behind them in
// their chats: until the given time or, in turn, one by one from then on at the pace of a
// careful line. Messages that waited before go first; new ones follow on all that wait.
func (s *Service) OutboxHold(ctx context.Context, on Line, until time.Time, inTurn bool, why SendError) error {
	return s.changeWithRetry(ctx, func(c *change) error {
		until, now := until, c.now.Unix() // the change may be tried again
		chats, err := c.tx.LockFirstChats(on.LicenseID, on.Messenger, now)
		if err != nil {
			return err
		}
		if !inTurn {
			return c.tx.HoldFirst(chats, now, s.hold(until, why))
		}
		rows, err := c.tx.DueFirst(on.LicenseID, on.Messenger, now, firstSlots)
		if err != nil {
			return err
		}
		last, err := c.tx.LastFirst(on.LicenseID, on.Messenger, now)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if _, locked := slices.BinarySearch(chats, row.ChatID); !locked {
				continue // it has come since, and is held when it is to be sent
			}
			if after := time.Unix(last, 0); row.NotBefore == 0 && last != 0 {
				until, last = later(until, after.Add(Pace(after))), 0
			}
			if err := c.tx.HoldChat(row.ChatID, row.ID, s.hold(until, why)); err != nil {
				return err
			}
			until = until.Add(Pace(until))
		}
		if len(rows) < firstSlots {
			return nil
		}
		return c.tx.HoldFirst(chats, now, s.hold(until, why))
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
