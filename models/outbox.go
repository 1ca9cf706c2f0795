package models

import "gorm.io/gorm"

// AddOutbox inserts an item and sets its ID.
func (tx *Tx) AddOutbox(o *OutboxItem) error { return tx.create(o) }

// Outbox lists at most limit items of a line, by id.
func (tx *Tx) Outbox(licenseID int64, messengerType string, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	return rows, tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).Order("id").Limit(limit).Find(&rows).Error
}

// Abandoned is the deadline of items whose account was logged out.
const Abandoned = -1

// AbandonOutbox makes all items of a line overdue, because its account was logged out. The
// first messages among them that nobody began to send give their places back.
func (tx *Tx) AbandonOutbox(licenseID int64, messengerType string) error {
	err := tx.db.Where("license_id = ? AND messenger_type = ? AND begun_at = 0 AND message_id IS NOT NULL", licenseID, messengerType).
		Delete(&FirstContact{}).Error
	if err != nil {
		return err
	}
	return tx.db.Model(&OutboxItem{}).Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).
		Updates(map[string]any{"deadline": Abandoned, "started_at": 0, "not_before": 0, "held": false, "cold": false}).Error
}

// OutboxDue lists at most limit items of a line with ids above after that may be performed
// at a time, by id: theirs has come, and that of all items before them in their chats that are not read marks.
func (tx *Tx) OutboxDue(licenseID int64, messengerType string, at, after int64, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	return rows, tx.outboxDue(licenseID, messengerType, at, after, limit).Find(&rows).Error
}

// OutboxDueAnswers is like OutboxDue, without the first messages to people that nobody began
// to send, and what is behind them in their chats.
func (tx *Tx) OutboxDueAnswers(licenseID int64, messengerType string, at, after int64, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	return rows, tx.outboxDueAnswers(licenseID, messengerType, at, after, limit).Find(&rows).Error
}

func (tx *Tx) outboxDueAnswers(licenseID int64, messengerType string, at, after int64, limit int) *gorm.DB {
	return tx.outboxDue(licenseID, messengerType, at, after, limit).
		Where("NOT EXISTS (SELECT 1 FROM outbox f WHERE f.chat_id = outbox.chat_id AND f.id <= outbox.id AND f.cold AND f.started_at = 0)")
}

// The plus signs keep SQLite from walking all items in the order of their ids.
func (tx *Tx) outboxDue(licenseID int64, messengerType string, at, after int64, limit int) *gorm.DB {
	return tx.db.Where("license_id = ? AND messenger_type = ? AND not_before <= ? AND +id > ?", licenseID, messengerType, at, after).
		Where("NOT EXISTS (SELECT 1 FROM outbox b WHERE b.chat_id = outbox.chat_id AND b.id < outbox.id AND b.not_before > ? AND b.kind <> ?)", at, OutRead).
		Order("+id").Limit(limit)
}

// OutboxNext returns when the next of a line's items that wait at a time may be performed,
// or 0 when none waits.
func (tx *Tx) OutboxNext(licenseID int64, messengerType string, at int64) (next int64, err error) {
	err = tx.outboxNext(licenseID, messengerType, at).Pluck("not_before", &next).Error
	return next, err
}

func (tx *Tx) outboxNext(licenseID int64, messengerType string, at int64) *gorm.DB {
	return tx.db.Model(&OutboxItem{}).Where("license_id = ? AND messenger_type = ? AND not_before > ?", licenseID, messengerType, at).
		Order("not_before").Limit(1)
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

// OutboxOverdue lists the items behind after whose deadline is over, by deadline and id,
// except those that were started after since.
func (tx *Tx) OutboxOverdue(now, since int64, after OutboxItem, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	return rows, tx.db.Where("deadline <= ? AND started_at <= ? AND (deadline, id) > (?, ?)", now, since, after.Deadline, after.ID).Order("deadline, id").Limit(limit).Find(&rows).Error
}

// SaveOutbox writes every column of an item.
func (tx *Tx) SaveOutbox(o *OutboxItem) error { return tx.db.Select("*").Save(o).Error }

// ReleaseOutbox lets the items of a line that are held until then be performed now.
func (tx *Tx) ReleaseOutbox(licenseID int64, messengerType string, until int64) error {
	return tx.db.Model(&OutboxItem{}).
		Where("license_id = ? AND messenger_type = ? AND not_before = ? AND held", licenseID, messengerType, until).
		Updates(map[string]any{"not_before": 0, "held": false}).Error
}

// OutboxWait is how long what is added to a chat's items waits behind them.
type OutboxWait struct {
	Deadline  int64 // the last one of them
	NotBefore int64 // of its first message, when that is held
}

// OutboxWait returns how long a new item of a chat waits. It is zero when the chat has none.
func (tx *Tx) OutboxWait(chatID int64) (w OutboxWait, err error) {
	return w, tx.db.Model(&OutboxItem{}).Where("chat_id = ?", chatID).
		Select("COALESCE(MAX(deadline), 0) AS deadline, COALESCE(MAX(CASE WHEN cold AND held THEN not_before END), 0) AS not_before").Scan(&w).Error
}

// AnswerOutbox makes answers of what is held in a chat, because the person has written, and
// reports whether anything was. What waits after a failed attempt waits on.
func (tx *Tx) AnswerOutbox(chatID int64) (waited bool, err error) {
	done := tx.db.Model(&OutboxItem{}).Where("chat_id = ? AND (cold OR held)", chatID).
		Updates(map[string]any{"cold": false, "held": false, "not_before": gorm.Expr("CASE WHEN held THEN 0 ELSE not_before END")})
	return done.RowsAffected > 0, done.Error
}

// FirstWaits reports whether a first message waits in a chat.
func (tx *Tx) FirstWaits(chatID int64) (waits bool, err error) {
	return waits, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM outbox WHERE chat_id = ? AND cold)", chatID).Scan(&waits).Error
}

// LockNextMessage locks and returns the next message that waits in a chat.
func (tx *Tx) LockNextMessage(chatID int64) (*OutboxItem, error) {
	return first[OutboxItem](tx.forUpdate().Where("chat_id = ? AND kind = ?", chatID, OutMessage).Order("id"))
}

// DeleteOutbox deletes an item.
func (tx *Tx) DeleteOutbox(id int64) error { return tx.db.Delete(&OutboxItem{}, id).Error }
