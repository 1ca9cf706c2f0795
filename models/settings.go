package models

import (
	"context"
	"errors"
)

// Setting returns a stored value, or ErrNotFound.
func (tx *Tx) Setting(name string) (string, error) {
	row, err := first[Setting](tx.db.Where("name = ?", name))
	if err != nil {
		return "", err
	}
	err = tx.open(settingValue, &row.Value, name)
	return row.Value, err
}

// ProbeWrite commits a small change, and returns an error if the database takes none:
// its disk is full, or it is read-only. Nothing reads what it writes. Settings may be
// encrypted, so the row of the probe has no value; it comes and goes.
func (s *Store) ProbeWrite(ctx context.Context) error {
	return s.Tx(ctx, func(tx *Tx) error {
		return errors.Join(
			tx.db.Exec("DELETE FROM settings WHERE name = 'write_probe'").Error,
			tx.db.Exec("INSERT INTO settings (name, value) VALUES ('write_probe', '') ON CONFLICT (name) DO NOTHING").Error, // another process may have been faster
		)
	})
}

// EnsureSetting stores value under name unless there is one already, and returns the
// stored value. Of nodes that start together, one sets it for all.
func (tx *Tx) EnsureSetting(name, value string) (string, error) {
	if err := tx.claimKeys(); err != nil {
		return "", err
	}
	err := tx.db.Exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, tx.seal(settingValue, value, name)).Error
	if err != nil {
		return "", err
	}
	return tx.Setting(name)
}
