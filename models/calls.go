package models

import "gorm.io/gorm/clause"

// Call is a call that a person made to an account.
type Call struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	CallID        string `gorm:"primaryKey"`
	ChatID        int64
	State         string
	Step          int // a later state has a higher one
	Video         bool
	Caller        string // JSON
	At            int64  // unix seconds, of its beginning
}

// AddCall inserts a call, and reports whether it was not here yet.
func (tx *Tx) AddCall(c *Call) (added bool, err error) {
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(c)
	return res.RowsAffected == 1, res.Error
}

// CallOf finds and locks a call, or returns ErrNotFound.
func (tx *Tx) CallOf(licenseID int64, messengerType, callID string) (*Call, error) {
	return first[Call](tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND call_id = ?", licenseID, messengerType, callID))
}

// SaveCall saves the state of a locked call.
func (tx *Tx) SaveCall(c *Call) error { return tx.db.Save(c).Error }

// ForgetCalls removes calls that began before a time, in unix seconds.
func (tx *Tx) ForgetCalls(before int64) error {
	return tx.db.Where("at < ?", before).Delete(&Call{}).Error
}
