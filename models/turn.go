package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrOneWaits means that another process waits already to serve after the one that does.
var ErrOneWaits = errors.New("models: another chatcast waits already for the one that runs on this database to stop")

// Turn is the place of a process among those that serve one database, one after the other.
// The one that serves holds the lock front, and the one that waits for it the lock next:
// so each knows of the other. The lock of Store.Lock is another one, which the process that
// stops holds longer.
type Turn struct {
	url string

	mu sync.Mutex
	// guarded by mu
	locks turnLocks
}

// The locks of turns.
const (
	turnFront = iota
	turnNext
)

// turnLocks are the two locks, of files or of PostgreSQL.
type turnLocks interface {
	try(ctx context.Context, which int) (won bool, err error)
	free(ctx context.Context, which int) error
	close() error
}

// AwaitTurn waits until the process that serves from the database yields, if there is one.
// Then it calls waits first. It returns ErrOneWaits when another process waits already.
func AwaitTurn(ctx context.Context, url string, waits func()) (turn *Turn, err error) {
	t := &Turn{url: url}
	if t.locks, err = openTurnLocks(ctx, url); err != nil {
		return nil, fmt.Errorf("models: turn: %w", err)
	}
	if err := t.await(ctx, waits); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func openTurnLocks(ctx context.Context, url string) (turnLocks, error) {
	if path, sqlite := strings.CutPrefix(url, "sqlite:"); sqlite {
		return &fileTurns{path: path}, os.MkdirAll(filepath.Dir(path), 0o700)
	}
	conn, err := pgx.Connect(ctx, inTime(url))
	return serverTurns{conn}, err
}

func (t *Turn) await(ctx context.Context, waits func()) error {
	limit := time.Now().Add(lockWait) // a process that yields looks whether somebody waits
	for {
		won, err := t.locks.try(ctx, turnNext)
		if err != nil {
			return fmt.Errorf("models: turn: %w", err)
		}
		if won {
			break
		}
		if time.Now().After(limit) {
			return ErrOneWaits
		}
		if err := pause(ctx, lockPoll); err != nil {
			return err
		}
	}
	for told := false; ; told = true {
		won, err := t.locks.try(ctx, turnFront)
		if won {
			err = t.locks.free(ctx, turnNext)
		}
		if err != nil {
			return fmt.Errorf("models: turn: %w", err)
		}
		if won {
			return nil
		}
		if !told {
			waits()
		}
		if err := pause(ctx, lockPoll); err != nil {
			return err
		}
	}
}

// Yield ends the turn if another process waits for it, and reports whether one does. That
// process goes on within moments.
func (t *Turn) Yield(ctx context.Context) (awaited bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	alone, err := t.locks.try(ctx, turnNext)
	switch {
	case err != nil:
	case alone:
		err = t.locks.free(ctx, turnNext)
	default:
		awaited, err = true, t.locks.free(ctx, turnFront)
	}
	if err != nil {
		return awaited, fmt.Errorf("models: turn: %w", err)
	}
	return awaited, nil
}

// Renew keeps the turn after a server of PostgreSQL has lost it, because it restarted or
// another one took over.
func (t *Turn) Renew(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, files := t.locks.(*fileTurns); files {
		return nil
	}
	locks, err := openTurnLocks(ctx, t.url)
	if err != nil {
		return fmt.Errorf("models: turn: %w", err)
	}
	_ = t.locks.close()
	t.locks = locks
	won, err := locks.try(ctx, turnFront)
	if err != nil {
		return fmt.Errorf("models: turn: %w", err)
	}
	if !won {
		return ErrOneWaits
	}
	return nil
}

// Close ends the turn.
func (t *Turn) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.locks.close()
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fileTurns are the locks of an SQLite database, in files beside it.
type fileTurns struct {
	path     string
	releases [2]func() error // of the locks that this process holds
}

func (f *fileTurns) try(_ context.Context, which int) (won bool, err error) {
	release, err := lockFile(f.path + [...]string{".front", ".next"}[which])
	if errors.Is(err, ErrLocked) {
		return false, nil
	}
	f.releases[which] = release
	return err == nil, err
}

func (f *fileTurns) free(_ context.Context, which int) error {
	release := f.releases[which]
	f.releases[which] = nil
	if release == nil {
		return nil
	}
	return release()
}

func (f *fileTurns) close() error {
	return errors.Join(f.free(context.Background(), turnFront), f.free(context.Background(), turnNext))
}

// serverTurns is a connection to PostgreSQL that holds the locks.
type serverTurns struct{ conn *pgx.Conn }

func (c serverTurns) key(which int) int64 { return [...]int64{lockFront, lockNext}[which] }

func (c serverTurns) try(ctx context.Context, which int) (won bool, err error) {
	err = c.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", c.key(which)).Scan(&won)
	return won, err
}

func (c serverTurns) free(ctx context.Context, which int) error {
	_, err := c.conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", c.key(which))
	return err
}

func (c serverTurns) close() error {
	closeConn(c.conn) // the server releases the locks in any case
	return nil
}
