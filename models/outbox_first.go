package models

import (
	"slices"

	"gorm.io/gorm"
)

// First messages to people may have to wait, thousands of them for days. What is behind
// one in its chat waits with it, so that what is due is all that is read.

// Hold is until when items wait. Their deadlines move to at least the given one.
type Hold struct {
	Until, Deadline int64
	Why             string // for their LastError
}

func (h Hold) columns() map[string]any {
	return map[string]any{
		"not_before": h.Until, "held": true, "deadline": gorm.Expr("CASE WHEN deadline < ? THEN ? ELSE deadline END", h.Deadline, h.Deadline),
		"last_error": gorm.Expr("CASE WHEN cold THEN ? ELSE last_error END", h.Why),
	}
}

// dueFirst is the condition that f is a first message that is due and not being sent.
const dueFirst = "f.cold AND f.started_at = 0 AND f.not_before <= ? AND f.deadline > ?"

// LockFirstChats locks the chats of a line in which a first message is due, and returns
// their row ids in order. Until the transaction ends no answer of theirs is held, nor is
// what is held missed when the person writes.
func (tx *Tx) LockFirstChats(licenseID int64, messengerType string, now int64) (ids []int64, err error) {
	return ids, tx.forUpdate().Model(&Chat{}).
		Where("id IN (SELECT f.chat_id FROM outbox f WHERE f.license_id = ? AND f.messenger_type = ? AND "+dueFirst+")", licenseID, messengerType, now, now).
		Order("id").Pluck("id", &ids).Error
}

// DueFirst lists at most limit first messages of a line that are due: those that have
// waited before, then the others, each by id.
func (tx *Tx) DueFirst(licenseID int64, messengerType string, now int64, limit int) ([]*OutboxItem, error) {
	var rows []*OutboxItem
	err := tx.db.Table("outbox f").Where("f.license_id = ? AND f.messenger_type = ? AND "+dueFirst, licenseID, messengerType, now, now).
		Order("CASE WHEN f.not_before = 0 THEN 1 ELSE 0 END, f.id").Limit(limit).Find(&rows).Error
	return rows, err
}

// LastFirst returns until when the last of the first messages of a line waits, or 0 when
// none waits at a time.
func (tx *Tx) LastFirst(licenseID int64, messengerType string, at int64) (last int64, err error) {
	err = tx.db.Model(&OutboxItem{}).Where("license_id = ? AND messenger_type = ? AND not_before > ? AND cold", licenseID, messengerType, at).
		Order("not_before DESC").Limit(1).Pluck("not_before", &last).Error
	return last, err
}

// holdAtOnce is in how many chats HoldFirst lets items wait with one statement.
const holdAtOnce = 1000

// HoldFirst lets the first messages of these chats wait that are due, and what is behind them.
func (tx *Tx) HoldFirst(chats []int64, now int64, h Hold) error {
	for some := range slices.Chunk(chats, holdAtOnce) {
		err := tx.holdable().Where("chat_id IN ? AND not_before <= ? AND deadline > ?", some, now, now).
			Where("EXISTS (SELECT 1 FROM outbox f WHERE f.chat_id = outbox.chat_id AND f.id <= outbox.id AND "+dueFirst+")", now, now).
			Updates(h.columns()).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// HoldChat lets the items of a chat wait whose ids are at least from.
func (tx *Tx) HoldChat(chatID, from int64, h Hold) error {
	return tx.holdable().Where("chat_id = ? AND id >= ?", chatID, from).Updates(h.columns()).Error
}

// holdable are the items that may wait. Those of an account that was logged out are over.
func (tx *Tx) holdable() *gorm.DB {
	return tx.db.Model(&OutboxItem{}).Where("deadline <> ?", Abandoned)
}

// JoinFirst leaves one first message in a chat that was made of two, which waits as long as
// it did.
func (tx *Tx) JoinFirst(chatID int64) error {
	const others = "chat_id = ? AND cold AND id > (SELECT MIN(f.id) FROM outbox f WHERE f.chat_id = ? AND f.cold)"
	err := tx.db.Exec("DELETE FROM cold_contacts WHERE begun_at = 0 AND message_id IN (SELECT message_id FROM outbox WHERE "+others+")", chatID, chatID).Error
	if err != nil {
		return err
	}
	return tx.db.Exec("UPDATE outbox SET cold = FALSE WHERE "+others, chatID, chatID).Error
}
