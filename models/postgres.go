package models

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// maxPostgresConns bounds the pool of one node, so that a burst queues here and
// not at a server that runs out of connections.
const maxPostgresConns = 20

func openPostgres(ctx context.Context, url string) (*Store, error) {
	troubles := newTroubles()
	db, err := gorm.Open(postgres.New(postgres.Config{DSN: url, OptionOpenDB: []stdlib.OptionOpenDB{
		stdlib.OptionAfterConnect(troubles.born), stdlib.OptionResetSession(troubles.fresh),
	}}), gormConfig())
	if err != nil {
		return nil, fmt.Errorf("models: open postgres: %w", err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(maxPostgresConns)
	pool.SetMaxIdleConns(maxPostgresConns / 2)
	s := &Store{db: db, reader: db, postgres: true, url: url, troubles: troubles, readers: maxPostgresConns, closers: []func() error{pool.Close}}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("models: open postgres: %w", err), s.Close())
	}
	return s, nil
}

// postgresConstraint returns ErrDuplicate or ErrReference for a constraint violation,
// and nil for any other error.
func postgresConstraint(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code {
	case "23505": // unique_violation
		return ErrDuplicate
	case "23503": // foreign_key_violation
		return ErrReference
	}
	return nil
}
