package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// LockServe is the key of the advisory lock of PostgreSQL that servers hold: alone after
// Lock, with each other after LockShared.
const LockServe int64 = lockServe

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

// LockShared makes this process one of those that serve from a PostgreSQL database
// together, until Close. It returns ErrLocked when there is one that serves alone, and
// ErrOtherBus when there are some that are connected to each other by something else than
// bus.
func (s *Store) LockShared(ctx context.Context, bus string) error {
	if !s.postgres {
		return s.Lock(ctx)
	}
	conn, release, err := s.takeServeLock(ctx, tryLockShared)
	if err != nil {
		return err
	}
	if err = lockBus(ctx, conn, bus); err == nil {
		err = waitForBus(ctx, conn, bus)
	}
	if err != nil {
		return errors.Join(err, release())
	}
	s.lock = &serveLock{shared: true, bus: bus, conn: conn}
	s.holdLock(s.lock.release)
	return nil
}

func (s *Store) lockPostgres(ctx context.Context) error {
	conn, release, err := s.takeServeLock(ctx, tryLock)
	if err != nil {
		return err
	}
	// The connections of a process that was killed may still commit. Such a commit must
	// not overwrite what we write: keys that were used would be used again.
	err = waitForLock(ctx, conn, tryLock, lockSide, sideWait)
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(lockSide))
	}
	if err != nil {
		return errors.Join(err, release())
	}
	s.lock = &serveLock{conn: conn}
	s.holdLock(s.lock.release)
	return nil
}

// Functions that take a lock for one alone, and with others.
const (
	tryLock       = "pg_try_advisory_lock"
	tryLockShared = "pg_try_advisory_lock_shared"
)

// takeServeLock takes the lock of servers on a connection of its own, with a function of
// PostgreSQL.
func (s *Store) takeServeLock(ctx context.Context, try string) (conn *pgx.Conn, release func() error, err error) {
	conn, err = pgx.Connect(ctx, s.url)
	if err != nil {
		return nil, nil, fmt.Errorf("models: lock: %w", err)
	}
	release = func() error {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
		defer cancel()
		_ = conn.Close(bye) // the server releases the lock in any case
		return nil
	}
	if err := waitForLock(ctx, conn, try, lockServe, lockWait); err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return conn, release, nil
}

// lockUnlessServed keeps servers away until release is called, for a process that serves
// nothing. It returns ErrLocked when there is one. It makes no lock file, which would be
// the user's who runs a command; a database without one was not served here yet.
func (s *Store) lockUnlessServed(ctx context.Context) (release func() error, err error) {
	if s.postgres {
		_, release, err = s.takeServeLock(ctx, tryLock)
		return release, err
	}
	path := s.sqlitePath + ".lock"
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	if release, err = lockFile(path); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return release, nil
}

// waitForLock returns nil when conn holds the lock, and ErrLocked after wait.
func waitForLock(ctx context.Context, conn *pgx.Conn, try string, key int64, wait time.Duration) error {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	retry := time.NewTicker(lockPoll)
	defer retry.Stop()
	for {
		var won bool
		if err := conn.QueryRow(ctx, "SELECT "+try+"($1)", key).Scan(&won); err != nil {
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
