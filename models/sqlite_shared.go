package models

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
)

// Bounds of a shared commit: whoever leads takes no more along after either, nor when somebody
// waits for SQLite who cannot share.
const (
	sharedMost = 64
	sharedTime = 20 * time.Millisecond
)

// sharedCommits lets the transactions that wait for SQLite commit together. SQLite has one
// writer, and its commit waits for the disk. So the caller whose transaction is open leads: it
// lends the transaction to those who have come meanwhile, one after the other, and commits for
// all. Each of them works behind a savepoint of its own, and what it does is undone without
// harm to the others.
type sharedCommits struct {
	turn *writeTurn // static

	mu      sync.Mutex
	waiting []*sharer // in the order in which they get their turn
	led     bool      // somebody leads, or is about to
}

// sharer is a caller of Tx that waits.
type sharer struct {
	turn  chan *gorm.DB // holds one: the transaction that it may use, or nil: it leads
	ran   chan ran      // holds one: what became of it
	ended chan error    // holds one: the outcome of the commit
}

type ran struct {
	kept bool  // it is to be committed
	lost error // the transaction is over, with all that was done in it
}

// errSharedLost means that another caller's fault ended the shared transaction.
type errSharedLost struct{ cause error }

func (e errSharedLost) Error() string {
	return "models: the shared transaction was lost: " + e.cause.Error()
}
func (e errSharedLost) Unwrap() error { return e.cause }

// tx runs f once, in a transaction that others may share. first puts it before all that wait.
func (c *sharedCommits) tx(ctx context.Context, db *gorm.DB, first bool, f func(db *gorm.DB) error) error {
	m := c.enter(first)
	if m == nil {
		return c.lead(ctx, db, f)
	}
	select {
	case tx := <-m.turn:
		return c.take(ctx, db, tx, m, f)
	case <-ctx.Done():
		if c.leave(m) {
			return ctx.Err()
		}
		return c.take(ctx, db, <-m.turn, m, f)
	}
}

// take does what the turn is for.
func (c *sharedCommits) take(ctx context.Context, db, tx *gorm.DB, m *sharer, f func(db *gorm.DB) error) error {
	if tx == nil {
		return c.lead(ctx, db, f)
	}
	return m.follow(ctx, tx, f)
}

// enter returns nil if the caller leads, or its place among those that wait.
func (c *sharedCommits) enter(first bool) *sharer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.led {
		c.led = true
		return nil
	}
	m := &sharer{turn: make(chan *gorm.DB, 1), ran: make(chan ran, 1), ended: make(chan error, 1)}
	if first {
		c.waiting = slices.Insert(c.waiting, 0, m)
	} else {
		c.waiting = append(c.waiting, m)
	}
	return m
}

// leave gives up the place of m, unless its turn has come.
func (c *sharedCommits) leave(m *sharer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.waiting, m)
	if i < 0 {
		return false
	}
	c.waiting = slices.Delete(c.waiting, i, i+1)
	return true
}

// next returns who is to use tx now; nil: nobody waits.
func (c *sharedCommits) next(tx *gorm.DB) *sharer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		if tx == nil {
			c.led = false
		}
		return nil
	}
	m := c.waiting[0]
	c.waiting = slices.Delete(c.waiting, 0, 1)
	m.turn <- tx
	return m
}

// lead runs f in a new transaction, lends it to those who wait, and commits. Afterwards the
// next one leads.
func (c *sharedCommits) lead(ctx context.Context, db *gorm.DB, f func(db *gorm.DB) error) error {
	defer c.next(nil)
	tx, release, err := begin(ctx, db)
	if err != nil {
		return err
	}
	defer release()
	defer tx.Rollback() // of what is not committed
	began := time.Now()
	if err := f(tx.WithContext(ctx)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var shared []*sharer
	var lost error
	for lost == nil && len(shared) < sharedMost && time.Since(began) < sharedTime && c.turn.waiting.Load() == 0 {
		m := c.next(tx)
		if m == nil {
			break
		}
		r := <-m.ran
		if lost = r.lost; r.kept {
			shared = append(shared, m)
		}
	}
	if lost == nil {
		err = tx.Commit().Error
	} else {
		err = errSharedLost{lost}
	}
	for _, m := range shared {
		m.ended <- err
	}
	return err
}

// begin begins a transaction that does not end with ctx: ctx ends only the waiting for it.
func begin(ctx context.Context, db *gorm.DB) (tx *gorm.DB, release func(), err error) {
	detached, release := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, release)
	tx = db.WithContext(detached).Begin()
	err = tx.Error
	if !stop() { // else err says that it was cancelled, whatever ended it
		if err == nil {
			tx.Rollback()
		}
		err = ctx.Err()
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return tx, release, nil
}

// follow runs f in the transaction of another caller, and waits for its commit. The end of ctx
// does not interrupt a statement: SQLite would undo the whole transaction.
func (m *sharer) follow(ctx context.Context, tx *gorm.DB, f func(db *gorm.DB) error) error {
	kept, err := m.behindSavepoint(ctx, tx, f)
	if !kept {
		return err
	}
	return <-m.ended
}

const savepoint = "shared"

func (m *sharer) behindSavepoint(ctx context.Context, tx *gorm.DB, f func(db *gorm.DB) error) (kept bool, err error) {
	tx = tx.WithContext(context.WithoutCancel(ctx))
	var lost error
	done := false
	defer func() { // f may panic
		if !kept && lost == nil && done {
			lost = errors.Join(tx.RollbackTo(savepoint).Error, tx.Exec("RELEASE SAVEPOINT "+savepoint).Error)
		}
		m.ran <- ran{kept: kept, lost: lost}
	}()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if lost = tx.SavePoint(savepoint).Error; lost != nil {
		return false, errSharedLost{lost}
	}
	done = true
	if err := f(tx); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if lost = tx.Exec("RELEASE SAVEPOINT " + savepoint).Error; lost != nil {
		return false, errSharedLost{lost}
	}
	return true, nil
}
