package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"gorm.io/gorm"
	driver "modernc.org/sqlite" // the driver "sqlite", pure Go
	lib "modernc.org/sqlite/lib"
)

// openSQLite opens the file at path. It creates the file and its folder for the owner
// alone; a folder that exists already may be open to others.
//
// Transactions use one connection. So they wait for each other in Go, in the order they
// came, rather than in SQLite's busy loop; and so do those of SideDB, see writeTurn. Reads have their own connections: in WAL
// mode they neither wait for the writer nor hold it up. synchronous is FULL, so that a
// commit survives a loss of power. The busy timeout is for another process, such as
// `chatcast token` beside serve.
func openSQLite(ctx context.Context, path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("models: no file is named after sqlite: in database.url")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("models: database folder: %w", err)
	}
	if err := makePrivate(path); err != nil {
		return nil, fmt.Errorf("models: database file: %w", err)
	}
	s := &Store{sqlitePath: path, turn: newWriteTurn(), troubles: newTroubles(), readers: max(4, runtime.GOMAXPROCS(0))}
	s.shared.turn = s.turn
	var err error
	if s.db, err = s.openSQLitePool(ctx, 1, writing); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.reader, err = s.openSQLitePool(ctx, s.readers, url.Values{"_pragma": {
		"busy_timeout(10000)", "foreign_keys(1)", "query_only(1)",
	}}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// MissingFile reports whether url names an SQLite database whose file does not exist, and
// returns the file's absolute path.
func MissingFile(url string) (path string, missing bool) {
	path, sqlite := strings.CutPrefix(url, "sqlite:")
	if !sqlite || path == "" {
		return "", false
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	_, err := os.Stat(path)
	return path, errors.Is(err, fs.ErrNotExist)
}

// writing are the options of connections that write.
var writing = url.Values{"_txlock": {"immediate"}, "_pragma": {
	"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
}}

// makePrivate creates an empty file at path unless it exists: SQLite itself would
// create it readable by everybody. SQLite's other files get its permissions. An
// existing file is not touched: closing it here would end the locks that this process
// has on it.
func makePrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func (s *Store) openSQLitePool(ctx context.Context, size int, options url.Values) (*gorm.DB, error) {
	pool, err := s.sqlitePool(ctx, size, options)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, pool.Close)
	return gorm.Open(sqliteDialect{pool}, gormConfig())
}

func (s *Store) sqlitePool(ctx context.Context, size int, options url.Values) (*sql.DB, error) {
	// A path may contain characters with a meaning in a URI, so it is escaped.
	dsn := "file:" + (&url.URL{Path: s.sqlitePath}).EscapedPath() + "?" + options.Encode()
	pool, err := sql.Open("sqlite", dsn)
	if err == nil {
		var turn *writeTurn
		if options.Has("_txlock") { // it writes
			turn = s.turn
		}
		pool, err = inTurn(pool, dsn, turn)
	}
	if err != nil {
		return nil, fmt.Errorf("models: open %s: %w", s.sqlitePath, err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("models: open %s: %w", s.sqlitePath, err), pool.Close())
	}
	return pool, nil
}

// sqliteConstraint returns ErrDuplicate or ErrReference for a constraint violation, and
// nil for any other error.
func sqliteConstraint(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return ErrDuplicate
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return ErrReference
	}
	return nil
}
