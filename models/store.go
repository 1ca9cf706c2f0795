package models

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// ErrNotFound says that no row matches. Every query of one row returns it.
var ErrNotFound = errors.New("models: not found")

// ErrDuplicate says that a row with this key exists already.
var ErrDuplicate = errors.New("models: duplicate")

// Store is the database. Safe for concurrent use; Close it once.
type Store struct {
	db       *gorm.DB
	postgres bool
	closers  []func() error
}

// Tx is the view of the database that queries run in: one transaction (see
// Store.Tx), or plain statements (see Store.Read). Not for concurrent use when
// it is a transaction. Queries are methods of it, in a file for each noun.
type Tx struct {
	db       *gorm.DB
	postgres bool
}

// Tx runs f in one transaction and commits it when f returns nil. On SQLite the
// transaction takes the write lock at once, so f never meets SQLITE_BUSY midway.
// f may be rolled back for any error, which is returned as it is.
func (s *Store) Tx(ctx context.Context, f func(tx *Tx) error) error {
	return s.db.WithContext(ctx).Transaction(func(db *gorm.DB) error {
		return f(&Tx{db: db, postgres: s.postgres})
	})
}

// Read is for queries that change nothing: each statement sees the newest commit.
func (s *Store) Read(ctx context.Context) *Tx {
	return &Tx{db: s.db.WithContext(ctx), postgres: s.postgres}
}

// Close ends all connections.
func (s *Store) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}

// first loads one row into dst or returns ErrNotFound.
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

// create inserts a row; ErrDuplicate when its key exists.
func (tx *Tx) create(row any) error {
	err := tx.db.Create(row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("%w: %w", ErrDuplicate, err)
	}
	return err
}

// forUpdate locks the selected rows until the transaction ends. SQLite has one
// writer and needs no row locks.
func (tx *Tx) forUpdate() *gorm.DB {
	if !tx.postgres {
		return tx.db
	}
	return tx.db.Clauses(clause.Locking{Strength: "UPDATE"})
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard, // errors are returned; whoever handles them logs them
		TranslateError:         true,
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
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
