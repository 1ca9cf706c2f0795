package models

// Insert adds rows as they are, each a pointer to a row type, their ids
// included when they have one. For rows that no rule is about.
func (tx *Tx) Insert(rows ...any) error {
	for _, row := range rows {
		if err := tx.create(row); err != nil {
			return err
		}
	}
	return nil
}

// Written lists what stands in the journal behind the row afterID in the order
// in which it was written, numbered or not yet. It is not the order of the
// numbers: for looking, not for following.
func (tx *Tx) Written(afterID int64, limit int) ([]JournalEntry, error) {
	var entries []JournalEntry
	err := tx.db.Where("id > ?", afterID).Order("id").Limit(limit).Find(&entries).Error
	return entries, err
}
