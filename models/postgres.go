package models

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// maxPostgresConns bounds the pool of one node, so that a burst queues here and
// not at a server that runs out of connections.
const maxPostgresConns = 20

// connectTimeout is how many seconds a server has to accept a connection. One that is starting,
// stopping, or gone may accept and then say nothing, and all would wait for it.
var connectTimeout = "10"

// inTime adds connectTimeout to the URL of a database, unless the administrator has set a
// time.
func inTime(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Query().Has("connect_timeout") || os.Getenv("PGCONNECT_TIMEOUT") != "" {
		return text // Open says what is wrong with it
	}
	sep := "?"
	if u.RawQuery != "" {
		sep = "&"
	}
	return text + sep + "connect_timeout=" + connectTimeout // as it was: pgx reads + and %20 in its own way
}

func openPostgres(ctx context.Context, url string) (*Store, error) {
	url = inTime(url)
	troubles := newTroubles()
	db, err := gorm.Open(postgres.New(postgres.Config{DSN: url, OptionOpenDB: []stdlib.OptionOpenDB{
		stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error { return postgresBorn(ctx, conn, troubles) }), stdlib.OptionResetSession(troubles.fresh),
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

// endSilent makes the server end a transaction whose process has said nothing for half a
// minute: one that was held up, or lost its power, must not keep its locks from the other
// processes. A value that the administrator has set stays.
const endSilent = `SELECT set_config('idle_in_transaction_session_timeout', '30s', false)
	WHERE current_setting('idle_in_transaction_session_timeout') = '0'`

// postgresBorn prepares a new connection of a pool.
func postgresBorn(ctx context.Context, conn *pgx.Conn, troubles *troubles) error {
	_, err := conn.Exec(ctx, endSilent)
	return errors.Join(err, troubles.born(ctx, conn))
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
