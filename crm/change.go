package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/broadcasting"
	"chatcast/models"
)

// change is a transaction and the events that it causes.
type change struct {
	tx     *models.Tx
	s      *Service
	now    time.Time
	from   Client // of the request, for the audit log
	quiet  bool   // of history: no events, and nothing is unread
	events []Event
	after  []func()           // called after the commit, before the relay is woken
	ends   []models.AccessEnd // of which sockets are told after the commit
	last   []int64            // rows of the journal of which sockets are told before that

	labels  map[Line]bool     // lines whose phones have to be told of labels
	answers map[Line]bool     // lines with messages that wait no more
	told    map[LineNews]bool // what the other processes are told with the commit

	made   map[int64]bool    // rows of the chats that were made for a message of ours
	people map[string]string // what is new of contacts, by id: ContactNew, ContactChanged
	past   past              // what a batch of the history brought
}

// emit appends ev to the journal when the change commits, in the order of calls.
func (c *change) emit(ev Event) {
	if !c.quiet {
		c.events = append(c.events, ev)
	}
}

// change runs f in one transaction, which also journals the events that f emitted. As
// models.Store.Tx says, f may be called several times.
// After the commit it ends the subscriptions that were lost, then wakes the relay. It
// does so even when the commit returns an error, because the commit may have happened
// all the same: the caller may have cancelled ctx meanwhile, or the database did not
// answer. Nothing else would end the subscriptions then.
func (s *Service) change(ctx context.Context, f func(c *change) error) error {
	var done *change // nil: the commit was not tried
	trace, end := s.traced(ctx)
	err := s.Store.Tx(ctx, func(tx *models.Tx) error {
		done = nil // of an attempt that the database has ended
		c := &change{tx: tx, s: s, now: s.Now(), from: clientIn(ctx)}
		if err := f(c); err != nil {
			return err
		}
		var moves []chatMove
		for _, ev := range c.events {
			entry, err := ev.entry(c.now)
			if err != nil {
				return err
			}
			if err := tx.AppendJournal(entry); err != nil {
				return err
			}
			s.Journal.trace(entry.ID, trace)
			if ev.last {
				c.last = append(c.last, entry.ID)
			}
			if ev.moved != nil {
				ev.moved.entry = entry.ID
				moves = append(moves, *ev.moved)
			}
		}
		if err := errors.Join(c.follow(moves), c.wakeLines(), c.keepEnds()); err != nil {
			return err
		}
		done = c
		return nil
	})
	end(done, err)
	if done == nil {
		return err
	}
	for _, f := range done.after {
		f()
	}
	if len(done.last) > 0 {
		s.Live.Wake()
		s.awaitLast(done.last)
	}
	s.tellEnds(done.ends)
	s.tellLabels(done.labels)
	s.queueAnswers(done.answers)
	if len(done.events) > 0 {
		s.Live.Wake()
	}
	return err
}

// traced begins to trace a change, when there is a Tracer.
func (s *Service) traced(ctx context.Context) (trace broadcasting.Trace, end func(done *change, err error)) {
	if s.Tracer == nil {
		return trace, func(*change, error) {}
	}
	trace, over := s.Tracer.Change(ctx)
	return trace, func(done *change, err error) {
		var names []string
		if done != nil {
			for _, ev := range done.events {
				names = append(names, ev.Name)
			}
		}
		over(names, err)
	}
}

// raceAttempts is how often a change is tried that inserts what another may insert.
const raceAttempts = 5

// changeWithRetry is like change, but begins again when the change inserts a row that a
// concurrent one has just inserted, for example because it creates or merges the same
// chats.
func (s *Service) changeWithRetry(ctx context.Context, f func(c *change) error) (err error) {
	for range raceAttempts {
		if err = s.change(ctx, f); !errors.Is(err, models.ErrDuplicate) {
			return err
		}
	}
	return err
}

// untilDone calls change until f is done, in as many transactions as f needs. The
// events of each transaction are true after it.
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
