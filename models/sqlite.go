package models

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite" // the driver "sqlite", pure Go
)

// openSQLite opens the file at path. Its folder is made, for the owner alone.
// Writers wait for each other (busy_timeout) and take the lock when their
// transaction begins, so that no transaction fails halfway.
func openSQLite(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("models: database folder: %w", err)
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)",
	}}
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: "file:" + path + "?" + q.Encode()}, gormConfig())
	if err != nil {
		return nil, fmt.Errorf("models: open sqlite: %w", err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	return &Store{db: db, closers: []func() error{pool.Close}}, pool.PingContext(ctx)
}
