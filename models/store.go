package models

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"chatcast/models/seal"
)

// ErrNotFound means that no row matches. Every query of one row returns it.
var ErrNotFound = errors.New("models: not found")

// ErrDuplicate means that a row with this key exists already.
var ErrDuplicate = errors.New("models: duplicate")

// ErrReference means that a row refers to one that does not exist, or that other rows
// still refer to the row to be deleted.
var ErrReference = errors.New("models: broken reference")

// Store is the database. It is safe for concurrent use. It must be closed in the end.
type Store struct {
	// static
	db         *gorm.DB // for transactions; on SQLite one connection
	reader     *gorm.DB // for Read; on PostgreSQL the same as db
	postgres   bool
	url        string // of PostgreSQL
	sqlitePath string
	turn       *writeTurn    // of SQLite
	shared     sharedCommits // the same
	troubles   *troubles
	readers    int // connections that read at once
	closers    []func() error
	lock       *serveLock // of PostgreSQL; nil: Lock was not called

	keys       *seal.Keys // of secrets; set by UseKeys; nil: they are not encrypted
	rehearsing bool       // set by Rehearse
}

// Tx is the view of the database that queries run in: one transaction (see Store.Tx),
// or plain statements (see Store.Read). A transaction is not safe for concurrent use.
// Queries are methods of Tx, in a file for each noun.
type Tx struct {
	db       *gorm.DB
	postgres bool
	keys     *seal.Keys

	chats map[int64][]any // what the database has of locked chats, see SaveChat
}

// txAttempts is how often a transaction is tried that the database ends.
const txAttempts = 5

// Tx runs f in one transaction and commits it when f returns nil. When f returns an
// error, Tx rolls back and returns that error. On SQLite the transaction takes the
// write lock at once, so f never meets SQLITE_BUSY midway, and only one transaction
// runs at a time: f must not call Tx again, nor wait for another transaction or for
// anything outside. Transactions that wait for each other there commit together, see
// sharedCommits; each is whole or undone for itself.
//
// When the database ends the transaction because of others, Tx begins again. So f may be called several times: it must set what it changes outside the
// transaction, and not add to it. Whatever must happen once comes after Tx.
func (s *Store) Tx(ctx context.Context, f func(tx *Tx) error) error {
	return s.tx(ctx, false, f)
}

// TxFirst is Tx that goes before all transactions that wait on SQLite. It is for what must
// not queue behind those who cause it.
func (s *Store) TxFirst(ctx context.Context, f func(tx *Tx) error) error {
	return s.tx(ctx, true, f)
}

func (s *Store) tx(ctx context.Context, first bool, f func(tx *Tx) error) (err error) {
	for attempt := range txAttempts {
		run := func(db *gorm.DB) error {
			err := f(&Tx{db: db, postgres: s.postgres, keys: s.keys})
			if err == nil && attempt == 0 && s.rehearsing {
				return errRehearsed
			}
			return err
		}
		if s.postgres {
			err = s.db.WithContext(ctx).Transaction(run)
		} else {
			err = s.shared.tx(ctx, s.db, first, run)
		}
		if err != errRehearsed && !endedByOthers(err) {
			break
		}
	}
	s.troubles.note(err)
	return err
}

// errRehearsed ends the first attempt of each transaction while the store rehearses.
var errRehearsed = errors.New("models: this is the rehearsal")

// Rehearse makes each transaction from now on be rolled back once at its end, and begin
// again, as if others had ended it. It is for tests of what calls Tx.
func (s *Store) Rehearse() { s.rehearsing = true }

// endedByOthers reports whether the database has ended a transaction only because of
// concurrent ones: as the victim of a deadlock, because it could not be ordered, or because it
// was lost with the transaction that it shared.
func endedByOthers(err error) bool {
	var lost errSharedLost
	var e *pgconn.PgError
	return errors.As(err, &lost) || errors.As(err, &e) && (e.Code == "40P01" || e.Code == "40001") // deadlock_detected, serialization_failure
}

// Read returns a Tx for queries that change nothing. Each statement sees the newest
// commit. On SQLite a statement that would change something fails.
func (s *Store) Read(ctx context.Context) *Tx {
	return &Tx{db: s.reader.WithContext(ctx), postgres: s.postgres, keys: s.keys}
}

// Readers returns how many queries of Read run at once; others wait for them.
func (s *Store) Readers() int { return s.readers }

// Ping returns an error unless the database answers, to writers and to readers.
func (s *Store) Ping(ctx context.Context) error {
	return errors.Join(s.db.WithContext(ctx).Exec("SELECT 1").Error, s.reader.WithContext(ctx).Exec("SELECT 1").Error)
}

// Close closes all connections and releases the lock. Closing again does nothing.
func (s *Store) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// first loads one row, or returns ErrNotFound.
func first[T any](q *gorm.DB) (*T, error) {
	var row T
	if err := q.Take(&row).Error; err != nil {
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil, ErrNotFound
		}
		return nil, err
	}
	return &row, nil
}

// byID loads the rows with these ids, as far as they exist.
func byID[T any](tx *Tx, ids []int64, id func(T) int64) (map[int64]T, error) {
	found := map[int64]T{}
	if len(ids) == 0 {
		return found, nil
	}
	var rows []T
	err := tx.db.Where("id IN ?", ids).Find(&rows).Error
	for _, r := range rows {
		found[id(r)] = r
	}
	return found, err
}

// create inserts a row. It returns ErrDuplicate when its key exists, and ErrReference
// when it refers to a row that does not. On PostgreSQL the transaction cannot be used
// after such an error.
func (tx *Tx) create(row any) error {
	return tx.constraint(tx.db.Create(row).Error)
}

// constraint wraps a constraint violation in ErrDuplicate or ErrReference. It returns
// other errors unchanged.
func (tx *Tx) constraint(err error) error {
	if err == nil {
		return nil
	}
	named := sqliteConstraint(err)
	if tx.postgres {
		named = postgresConstraint(err)
	}
	if named == nil {
		return err
	}
	return fmt.Errorf("%w: %w", named, err)
}

// BumpIdentity makes the ids that PostgreSQL draws next higher than those of rows that
// were inserted with chosen ids. SQLite needs no such call.
func (tx *Tx) BumpIdentity(table string) error {
	if !tx.postgres {
		return nil
	}
	return tx.db.Exec(`SELECT setval(s.name, GREATEST((SELECT COALESCE(MAX(id), 1) FROM ?), nextval(s.name)))
		FROM (SELECT pg_get_serial_sequence(?, 'id')::regclass AS name) s`,
		clause.Table{Name: table}, table).Error
}

// forUpdate locks the selected rows until the transaction ends. SQLite has one
// writer and needs no row locks.
func (tx *Tx) forUpdate() *gorm.DB {
	if !tx.postgres {
		return tx.db
	}
	return tx.db.Clauses(clause.Locking{Strength: "UPDATE"})
}

// lockRows ends a query in SQL whose rows are to be locked, as forUpdate does.
func (tx *Tx) lockRows() string {
	if !tx.postgres {
		return ""
	}
	return " FOR UPDATE"
}

// gormConfig leaves the preparing of statements to the drivers: gorm's own cache starts
// a goroutine that nothing ends, and it does not keep statements that are prepared in a
// transaction.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard, // errors are returned, and their handlers log them
		SkipDefaultTransaction: true,
	}
}

// Open connects to url, "sqlite:PATH" or "postgres://...", and does not migrate.
func Open(ctx context.Context, url string) (*Store, error) {
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url)
	}
	return nil, errors.New("models: database.url must begin with sqlite: or postgres://")
}
