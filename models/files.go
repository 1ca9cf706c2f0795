package models

// AddFile inserts the row of a stored attachment.
func (tx *Tx) AddFile(f *File) error { return tx.create(f) }

// FileByID loads the row of an attachment, or ErrNotFound.
func (tx *Tx) FileByID(id string) (*File, error) {
	return first[File](tx.db.Where("id = ?", id))
}

// KnownFiles reports which of these ids of the file store have a row.
func (tx *Tx) KnownFiles(ids []string) (map[string]bool, error) {
	var own, others []string
	if err := tx.db.Model(&File{}).Where("id IN ?", ids).Pluck("id", &own).Error; err != nil {
		return nil, err
	}
	if err := tx.db.Model(&File{}).Where("stored_as <> '' AND stored_as IN ?", ids).Pluck("stored_as", &others).Error; err != nil {
		return nil, err
	}
	set := make(map[string]bool, len(own)+len(others))
	for _, id := range append(own, others...) {
		set[id] = true
	}
	return set, nil
}

// LockFile is FileByID, but also locks the row until the transaction ends.
func (tx *Tx) LockFile(id string) (*File, error) {
	return first[File](tx.forUpdate().Where("id = ?", id))
}

// FileOfMessage finds the announced attachment of a message, or ErrNotFound.
func (tx *Tx) FileOfMessage(messageID int64) (*File, error) {
	return first[File](tx.db.Where("message_id = ?", messageID))
}

// FilesByID loads the files with these ids, as far as they exist, by id.
func (tx *Tx) FilesByID(ids []string) (map[string]*File, error) {
	found := map[string]*File{}
	if len(ids) == 0 {
		return found, nil
	}
	var rows []*File
	err := tx.db.Where("id IN ?", ids).Find(&rows).Error
	for _, f := range rows {
		found[f.ID] = f
	}
	return found, err
}

// HideFilesOf makes every file of a message unreachable from at on, or with nil reachable
// again.
func (tx *Tx) HideFilesOf(messageID int64, at *int64) error {
	return tx.db.Exec(`UPDATE files SET deleted_at = ? WHERE message_id = ?`, at, messageID).Error
}

// HidePictures makes every picture of a chat but one unreachable from at on.
func (tx *Tx) HidePictures(chatID int64, except string, at int64) error {
	return tx.db.Exec(`UPDATE files SET deleted_at = ? WHERE picture AND chat_id = ? AND id <> ? AND deleted_at IS NULL`, at, chatID, except).Error
}

// SaveFile writes every column of a file.
func (tx *Tx) SaveFile(f *File) error { return tx.db.Select("*").Save(f).Error }

// PendingFiles lists the files of a line that are due to be fetched by now, oldest
// first. It leaves out the files of messages sent through the API, which their sender
// fetches.
func (tx *Tx) PendingFiles(licenseID int64, messengerType string, now int64, limit int) ([]*File, error) {
	var rows []*File
	err := tx.db.Where(`state = 'pending' AND license_id = ? AND not_before <= ?
		AND message_id IN (SELECT id FROM messages WHERE deleted_at IS NULL AND NOT from_api)
		AND chat_id IN (SELECT id FROM chats WHERE license_id = ? AND messenger_type = ?)`, licenseID, now, licenseID, messengerType).
		Order("created_at, id").Limit(limit).Find(&rows).Error
	return rows, err
}

// ForgetDeletedFiles removes the rows of at most limit files whose message was deleted,
// unless the deletion still waits in the outbox, and returns how many it removed.
func (tx *Tx) ForgetDeletedFiles(limit int) (int64, error) {
	res := tx.db.Exec(`DELETE FROM files WHERE id IN (
		SELECT id FROM files WHERE deleted_at IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.message_id = files.message_id)
		LIMIT ?)`, limit)
	return res.RowsAffected, res.Error
}

// LinkEpoch returns the number that signed links to files of the licence are good for;
// 0 when there is no such licence.
func (tx *Tx) LinkEpoch(licenseID int64) (epoch int64, err error) {
	err = tx.db.Raw("SELECT c.link_epoch FROM licenses l JOIN companies c ON c.id = l.company_id WHERE l.id = ?", licenseID).Scan(&epoch).Error
	return epoch, err
}

// EndLinksOf ends all signed links to files of the companies that the user works for.
func (tx *Tx) EndLinksOf(userID int64) error {
	return tx.db.Exec(`UPDATE companies SET link_epoch = link_epoch + 1
		WHERE id IN (SELECT company_id FROM employees WHERE user_id = ?)`, userID).Error
}

// EndLinks ends all signed links to files of the company.
func (tx *Tx) EndLinks(companyID int64) error {
	return tx.db.Exec("UPDATE companies SET link_epoch = link_epoch + 1 WHERE id = ?", companyID).Error
}
