package models

import "errors"

// ErrOfKey means that a user is that of a key for programs, which can be no employee.
var ErrOfKey = errors.New("models: the user is that of a key for programs")

// APIKey lets a program use the API: for all lines of the company, or for one of them.
type APIKey struct {
	ID         int64
	CompanyID  int64
	LicenseID  *int64 // of the line; nil: all lines
	Messenger  string // of the line
	UserID     int64  // the key's own user, who stands for it
	Name       string
	Hash       string // hex SHA-256 of the key
	CanRead    bool
	CanSend    bool
	CanManage  bool
	CanInbound bool
	CreatedBy  *int64 // nil: the server's owner
	CreatedAt  int64
	LastUsedAt int64 // to a minute; 0: not yet
}

// TableName returns the table's name.
func (APIKey) TableName() string { return "api_keys" }

// Of reports whether the key is for the line: it is the company's, or this line's own.
func (k *APIKey) Of(licenseID int64, messengerType string) bool {
	return k.LicenseID == nil || *k.LicenseID == licenseID && k.Messenger == messengerType
}

// CreateKey inserts a key and sets its id. It returns ErrDuplicate when there is a key with
// this hash, and ErrReference when there is no such line.
func (tx *Tx) CreateKey(k *APIKey) error { return tx.create(k) }

// KeyByHash finds a key by the hex SHA-256 of its text, or returns ErrNotFound.
func (tx *Tx) KeyByHash(hash string) (*APIKey, error) {
	return first[APIKey](tx.db.Where("hash = ?", hash))
}

// KeysByHash lists the keys with these hashes.
func (tx *Tx) KeysByHash(hashes []string) (list []APIKey, err error) {
	return list, tx.db.Where("hash IN ?", hashes).Find(&list).Error
}

// KeyByID returns a key, or ErrNotFound.
func (tx *Tx) KeyByID(id int64) (*APIKey, error) {
	return first[APIKey](tx.db.Where("id = ?", id))
}

// KeyOfUser returns the key that a user stands for, or ErrNotFound.
func (tx *Tx) KeyOfUser(userID int64) (*APIKey, error) {
	return first[APIKey](tx.db.Where("user_id = ?", userID))
}

// LockKey is KeyByID, and keeps others that lock the key too waiting until the transaction
// ends.
func (tx *Tx) LockKey(id int64) (*APIKey, error) {
	return first[APIKey](tx.forUpdate().Where("id = ?", id))
}

// Keys lists at most limit keys of the company, newest first, those with ids below before
// (0: all).
func (tx *Tx) Keys(companyID, before int64, limit int) ([]APIKey, error) {
	q := tx.db.Where("company_id = ?", companyID)
	if before != 0 {
		q = q.Where("id < ?", before)
	}
	var list []APIKey
	return list, q.Order("id DESC").Limit(limit).Find(&list).Error
}

// AllKeys lists the keys of all companies, by company and id.
func (tx *Tx) AllKeys() (list []APIKey, err error) {
	return list, tx.db.Order("company_id, id").Find(&list).Error
}

// CountKeys returns how many keys the company has.
func (tx *Tx) CountKeys(companyID int64) (n int64, err error) {
	return n, tx.db.Model(&APIKey{}).Where("company_id = ?", companyID).Count(&n).Error
}

// KeysOfLicense lists the keys of the licence's lines, by id; with a messenger, only those
// of that line.
func (tx *Tx) KeysOfLicense(licenseID int64, messengerType string) (list []APIKey, err error) {
	q := tx.db.Where("license_id = ?", licenseID)
	if messengerType != "" {
		q = q.Where("messenger = ?", messengerType)
	}
	return list, q.Order("id").Find(&list).Error
}

// CompanyKeyUsers lists the users of the keys for all lines of the company, rising.
func (tx *Tx) CompanyKeyUsers(companyID int64) (ids []int64, err error) {
	return ids, tx.db.Model(&APIKey{}).Where("company_id = ? AND license_id IS NULL", companyID).Order("user_id").Pluck("user_id", &ids).Error
}

// DeleteKey removes a key. Its user stays, and can do nothing.
func (tx *Tx) DeleteKey(id int64) error {
	return tx.db.Exec("DELETE FROM api_keys WHERE id = ?", id).Error
}

// TouchKey notes that the key was used, unless a use after since is noted.
func (tx *Tx) TouchKey(id, now, since int64) error {
	return tx.db.Exec("UPDATE api_keys SET last_used_at = ? WHERE id = ? AND last_used_at <= ?", now, id, since).Error
}

// HasDialectClients reports whether somebody may get events of a line in the words of a dialect: there
// is a key that reads it, or a webhook in a dialect's words.
func (tx *Tx) HasDialectClients(companyID, licenseID int64, messengerType string) (has bool, err error) {
	err = tx.db.Raw(`
		SELECT EXISTS (SELECT 1 FROM api_keys
		               WHERE company_id = ? AND can_read AND (license_id IS NULL OR license_id = ? AND messenger = ?))
		    OR EXISTS (SELECT 1 FROM callback_urls
		               WHERE company_id = ? AND format <> '' AND enabled AND (license_id IS NULL OR license_id = ? AND messenger_type = ?))`,
		companyID, licenseID, messengerType, companyID, licenseID, messengerType).Scan(&has).Error
	return has, err
}
