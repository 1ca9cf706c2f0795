package models

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// ErrNewerDatabase means that the database has a version that this program does not
// know: run the newer program.
var ErrNewerDatabase = errors.New("models: the database is of a newer version of chatcast")

// ErrServedOlder means that a server runs on the database, and knows the version that it
// has now and no later one.
var ErrServedOlder = errors.New("models: a server of another version of chatcast is running on this database")

//go:embed migrations/*.sql
var migrations embed.FS

// Keys of our advisory locks on PostgreSQL: "chat" and the purpose.
const (
	lockMigrate = 0x63686174_0001
	lockRelay   = 0x63686174_0002
	lockServe   = 0x63686174_0003
	lockSide    = 0x63686174_0004
	lockFront   = 0x63686174_0005
	lockNext    = 0x63686174_0006
)

// Migrate brings the database to the version of this program. It changes nothing when
// the database has that version already, and returns ErrNewerDatabase when it has a
// newer one. Nodes that start together on one PostgreSQL wait for each other.
func (s *Store) Migrate(ctx context.Context) error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	if !s.postgres {
		return migrate(ctx, pool, false)
	}
	return withAdvisoryLock(ctx, pool, lockMigrate, func() error { return migrate(ctx, pool, true) })
}

// MigrateBeside calls f, which migrates tables that a library has in the database. On
// PostgreSQL no other process migrates meanwhile.
func (s *Store) MigrateBeside(ctx context.Context, f func() error) error {
	if !s.postgres {
		return f()
	}
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	return withAdvisoryLock(ctx, pool, lockMigrate, f)
}

// MigrateUnlessServed is Migrate for a process that has not called Lock. It changes
// nothing and returns ErrServedOlder while a server runs that the new version would take
// by surprise.
func (s *Store) MigrateUnlessServed(ctx context.Context) error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	p, err := newMigrator(pool, s.postgres)
	if err != nil {
		return err
	}
	is, ours, err := versions(ctx, p)
	if err != nil || is == ours {
		return err
	}
	release, err := s.lockUnlessServed(ctx)
	if errors.Is(err, ErrLocked) {
		return fmt.Errorf("%w: the database is of version %d, which this program would bring to %d", ErrServedOlder, is, ours)
	}
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), release())
}

// versions returns the version of the database and that of this program, or
// ErrNewerDatabase.
func versions(ctx context.Context, p *goose.Provider) (is, ours int64, err error) {
	is, ours, err = p.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("models: database version: %w", err)
	}
	if is > ours {
		return 0, 0, fmt.Errorf("%w: it is of version %d, this program knows up to %d", ErrNewerDatabase, is, ours)
	}
	return is, ours, nil
}

func newMigrator(pool *sql.DB, postgres bool) (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, pool, migrationFS(migrations, postgres),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("models: migrations: %w", err)
	}
	return p, nil
}

func migrate(ctx context.Context, pool *sql.DB, postgres bool) error {
	p, err := newMigrator(pool, postgres)
	if err != nil {
		return err
	}
	if _, _, err := versions(ctx, p); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("models: migrate: %w", err)
	}
	return nil
}

// withAdvisoryLock runs f while a connection of its own holds the lock.
func withAdvisoryLock(ctx context.Context, pool *sql.DB, key int64, f func() error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("models: connect: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		return fmt.Errorf("models: migration lock: %w", err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key)
	return f()
}
