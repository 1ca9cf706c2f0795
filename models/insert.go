package models

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
