package models

import "context"

// PretendVersion makes the database one that a newer program migrated.
func PretendVersion(ctx context.Context, s *Store, version int64) error {
	return s.db.WithContext(ctx).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, TRUE)", version).Error
}
