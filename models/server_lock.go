package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrLocked means that another process serves from this database.
var ErrLocked = errors.New("models: another chatcast is running on this database")

// Waiting times on PostgreSQL. It may not have noticed yet that a server has ended, and
// the server's last statements may still be running.
const (
	lockWait = 2 * time.Second
	sideWait = 20 * time.Second
	lockPoll = 50 * time.Millisecond
)

// Lock makes this process the only one that serves from the database, until Close: the
// relay and the sockets are in one process, and the sockets of another process would
// receive nothing. It returns ErrLocked when there is another.
//
// On SQLite it locks the file <database>.lock, which stays. On PostgreSQL it takes an
// advisory lock on a connection of its own. The system releases either lock when the
// process ends, however it ends.
func (s *Store) Lock(ctx context.Context) error {
	if s.postgres {
		return s.lockPostgres(ctx)
	}
	path := s.sqlitePath + ".lock"
	release, err := lockFile(path)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, path)
	}
	s.holdLock(release)
	return nil
}

func (s *Store) lockPostgres(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("models: lock: %w", err)
	}
	release := func() error {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
		defer cancel()
		_ = conn.Close(bye) // the server releases the lock in any case
		return nil
	}
	if err := waitForLock(ctx, conn, lockServe, lockWait); err != nil {
		return errors.Join(err, release())
	}
	// The connections of a process that was killed may still commit. Such a commit must
	// not overwrite what we write: keys that were used would be used again.
	err = waitForLock(ctx, conn, lockSide, sideWait)
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(lockSide))
	}
	if err != nil {
		return errors.Join(err, release())
	}
	s.holdLock(release)
	return nil
}

// waitForLock returns nil when conn holds the lock, and ErrLocked after wait.
func waitForLock(ctx context.Context, conn *pgx.Conn, key int64, wait time.Duration) error {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	retry := time.NewTicker(lockPoll)
	defer retry.Stop()
	for {
		var won bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&won); err != nil {
			return fmt.Errorf("models: lock: %w", err)
		}
		if won {
			return nil
		}
		select {
		case <-retry.C:
		case <-limit.C:
			return ErrLocked
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// holdLock makes Close release the lock last, after everything else is closed.
func (s *Store) holdLock(release func() error) {
	s.closers = append([]func() error{release}, s.closers...)
}
