package models

import (
	"strconv"

	"gorm.io/gorm"
)

// CallbackURL returns a URL with its secrets, or ErrNotFound.
func (tx *Tx) CallbackURL(id int64) (*CallbackURL, error) {
	return tx.callback(tx.db.Where("id = ?", id))
}

// LockCallbackURL is CallbackURL, but also locks the row until the transaction ends.
func (tx *Tx) LockCallbackURL(id int64) (*CallbackURL, error) {
	return tx.callback(tx.forUpdate().Where("id = ?", id))
}

// KeepCallbackURL locks a URL, if it is there, so that it is neither changed by a person nor
// removed until the transaction ends, and others can log to it.
func (tx *Tx) KeepCallbackURL(id int64) error {
	if !tx.postgres { // SQLite has one writer
		return nil
	}
	return tx.db.Exec("SELECT id FROM callback_urls WHERE id = ? FOR KEY SHARE", id).Error
}

// ofLine selects what is no dry run and has the format.
const ofLine = "license_id = ? AND messenger_type = ? AND parent_id IS NULL AND format = ?"

// LockLineCallback returns the callback URL of a line, locked, or ErrNotFound.
func (tx *Tx) LockLineCallback(licenseID int64, messengerType string) (*CallbackURL, error) {
	return tx.callback(tx.forUpdate().Where(ofLine, licenseID, messengerType, ""))
}

// LockLineEndpoints lists the endpoints of a line in a format, locked, by id.
func (tx *Tx) LockLineEndpoints(licenseID int64, messengerType, format string) ([]CallbackURL, error) {
	return tx.callbacks(tx.forUpdate().Where(ofLine, licenseID, messengerType, format))
}

// LineEndpoints is LockLineEndpoints without the lock.
func (tx *Tx) LineEndpoints(licenseID int64, messengerType, format string) ([]CallbackURL, error) {
	return tx.callbacks(tx.db.Where(ofLine, licenseID, messengerType, format))
}

// EndpointByPublicID returns the endpoint with a public id, or ErrNotFound.
func (tx *Tx) EndpointByPublicID(format, publicID string) (*CallbackURL, error) {
	return tx.callback(tx.db.Where("public_id = ? AND public_id <> '' AND format = ?", publicID, format))
}

// LiveEndpoints lists what gets the events of a line that are not in the journal: its endpoints
// with a format, and those of its company, whatever lines these select, that are on.
func (tx *Tx) LiveEndpoints(companyID, licenseID int64, messengerType string) ([]CallbackURL, error) {
	return tx.callbacks(tx.db.Where(`company_id = ? AND enabled AND format <> '' AND parent_id IS NULL AND suspended_at = 0 AND
		(license_id IS NULL OR license_id = ? AND messenger_type = ?)`, companyID, licenseID, messengerType))
}

// LineCallback is LockLineCallback without the lock.
func (tx *Tx) LineCallback(licenseID int64, messengerType string) (*CallbackURL, error) {
	return tx.callback(tx.db.Where(ofLine, licenseID, messengerType, ""))
}

// LockCompanyCallback returns the URL of all lines of a company in a format, locked, or
// ErrNotFound.
func (tx *Tx) LockCompanyCallback(companyID int64, format string) (*CallbackURL, error) {
	return tx.callback(tx.forUpdate().Where("company_id = ? AND license_id IS NULL AND parent_id IS NULL AND format = ?", companyID, format))
}

// DryRunOf returns the dry run of a URL, or ErrNotFound.
func (tx *Tx) DryRunOf(id int64) (*CallbackURL, error) {
	return tx.callback(tx.db.Where("parent_id = ?", id))
}

// LockCallbackChats returns the URLs of a line that select chats, and their dry runs, locked
// and without their secrets.
func (tx *Tx) LockCallbackChats(licenseID int64, messengerType string) (rows []CallbackURL, err error) {
	return rows, tx.forUpdate().Omit("url", "secret", "old_secret", "options").
		Where("license_id = ? AND messenger_type = ? AND chats <> '[]'", licenseID, messengerType).Order("id").Find(&rows).Error
}

// SaveCallbackChats writes which chats a URL selects.
func (tx *Tx) SaveCallbackChats(row *CallbackURL) error {
	return tx.db.Model(&CallbackURL{}).Where("id = ?", row.ID).Select("chats", "former_chats").Updates(row).Error
}

// CallbackURLs lists the URLs of the companies, dry runs included, by id.
func (tx *Tx) CallbackURLs(companyIDs []int64) ([]CallbackURL, error) {
	return tx.callbacks(tx.db.Where("company_id IN ?", companyIDs))
}

// callbacks lists what q finds, by id.
func (tx *Tx) callbacks(q *gorm.DB) ([]CallbackURL, error) {
	var rows []CallbackURL
	if err := q.Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	for i := range rows {
		if err := tx.openCallback(&rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (tx *Tx) callback(q *gorm.DB) (*CallbackURL, error) {
	row, err := first[CallbackURL](q)
	if err != nil {
		return nil, err
	}
	return row, tx.openCallback(row)
}

func (tx *Tx) openCallback(row *CallbackURL) error {
	key := strconv.FormatInt(row.ID, 10)
	if err := tx.open(callbackURL, &row.URL, key); err != nil {
		return err
	}
	if err := tx.open(callbackOldSecret, &row.OldSecret, key); err != nil {
		return err
	}
	if err := tx.open(callbackOptions, &row.Options, key); err != nil {
		return err
	}
	return tx.open(callbackSecret, &row.Secret, key)
}

// PutCallbackURL inserts a URL, and sets its ID, or replaces the one with its ID, which the
// caller has locked. It returns ErrDuplicate when the line or the company has one.
func (tx *Tx) PutCallbackURL(row *CallbackURL) error {
	if err := tx.claimKeys(); err != nil {
		return err
	}
	if row.ID == 0 { // what is sealed for a row needs its id
		empty := *row
		empty.URL, empty.Secret, empty.OldSecret, empty.Options = "", "", "", ""
		if err := tx.create(&empty); err != nil {
			return err
		}
		row.ID = empty.ID
	}
	sealed, key := *row, strconv.FormatInt(row.ID, 10)
	sealed.URL, sealed.Secret = tx.seal(callbackURL, row.URL, key), tx.seal(callbackSecret, row.Secret, key)
	sealed.OldSecret, sealed.Options = tx.seal(callbackOldSecret, row.OldSecret, key), tx.seal(callbackOptions, row.Options, key)
	if err := tx.db.Save(&sealed).Error; err != nil {
		return err
	}
	return tx.CallbacksChanged()
}

// DeleteCallbackURL removes a URL with its log and its dry run.
func (tx *Tx) DeleteCallbackURL(id int64) error {
	if err := tx.db.Delete(&CallbackURL{}, "id = ?", id).Error; err != nil {
		return err
	}
	return tx.CallbacksChanged()
}

// CallbacksChanged tells the processes that deliver to look at their URLs.
func (tx *Tx) CallbacksChanged() error {
	return tx.db.Exec("UPDATE callback_state SET version = version + 1 WHERE id = 1").Error
}

// CallbacksVersion returns a number that rises with each change of URLs. When it is read
// before them, it is never newer than they are.
func (tx *Tx) CallbacksVersion() (v int64, err error) {
	return v, tx.db.Raw("SELECT version FROM callback_state WHERE id = 1").Scan(&v).Error
}
