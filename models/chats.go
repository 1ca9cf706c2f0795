package models

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// ChatByExternal finds a chat of a line by the messenger's id, which on WhatsApp may be
// external_id or lid, or else by the id that an operator typed. It returns ErrNotFound
// when there is none.
func (tx *Tx) ChatByExternal(licenseID int64, messengerType, id string) (*Chat, error) {
	return first[Chat](byChatID(tx.db, licenseID, messengerType, id))
}

// LockChat is ChatByExternal, but also locks the row until the transaction ends.
func (tx *Tx) LockChat(licenseID int64, messengerType, id string) (*Chat, error) {
	chat, err := first[Chat](byChatID(tx.forUpdate(), licenseID, messengerType, id))
	if err != nil {
		return nil, err
	}
	return chat, tx.remember(chat)
}

func byChatID(db *gorm.DB, licenseID int64, messengerType, id string) *gorm.DB {
	return db.Where("license_id = ? AND messenger_type = ? AND (external_id = ? OR lid = ? OR typed_id = ?)",
		licenseID, messengerType, id, id, id).
		Order(clause.OrderBy{Expression: clause.Expr{SQL: "CASE WHEN external_id = ? OR lid = ? THEN 0 ELSE 1 END, id", Vars: []any{id, id}}})
}

// KnownChats returns the ids of the messenger's chats of a line that have any of these.
// Unlike ChatByExternal it does not look at what operators typed.
func (tx *Tx) KnownChats(licenseID int64, messengerType string, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	var rows []Chat
	err := tx.db.Select("external_id", "lid").Where("license_id = ? AND messenger_type = ? AND (external_id IN ? OR lid IN ?)",
		licenseID, messengerType, ids, ids).Find(&rows).Error
	for _, row := range rows {
		known[row.ExternalID] = true
		if row.LID != nil {
			known[*row.LID] = true
		}
	}
	return known, err
}

// LockChats locks and returns the chats of a line that have any of the ids, also as the id
// that an operator typed. It locks them in the order of their row ids, so that two such
// transactions cannot deadlock.
func (tx *Tx) LockChats(licenseID int64, messengerType string, ids []string) ([]*Chat, error) {
	var chats []*Chat
	err := tx.forUpdate().Where("license_id = ? AND messenger_type = ? AND (external_id IN ? OR lid IN ? OR typed_id IN ?)",
		licenseID, messengerType, ids, ids, ids).Order("id").Find(&chats).Error
	if err != nil {
		return nil, err
	}
	return chats, tx.remember(chats...)
}

// ChatRow loads a chat by its row id.
func (tx *Tx) ChatRow(id int64) (*Chat, error) {
	return first[Chat](tx.db.Where("id = ?", id))
}

// ChatsByID loads the chats with these row ids, as far as they exist, by row id.
func (tx *Tx) ChatsByID(ids []int64) (map[int64]*Chat, error) {
	return byID(tx, ids, func(c *Chat) int64 { return c.ID })
}

// EnsureChat inserts c unless a chat with one of its ids exists already, and reports
// whether it did. It waits for a transaction that is inserting the same chat.
func (tx *Tx) EnsureChat(c *Chat) (created bool, err error) {
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(c)
	return res.RowsAffected == 1, res.Error
}

// mergeMessages gives what is known of a message that both chats have to the row that
// stays: the entries of the journal that show it, and its file.
func (tx *Tx) mergeMessages(into, from int64) error {
	const both = `FROM messages d JOIN messages k ON k.chat_id = ? AND k.external_id = d.external_id `
	err := tx.db.Exec(`INSERT INTO journal_messages (message_id, journal_id)
		SELECT k.id, j.journal_id `+both+`JOIN journal_messages j ON j.message_id = d.id
		WHERE d.chat_id = ? ON CONFLICT DO NOTHING`, into, from).Error
	if err != nil {
		return err
	}
	return tx.db.Exec(`UPDATE files SET message_id = (SELECT k.id `+both+`WHERE d.id = files.message_id)
		WHERE message_id IN (SELECT d.id `+both+`WHERE d.chat_id = ?)`, into, into, from).Error
}

// MergeChat moves the rows of one chat, from, to another, into, and deletes from,
// because the two turned out to be one chat. What both have (a message, a tag, a part)
// is kept once. Both must be locked. The caller merges their own columns.
func (tx *Tx) MergeChat(into, from int64) error {
	if err := tx.mergeMessages(into, from); err != nil {
		return err
	}
	for _, q := range []string{
		`UPDATE messages SET chat_id = ? WHERE chat_id = ? AND external_id NOT IN (SELECT external_id FROM messages WHERE chat_id = ?)`,
		`UPDATE chat_tags SET chat_id = ? WHERE chat_id = ? AND tag_id NOT IN (SELECT tag_id FROM chat_tags WHERE chat_id = ?)`,
		`UPDATE chat_members SET chat_id = ? WHERE chat_id = ? AND NOT EXISTS (
			SELECT 1 FROM chat_members m WHERE m.chat_id = ? AND m.user_id = chat_members.user_id AND m.part = chat_members.part)`,
	} {
		if err := tx.db.Exec(q, into, from, into).Error; err != nil {
			return err
		}
	}
	for _, q := range []string{
		`UPDATE files SET chat_id = ? WHERE chat_id = ?`,
		`UPDATE outbox SET chat_id = ? WHERE chat_id = ?`,
		`UPDATE cold_contacts SET chat_id = ? WHERE chat_id = ?`,
		`UPDATE calls SET chat_id = ? WHERE chat_id = ?`,
	} {
		if err := tx.db.Exec(q, into, from).Error; err != nil {
			return err
		}
	}
	return tx.db.Exec(`DELETE FROM chats WHERE id = ?`, from).Error
}
