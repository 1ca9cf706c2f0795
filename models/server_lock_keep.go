package models

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// serveLock is the connection that holds the lock of a server on PostgreSQL.
type serveLock struct {
	// static
	shared bool   // with others
	bus    string // that connects them

	mu   sync.Mutex
	conn *pgx.Conn // guarded by mu
}

func (l *serveLock) set(conn *pgx.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
}

func (l *serveLock) get() *pgx.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

func (l *serveLock) release() error {
	closeConn(l.get()) // the server releases the lock in any case
	return nil
}

func closeConn(conn *pgx.Conn) {
	bye, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	_ = conn.Close(bye)
}

// KeepLock watches the lock of Lock or LockShared until ctx ends; then it returns nil. A server of
// PostgreSQL that restarts, or another one that takes over, knows nothing of it: it is taken
// again as soon as that server answers, and again is called. It returns ErrLocked if
// another process has it by then: this one must stop.
func (s *Store) KeepLock(ctx context.Context, again func(ctx context.Context)) error {
	if s.lock == nil {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		lost := s.lock.get()
		_ = listenOn(ctx, lost) // it returns when the connection is lost
		if ctx.Err() != nil {
			break
		}
		pid := lost.PgConn().PID()
		closeConn(lost)
		conn, err := s.takeAgain(ctx, pid)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		s.lock.set(conn)
		again(ctx)
	}
	return nil
}

// takeAgain takes the lock that the connection with this process id of the server has lost.
// Where the network was cut, the server may not know yet that it has.
func (s *Store) takeAgain(ctx context.Context, lost uint32) (conn *pgx.Conn, err error) {
	for {
		conn, err = s.lockAgain(ctx, lost)
		if err == nil || errors.Is(err, ErrLocked) || ctx.Err() != nil {
			return conn, err
		}
		if err := pause(ctx, standbyPoll); err != nil {
			return nil, err
		}
	}
}

// lockAgain is one attempt of takeAgain.
func (s *Store) lockAgain(ctx context.Context, lost uint32) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND ((classid::BIGINT << 32) | objid::BIGINT) = $1 AND pid = $2",
		int64(lockServe), int64(lost))
	if err == nil {
		err = s.lock.take(ctx, conn)
	}
	if err != nil {
		closeConn(conn)
		return nil, fmt.Errorf("models: the lock was lost: %w", err)
	}
	return conn, nil
}

// take takes the lock on another connection. Servers of another bus that have come meanwhile
// are not asked for: they are those that must not be here.
func (l *serveLock) take(ctx context.Context, conn *pgx.Conn) error {
	if !l.shared {
		return waitForLock(ctx, conn, tryLock, lockServe, lockWait)
	}
	if err := waitForLock(ctx, conn, tryLockShared, lockServe, lockWait); err != nil {
		return err
	}
	return lockBus(ctx, conn, l.bus)
}

// lockTime is for one attempt to take the lock again.
const lockTime = 10 * time.Second
