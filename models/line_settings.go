package models

import (
	"errors"
	"strconv"

	"gorm.io/gorm/clause"
)

// LineSettings is how the account of a line behaves.
type LineSettings struct {
	LicenseID     int64  `gorm:"primaryKey"`
	MessengerType string `gorm:"primaryKey"`
	RejectCalls   bool
	RejectText    string // sent to the caller; empty: nothing is
	Proxy         string // its URL with the password; empty: none
	Typing        *bool  // shows that it types before a text; nil: as configured
	SendDelay     *int64 // seconds between two messages; nil: as configured
	DailyLimit    *int64 // how many messages it may send in a day; nil: any number
	Labels        bool   // tags of chats go to the phone as labels

	ReceiveStatus   bool // keeps what people post as their status, in their chats
	ReceiveChannels bool // keeps what the channels post that the account follows

	Disappearing      int64 // seconds after which messages disappear in chats that the line begins; 0: never
	DisappearingSince int64 // when that was set, unix seconds
}

// LineSettings returns the settings of a line: the defaults if none were set.
func (tx *Tx) LineSettings(licenseID int64, messengerType string) (*LineSettings, error) {
	row, err := first[LineSettings](tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType))
	if errors.Is(err, ErrNotFound) {
		return &LineSettings{LicenseID: licenseID, MessengerType: messengerType}, nil
	}
	if err != nil {
		return nil, err
	}
	return row, tx.open(lineProxy, &row.Proxy, strconv.FormatInt(licenseID, 10), messengerType)
}

// CallSettings lists the settings of the companies' lines that have any, without all but what they
// say about calls and the proxy.
func (tx *Tx) CallSettings(companyIDs []int64) (list []LineSettings, err error) {
	err = tx.db.Select("license_id", "messenger_type", "reject_calls", "reject_text", "proxy").
		Where("license_id IN (SELECT id FROM licenses WHERE company_id IN ?)", companyIDs).Find(&list).Error
	for i := range list {
		if row := &list[i]; err == nil {
			err = tx.open(lineProxy, &row.Proxy, strconv.FormatInt(row.LicenseID, 10), row.MessengerType)
		}
	}
	return list, err
}

// LockLabels reports whether the tags of a line's chats go to its phone, and keeps others
// from changing the line's settings until the transaction ends. A line without any gets the
// defaults: else others could add some.
func (tx *Tx) LockLabels(licenseID int64, messengerType string) (on bool, err error) {
	find := func() error {
		row, err := first[LineSettings](tx.forUpdate().Where("license_id = ? AND messenger_type = ?", licenseID, messengerType))
		if err == nil {
			on = row.Labels
		}
		return err
	}
	if err := find(); !errors.Is(err, ErrNotFound) {
		return on, err
	}
	row := LineSettings{LicenseID: licenseID, MessengerType: messengerType}
	if err := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return false, err
	}
	err = find()
	return on, err
}

// PutLineSettings stores the settings of a line.
func (tx *Tx) PutLineSettings(s *LineSettings) error {
	row := *s
	if row.Proxy != "" {
		if err := tx.claimKeys(); err != nil {
			return err
		}
		row.Proxy = tx.seal(lineProxy, s.Proxy, strconv.FormatInt(s.LicenseID, 10), s.MessengerType)
	}
	return tx.db.Save(&row).Error
}
