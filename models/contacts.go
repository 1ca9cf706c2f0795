package models

import "gorm.io/gorm/clause"

// EnsureContact inserts k unless its line knows the contact already, and reports
// whether it did. It waits for a transaction that is inserting the same contact.
func (tx *Tx) EnsureContact(k *Contact) (created bool, err error) {
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(k)
	return res.RowsAffected == 1, res.Error
}

// ContactByExternal finds a contact of a line by the messenger's id.
func (tx *Tx) ContactByExternal(licenseID int64, messengerType, id string) (*Contact, error) {
	return first[Contact](tx.db.Where("license_id = ? AND messenger_type = ? AND external_id = ?", licenseID, messengerType, id))
}

// LockContacts locks and returns the contacts of a line that have any of the
// ids, in the order of their row ids.
func (tx *Tx) LockContacts(licenseID int64, messengerType string, ids []string) ([]*Contact, error) {
	var rows []*Contact
	err := tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND external_id IN ?", licenseID, messengerType, ids).
		Order("id").Find(&rows).Error
	return rows, err
}

// LockPeople locks and returns the contacts of a line that have any of the ids as external
// id or LID, in the order of their row ids.
func (tx *Tx) LockPeople(licenseID int64, messengerType string, ids []string) ([]*Contact, error) {
	var rows []*Contact
	err := tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND (external_id IN ? OR lid IN ?)", licenseID, messengerType, ids, ids).
		Order("id").Find(&rows).Error
	return rows, err
}

// LockBlocked locks and returns the contacts of a line that are blocked or have any of the
// ids, in the order of their row ids.
func (tx *Tx) LockBlocked(licenseID int64, messengerType string, ids []string) ([]*Contact, error) {
	var rows []*Contact
	err := tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND (blocked OR external_id IN ? OR lid IN ?)", licenseID, messengerType, ids, ids).
		Order("id").Find(&rows).Error
	return rows, err
}

// ContactByAlias finds a contact of a line by either of its ids. A contact with both
// ids comes first.
func (tx *Tx) ContactByAlias(licenseID int64, messengerType, id string) (*Contact, error) {
	return first[Contact](tx.db.Where("license_id = ? AND messenger_type = ? AND (external_id = ? OR lid = ?)", licenseID, messengerType, id, id).
		Order("CASE WHEN lid = external_id THEN 1 ELSE 0 END, id"))
}

// ContactNames returns the names of a line's contacts by the messenger's ids, as far as
// they are known. With OnlyVisible the names are only those that Contacts lists for the
// viewer.
func (tx *Tx) ContactNames(f ContactFilter, ids []string) (map[string]string, error) {
	var rows []Contact
	err := tx.contacts(f).Where("k.external_id IN ? OR k.lid IN ?", ids, ids).Find(&rows).Error
	names := make(map[string]string, len(rows))
	for _, k := range rows {
		if names[k.ExternalID] = k.Name; k.LID != nil {
			names[*k.LID] = k.Name
		}
	}
	return names, err
}

// DeleteContact deletes a contact.
func (tx *Tx) DeleteContact(id int64) error { return tx.db.Delete(&Contact{}, id).Error }

// SaveContact writes every column of a contact that LockContacts returned. It returns
// ErrDuplicate when another contact has its external id.
func (tx *Tx) SaveContact(k *Contact) error {
	return tx.constraint(tx.db.Select("*").Save(k).Error)
}
