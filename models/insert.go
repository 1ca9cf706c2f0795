package models

import "context"

// Insert inserts rows as they are, with the ids that are set. Each is a pointer to a
// row type. It is for rows that no rule concerns.
func (tx *Tx) Insert(rows ...any) error {
	for _, row := range rows {
		if err := tx.create(row); err != nil {
			return err
		}
	}
	return nil
}

// Written lists the journal's entries after the row afterID in the order in which they
// were written, numbered or not. That is not the order of the numbers: use it to look
// at the journal, not to follow it.
func (tx *Tx) Written(afterID int64, limit int) ([]JournalEntry, error) {
	var entries []JournalEntry
	err := tx.db.Where("id > ?", afterID).Order("id").Limit(limit).Find(&entries).Error
	return entries, err
}

// LastWritten returns the row of the journal that was written last; 0: there is none.
func (tx *Tx) LastWritten() (id int64, err error) {
	return id, tx.db.Model(&JournalEntry{}).Select("COALESCE(MAX(id), 0)").Scan(&id).Error
}

// Reindex makes all names and messages wait for the indexes of searches, as an update of a
// database without them does.
func (tx *Tx) Reindex() error {
	clear := "DELETE FROM message_search"
	if !tx.postgres {
		clear = "INSERT INTO message_search (message_search) VALUES ('delete-all')"
	}
	if err := tx.db.Exec(clear).Error; err != nil {
		return err
	}
	for _, table := range []string{"chats", "contacts"} {
		if err := tx.db.Exec("UPDATE " + table + " SET folded = ''").Error; err != nil {
			return err
		}
	}
	return tx.db.Exec(`UPDATE search_state SET unindexed = (SELECT COALESCE(MAX(id), 0) FROM messages),
		unfolded_chats = (SELECT COALESCE(MAX(id), 0) FROM chats), unfolded_contacts = (SELECT COALESCE(MAX(id), 0) FROM contacts)`).Error
}

// Indexed counts the messages of which the index of searches has words.
func (tx *Tx) Indexed() (n int64, err error) {
	rows := tx.db.Table("message_search_docsize") // FTS5's own, with a row for each
	if tx.postgres {
		rows = tx.db.Table("message_search").Where("words <> CAST('' AS tsvector)")
	}
	err = rows.Count(&n).Error
	return n, err
}

// MigrateTo migrates an empty database to the version of an older program.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
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

// PretendVersion makes the database look as if a program had migrated it to the version.
func (s *Store) PretendVersion(ctx context.Context, version int64) error {
	return s.db.WithContext(ctx).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, TRUE)", version).Error
}
