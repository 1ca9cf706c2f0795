package models

// AddFile inserts the row of a stored attachment.
func (tx *Tx) AddFile(f *File) error { return tx.create(f) }

// FileByID loads the row of an attachment, or ErrNotFound.
func (tx *Tx) FileByID(id string) (*File, error) {
	return first[File](tx.db.Where("id = ?", id))
}

// KnownFiles says which of the ids have a row.
func (tx *Tx) KnownFiles(ids []string) (map[string]bool, error) {
	var known []string
	if err := tx.db.Model(&File{}).Where("id IN ?", ids).Pluck("id", &known).Error; err != nil {
		return nil, err
	}
	set := make(map[string]bool, len(known))
	for _, id := range known {
		set[id] = true
	}
	return set, nil
}
