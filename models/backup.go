package models

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// ErrNotSQLite means that the database is PostgreSQL, which has tools of its own.
var ErrNotSQLite = errors.New("models: the database is not SQLite")

// Backup writes a copy of an SQLite database to path, a new file that its owner alone can
// read. The copy is the database at one moment, without the space of what was deleted.
// Others may read and write meanwhile. For PostgreSQL the error is ErrNotSQLite, and
// fs.ErrExist when there is a file at path, which stays as it is.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.postgres {
		return ErrNotSQLite
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("models: backup: %w", err)
	}
	err = s.db.WithContext(ctx).Exec("VACUUM INTO ?", path).Error // it accepts an empty file
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("models: backup: %w", err), os.Remove(path))
	}
	return nil
}
