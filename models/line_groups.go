package models

import "gorm.io/gorm/clause"

// LineGroup is a group of a line's account, as it was when we last heard of it. The row
// without an ExternalID holds the account whose groups the line has.
type LineGroup struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	ExternalID    string `gorm:"primaryKey"`
	State         string // JSON
}

// LineGroup finds and locks a group of a line, or returns ErrNotFound.
func (tx *Tx) LineGroup(licenseID int64, messengerType, externalID string) (*LineGroup, error) {
	return first[LineGroup](tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND external_id = ?", licenseID, messengerType, externalID))
}

// LineGroupsOf returns the account whose groups the line has, or ErrNotFound when they were
// never listed.
func (tx *Tx) LineGroupsOf(licenseID int64, messengerType string) (account string, err error) {
	row, err := first[LineGroup](tx.db.Where("license_id = ? AND messenger_type = ? AND external_id = ''", licenseID, messengerType))
	if err != nil {
		return "", err
	}
	return row.State, nil
}

// LineGroupIDs lists the ids of a line's groups, sorted.
func (tx *Tx) LineGroupIDs(licenseID int64, messengerType string) (ids []string, err error) {
	return ids, tx.db.Model(&LineGroup{}).Where("license_id = ? AND messenger_type = ? AND external_id <> ''", licenseID, messengerType).
		Order("external_id").Pluck("external_id", &ids).Error
}

// AddLineGroup inserts g, or returns ErrDuplicate when the line has that group.
func (tx *Tx) AddLineGroup(g *LineGroup) error { return tx.create(g) }

// PutLineGroup inserts g, or gives it another state.
func (tx *Tx) PutLineGroup(g *LineGroup) error {
	return tx.db.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "license_id"}, {Name: "messenger_type"}, {Name: "external_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"state"}),
	}).Create(g).Error
}

// DeleteLineGroup deletes g, if it is there.
func (tx *Tx) DeleteLineGroup(g *LineGroup) error { return tx.db.Delete(g).Error }
