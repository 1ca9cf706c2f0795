package models

// AddOutbox inserts an item and sets its ID.
func (tx *Tx) AddOutbox(o *OutboxItem) error { return tx.create(o) }

// Outbox lists at most limit items of a line with ids above after, by id.
func (tx *Tx) Outbox(licenseID int64, messengerType string, after int64, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	err := tx.db.Where("license_id = ? AND messenger_type = ? AND id > ?", licenseID, messengerType, after).
		Order("id").Limit(limit).Find(&rows).Error
	return rows, err
}

// OutboxRow loads an item of a line, or returns ErrNotFound when it was done.
func (tx *Tx) OutboxRow(licenseID int64, messengerType string, id int64) (*OutboxItem, error) {
	return first[OutboxItem](tx.db.Where("license_id = ? AND messenger_type = ? AND id = ?", licenseID, messengerType, id))
}

// LockOutbox loads an item of a line and locks it until the transaction ends. It
// returns ErrNotFound when the item was done.
func (tx *Tx) LockOutbox(licenseID int64, messengerType string, id int64) (*OutboxItem, error) {
	return first[OutboxItem](tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND id = ?", licenseID, messengerType, id))
}

// LockOutboxOf locks and returns the items about a message, by id.
func (tx *Tx) LockOutboxOf(messageID int64) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	return rows, tx.forUpdate().Where("message_id = ?", messageID).Order("id").Find(&rows).Error
}

// OutboxOverdue lists the items whose deadline is over, the oldest first, except those
// that were started after since.
func (tx *Tx) OutboxOverdue(now, since int64, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	return rows, tx.db.Where("deadline <= ? AND started_at <= ?", now, since).Order("deadline, id").Limit(limit).Find(&rows).Error
}

// SaveOutbox writes every column of an item.
func (tx *Tx) SaveOutbox(o *OutboxItem) error { return tx.db.Select("*").Save(o).Error }

// ReleaseOutbox lets the items of a line that wait until then be performed now.
func (tx *Tx) ReleaseOutbox(licenseID int64, messengerType string, until int64) error {
	return tx.db.Model(&OutboxItem{}).
		Where("license_id = ? AND messenger_type = ? AND not_before = ?", licenseID, messengerType, until).Update("not_before", 0).Error
}

// ExtendOutbox moves the deadlines of the items of a chat with ids above after to at least
// the given one.
func (tx *Tx) ExtendOutbox(chatID, after, deadline int64) error {
	return tx.db.Model(&OutboxItem{}).Where("chat_id = ? AND id > ? AND deadline < ?", chatID, after, deadline).Update("deadline", deadline).Error
}

// OutboxDeadline returns the last deadline of a chat's items, 0 if there are none.
func (tx *Tx) OutboxDeadline(chatID int64) (last int64, err error) {
	return last, tx.db.Model(&OutboxItem{}).Where("chat_id = ?", chatID).Select("COALESCE(MAX(deadline), 0)").Scan(&last).Error
}

// AnswerOutbox makes answers of the first messages of a chat that were not begun: the
// person has written.
func (tx *Tx) AnswerOutbox(chatID int64) error {
	return tx.db.Model(&OutboxItem{}).Where("chat_id = ? AND cold AND started_at = 0", chatID).
		Updates(map[string]any{"cold": false, "not_before": 0}).Error
}

// DeleteOutbox deletes an item.
func (tx *Tx) DeleteOutbox(id int64) error { return tx.db.Delete(&OutboxItem{}, id).Error }
