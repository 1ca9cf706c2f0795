package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// sideConns bounds the pool of SideDB.
const sideConns = 4

// SideDB opens a separate pool to the same database, for a library with its own tables
// and transactions. It also returns the name of the dialect: sqlite or postgres. The
// caller closes the pool.
//
// On SQLite a file has one writer at a time, whatever the pool, and all wait for their turn
// in the order they came: a caller that holds a transaction of one pool must not wait for a
// transaction of the other.
func (s *Store) SideDB(ctx context.Context) (db *sql.DB, dialect string, err error) {
	if !s.postgres {
		db, err = s.sqlitePool(ctx, sideConns, writing)
		return db, "sqlite", err
	}
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		return nil, "", fmt.Errorf("models: open postgres: %w", err)
	}
	// Each connection holds a shared lock, so that Lock sees when the last connection
	// of a process that was killed has ended.
	db = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1)", int64(lockSide))
		return errors.Join(err, postgresBorn(ctx, conn, s.troubles))
	}), stdlib.OptionResetSession(s.troubles.fresh))
	db.SetMaxOpenConns(sideConns)
	db.SetMaxIdleConns(sideConns)
	if err := db.PingContext(ctx); err != nil {
		return nil, "", errors.Join(fmt.Errorf("models: open postgres: %w", err), db.Close())
	}
	return db, "postgres", nil
}
