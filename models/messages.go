package models

import (
	"slices"

	"gorm.io/gorm/clause"
)

// AddMessage inserts m into a chat, unless it has a message with this external id already.
// It reports whether it did, and sets m.ID and m.ChatID. text is what is searched of it.
func (tx *Tx) AddMessage(chat *Chat, m *Message, text string) (added bool, err error) {
	m.ChatID = chat.ID
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(m)
	if res.Error != nil || res.RowsAffected != 1 {
		return false, res.Error
	}
	return true, tx.indexNew(chat.LicenseID, m.ID, text)
}

// MessageByExternal finds a message of a chat by the messenger's id.
func (tx *Tx) MessageByExternal(chatID int64, externalID string) (*Message, error) {
	return first[Message](tx.db.Where("chat_id = ? AND external_id = ?", chatID, externalID))
}

// LockMessage is MessageByExternal, but also locks the row until the transaction ends.
func (tx *Tx) LockMessage(chatID int64, externalID string) (*Message, error) {
	return first[Message](tx.forUpdate().Where("chat_id = ? AND external_id = ?", chatID, externalID))
}

// MessageRow loads a message of a chat by its row id.
func (tx *Tx) MessageRow(chatID, id int64) (*Message, error) {
	return first[Message](tx.db.Where("chat_id = ? AND id = ?", chatID, id))
}

// MessageNumbered returns the message with this row id, of whatever chat.
func (tx *Tx) MessageNumbered(id int64) (*Message, error) {
	return first[Message](tx.db.Where("id = ?", id))
}

// MessagesByExternal returns messages of a chat, by the messenger's ids. Ids that do
// not exist are not in the map.
func (tx *Tx) MessagesByExternal(chatID int64, ids []string) (map[string]*Message, error) {
	found := map[string]*Message{}
	if len(ids) == 0 {
		return found, nil
	}
	var rows []*Message
	if err := tx.db.Where("chat_id = ? AND external_id IN ?", chatID, ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, m := range rows {
		found[m.ExternalID] = m
	}
	return found, nil
}

// MessagesOfLine finds messages in any chat of a line by the messenger's ids, in the
// order of their row ids.
func (tx *Tx) MessagesOfLine(licenseID int64, messengerType string, ids []string) ([]*Message, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []*Message
	err := tx.db.Where(`external_id IN ? AND chat_id IN (SELECT id FROM chats WHERE license_id = ? AND messenger_type = ?)`,
		ids, licenseID, messengerType).Order("id").Find(&rows).Error
	return rows, err
}

// CountReceived counts the messages of others in a chat after a position, without asides.
func (tx *Tx) CountReceived(chatID int64, after TimeKey) (n int64, err error) {
	err = tx.db.Model(&Message{}).Where("chat_id = ? AND (time, id) > (?, ?) AND NOT from_me AND NOT aside", chatID, after.Time, after.ID).Count(&n).Error
	return n, err
}

// NewestReceived lists the newest messages of others in a chat, without asides, oldest
// first.
func (tx *Tx) NewestReceived(chatID int64, limit int) ([]*Message, error) {
	var rows []*Message
	err := tx.db.Where("chat_id = ? AND NOT from_me AND NOT aside", chatID).Order("time DESC, id DESC").Limit(limit).Find(&rows).Error
	slices.Reverse(rows)
	return rows, err
}

// statusPost is the condition that a message was said to everybody.
const statusPost = "subtype IS NOT NULL AND subtype = '" + SubtypeStatus + "'"

// Acquainted reports whether the person of a private chat and the line have met: a message
// of theirs is there that is no status post, or one of ours, other than the row but, that has reached the
// messenger. What the account's phone or a bridge sent has.
func (tx *Tx) Acquainted(chatID, but int64) (met bool, err error) {
	return met, tx.db.Raw(`SELECT EXISTS (SELECT 1 FROM messages WHERE chat_id = ? AND id <> ? AND NOT (`+statusPost+`)
		AND (NOT from_me OR NOT from_api OR status IN (?, ?, ?)))`, chatID, but, StatusSent, StatusDelivered, StatusViewed).Scan(&met).Error
}

// HasReceived reports whether a person has written in a chat.
func (tx *Tx) HasReceived(chatID int64) (has bool, err error) {
	return has, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM messages WHERE chat_id = ? AND NOT from_me AND NOT ("+statusPost+"))", chatID).Scan(&has).Error
}

// MessagesByID loads the messages with these row ids, as far as they exist, by row id.
func (tx *Tx) MessagesByID(ids []int64) (map[int64]*Message, error) {
	return byID(tx, ids, func(m *Message) int64 { return m.ID })
}

// SaveMessage writes every column of a message except its content.
func (tx *Tx) SaveMessage(m *Message) error {
	return tx.db.Select("*").Omit("content").Save(m).Error
}

// SaveContent writes every column of a message. text is what is searched of it.
func (tx *Tx) SaveContent(m *Message, text string) error {
	if err := tx.db.Select("*").Save(m).Error; err != nil {
		return err
	}
	chat, err := first[Chat](tx.db.Select("license_id").Where("id = ?", m.ChatID))
	if err != nil {
		return err
	}
	return tx.index(chat.LicenseID, m.ID, text)
}

// LastMessages returns the last message of each of the chats that has one, by the chat's
// row id. An aside is none.
func (tx *Tx) LastMessages(chatIDs []int64) (map[int64]*Message, error) {
	last := map[int64]*Message{}
	if len(chatIDs) == 0 {
		return last, nil
	}
	var rows []*Message
	err := tx.db.Where(`id IN (SELECT (SELECT m.id FROM messages m WHERE m.chat_id = c.id AND NOT m.aside ORDER BY m.time DESC, m.id DESC LIMIT 1)
		FROM chats c WHERE c.id IN ?)`, chatIDs).Find(&rows).Error
	for _, m := range rows {
		last[m.ChatID] = m
	}
	return last, err
}

// Messages lists a chat's messages after the position from, which is not included,
// backwards or forwards in time. A nil from is the chat's end or, forwards, its
// beginning.
func (tx *Tx) Messages(chatID int64, forwards bool, from *TimeKey, limit int) ([]*Message, error) {
	q := tx.db.Where("chat_id = ?", chatID).Limit(limit)
	beyond, order := "(time, id) < (?, ?)", "time DESC, id DESC"
	if forwards {
		beyond, order = "(time, id) > (?, ?)", "time, id"
	}
	if from != nil {
		q = q.Where(beyond, from.Time, from.ID)
	}
	var rows []*Message
	return rows, q.Order(order).Find(&rows).Error
}

// VotesSince lists the votes in polls among the first span messages of a chat from a time on, in their
// order. whole reports whether there are no more messages than that.
func (tx *Tx) VotesSince(chatID, from int64, span int) (votes []*Message, whole bool, err error) {
	var beyond []int64
	err = tx.db.Model(&Message{}).Where("chat_id = ? AND time >= ?", chatID, from).Order("time, id").Offset(span).Limit(1).Pluck("id", &beyond).Error
	if err != nil || len(beyond) > 0 {
		return nil, false, err
	}
	err = tx.db.Where("chat_id = ? AND time >= ? AND type = 'poll' AND aside AND deleted_at IS NULL", chatID, from).Order("time, id").Find(&votes).Error
	return votes, true, err
}
