package models

import "context"

// PretendVersion makes the database look as if a newer program had migrated it.
func PretendVersion(ctx context.Context, s *Store, version int64) error {
	return s.Exec(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, TRUE)", version)
}

// MigrateTo migrates an empty database to the version of an older program.
func MigrateTo(ctx context.Context, s *Store, version int64) error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	p, err := newMigrator(pool, s.postgres)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}

// Exec runs one statement.
func (s *Store) Exec(ctx context.Context, sql string, args ...any) error {
	return s.db.WithContext(ctx).Exec(sql, args...).Error
}
