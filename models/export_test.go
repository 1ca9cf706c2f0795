package models

import "context"

// Exec runs one statement.
func (s *Store) Exec(ctx context.Context, sql string, args ...any) error {
	return s.db.WithContext(ctx).Exec(sql, args...).Error
}

// Postgres reports whether s is a PostgreSQL database.
func (s *Store) Postgres() bool { return s.postgres }

// Scan reads the rows of one query.
func (s *Store) Scan(ctx context.Context, dest any, sql string) error {
	return s.db.WithContext(ctx).Raw(sql).Scan(dest).Error
}

// WritersInTurn returns how many writers to an SQLite file wait for their turn.
func (s *Store) WritersInTurn() int { return int(s.turn.waiting.Load()) }

// Scan reads the rows of one query in the transaction.
func (tx *Tx) Scan(dest any, sql string) error { return tx.db.Raw(sql).Scan(dest).Error }
