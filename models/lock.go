package models

import (
	"errors"
	"fmt"
)

// ErrLocked says that another process serves from this SQLite file.
var ErrLocked = errors.New("models: another chatcast is running on this database")

// Lock makes this process the only one that serves from the database, until
// Close: on SQLite the relay and the sockets live in one process. It returns
// ErrLocked at once when there is another. The lock is that of the file
// <database>.lock, which stays; the system releases it when the process ends,
// however it ends. PostgreSQL serves many nodes and is not locked.
func (s *Store) Lock() error {
	if s.postgres {
		return nil
	}
	path := s.sqlitePath + ".lock"
	release, err := lockFile(path)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, path)
	}
	s.closers = append([]func() error{release}, s.closers...) // released last
	return nil
}
