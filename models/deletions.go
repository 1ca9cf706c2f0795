package models

import "gorm.io/gorm/clause"

// Deletion is the deletion of a message that was not here. It is kept as long as the line,
// see decision 0168: at no age is it certain that nothing of the message comes any more.
type Deletion struct {
	LicenseID     int64
	MessengerType string
	ExternalID    string // of the message
	Chat          string // one of the chat's ids
	FromMe        bool
	DeletedBy     string // in groups, the id of the person
	ByAdmin       bool   // of the group
	DeletedAt     int64
}

// TableName implements gorm's interface.
func (Deletion) TableName() string { return "deleted_messages" }

// AddDeletion remembers a deletion. The first of several of the same person counts. It reports
// whether this is the first one.
func (tx *Tx) AddDeletion(d Deletion) (added bool, err error) {
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&d)
	return res.RowsAffected == 1, res.Error
}

// DeletionsOf lists what is remembered of the messages of a line with these ids, by message.
func (tx *Tx) DeletionsOf(licenseID int64, messengerType string, ids []string) (map[string][]Deletion, error) {
	found := map[string][]Deletion{}
	if len(ids) == 0 {
		return found, nil
	}
	var rows []Deletion
	err := tx.db.Where("license_id = ? AND messenger_type = ? AND external_id IN ?", licenseID, messengerType, ids).Order("deleted_at").Find(&rows).Error
	for _, d := range rows {
		found[d.ExternalID] = append(found[d.ExternalID], d)
	}
	return found, err
}

// DeletionsIn lists what is remembered of the messages of a chat with these ids that are not
// deleted here, or of which others tell, by message.
func (tx *Tx) DeletionsIn(chat *Chat, ids []string) (rows []Deletion, err error) {
	return rows, tx.db.Where("license_id = ? AND messenger_type = ? AND chat IN ?", chat.LicenseID, chat.MessengerType, ids).
		Where(`external_id IN (SELECT external_id FROM messages WHERE chat_id = ? AND deleted_at IS NULL
			UNION ALL SELECT quoted_external_id FROM messages WHERE chat_id = ? AND quote IS NOT NULL)`, chat.ID, chat.ID).
		Order("external_id, deleted_at").Find(&rows).Error
}

// LockQuotes locks and returns the messages of a chat that tell what another one says, by
// row id.
func (tx *Tx) LockQuotes(chatID int64, externalID string) (rows []*Message, err error) {
	return rows, tx.forUpdate().Where("chat_id = ? AND quoted_external_id = ? AND quote IS NOT NULL", chatID, externalID).Order("id").Find(&rows).Error
}

// QuotedDeleted lists the deleted messages of a chat that others tell of, by row id.
func (tx *Tx) QuotedDeleted(chatID int64) (rows []*Message, err error) {
	return rows, tx.db.Where(`chat_id = ? AND deleted_at IS NOT NULL AND external_id IN (
		SELECT quoted_external_id FROM messages WHERE chat_id = ? AND quote IS NOT NULL)`, chatID, chatID).Order("id").Find(&rows).Error
}

// DeletedInOne returns which of the messages that two chats have were deleted in one of them
// alone, and when, by the messenger's ids.
func (tx *Tx) DeletedInOne(chatID, other int64) (map[string]int64, error) {
	var rows []struct {
		ExternalID string
		DeletedAt  int64
	}
	err := tx.db.Raw(`SELECT d.external_id, COALESCE(d.deleted_at, k.deleted_at) AS deleted_at FROM messages d
		JOIN messages k ON k.chat_id = ? AND k.external_id = d.external_id
		WHERE d.chat_id = ? AND (d.deleted_at IS NULL) <> (k.deleted_at IS NULL)`, chatID, other).Scan(&rows).Error
	found := make(map[string]int64, len(rows))
	for _, r := range rows {
		found[r.ExternalID] = r.DeletedAt
	}
	return found, err
}
