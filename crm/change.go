package crm

import (
	"context"
	"time"

	"chatcast/models"
)

// change is a transaction and the events that it causes.
type change struct {
	tx     *models.Tx
	now    time.Time
	quiet  bool // of history: nothing is told, nothing is new
	events []Event
	after  []func() // what follows from the commit, before the relay is woken
}

// emit appends ev to the journal when the change commits, in the order of calls.
func (c *change) emit(ev Event) {
	if !c.quiet {
		c.events = append(c.events, ev)
	}
}

// change runs f in one transaction; what f emitted is journalled in it. After
// the commit subscriptions that were lost end, then the relay is woken. So they
// do when the commit fails: it may have happened all the same, when who asked has
// hung up meanwhile or the database did not answer, and nobody else would end
// them.
func (s *Service) change(ctx context.Context, f func(c *change) error) error {
	var done *change // nil: the commit was not tried
	err := s.Store.Tx(ctx, func(tx *models.Tx) error {
		c := &change{tx: tx, now: s.Now()}
		if err := f(c); err != nil {
			return err
		}
		for _, ev := range c.events {
			entry, err := ev.entry(c.now)
			if err != nil {
				return err
			}
			if err := tx.AppendJournal(entry); err != nil {
				return err
			}
		}
		done = c
		return nil
	})
	if done == nil {
		return err
	}
	for _, f := range done.after {
		f()
	}
	if len(done.events) > 0 {
		s.Live.Wake()
	}
	return err
}

// changeWithRetry is change that begins again when another change at the same time
// was in its way, as two that make or join the same chats can be. f must bear to
// be run again.
func (s *Service) changeWithRetry(ctx context.Context, f func(c *change) error) (err error) {
	for range 5 {
		if err = s.change(ctx, f); !models.Retryable(err) {
			return err
		}
	}
	return err
}

// untilDone is change, in as many transactions as f needs until it is done: what
// was told is true after each of them.
func (s *Service) untilDone(ctx context.Context, f func(c *change) (done bool, err error)) error {
	for {
		var done bool
		err := s.change(ctx, func(c *change) (err error) {
			done, err = f(c)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}
