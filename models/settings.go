package models

// Setting returns a stored value, or ErrNotFound.
func (tx *Tx) Setting(name string) (string, error) {
	row, err := first[Setting](tx.db.Where("name = ?", name))
	if err != nil {
		return "", err
	}
	return row.Value, nil
}

// EnsureSetting stores value under name unless there is one already, and returns the
// stored value. Of nodes that start together, one sets it for all.
func (tx *Tx) EnsureSetting(name, value string) (string, error) {
	err := tx.db.Exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, value).Error
	if err != nil {
		return "", err
	}
	return tx.Setting(name)
}
