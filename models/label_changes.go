package models

// LabelChange is a label of a line's account that its phone does not know yet as it is
// now, or with a ChatID whether the chat has the label.
type LabelChange struct {
	ID            int64
	LicenseID     int64
	MessengerType string
	Label         string
	ChatID        int64 // 0: the label itself
	At            int64 // when it was changed here, unix seconds
}

// MarkLabel notes that a label has changed, or that a chat has got or lost it. What was
// noted of it before is replaced, under another id.
func (tx *Tx) MarkLabel(l *LabelChange) error {
	return tx.db.Exec(`INSERT INTO label_changes (license_id, messenger_type, label, chat_id, at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (license_id, messenger_type, label, chat_id) DO UPDATE SET id = EXCLUDED.id, at = EXCLUDED.at`,
		l.LicenseID, l.MessengerType, l.Label, l.ChatID, l.At).Error
}

// DropLabelChange removes what was noted of a label, or of a label on a chat.
func (tx *Tx) DropLabelChange(l *LabelChange) error {
	return tx.db.Where("license_id = ? AND messenger_type = ? AND label = ? AND chat_id = ?", l.LicenseID, l.MessengerType, l.Label, l.ChatID).
		Delete(&LabelChange{}).Error
}

// LabelChangedAt returns when a label that the phone does not know yet as it is now was
// changed here, or 0. With a chat it is when the chat got or lost it.
func (tx *Tx) LabelChangedAt(licenseID int64, messengerType, label string, chatID int64) (at int64, err error) {
	return at, tx.db.Raw("SELECT COALESCE(MAX(at), 0) FROM label_changes WHERE license_id = ? AND messenger_type = ? AND label = ? AND chat_id = ?",
		licenseID, messengerType, label, chatID).Scan(&at).Error
}

// LabelChanges lists what is noted of a line's labels, in order, from behind the id after.
func (tx *Tx) LabelChanges(licenseID int64, messengerType string, after int64, limit int) (rows []LabelChange, err error) {
	return rows, tx.db.Where("license_id = ? AND messenger_type = ? AND id > ?", licenseID, messengerType, after).Order("id").Limit(limit).Find(&rows).Error
}

// DeleteLabelChanges removes these rows. One that was replaced meanwhile has another id.
func (tx *Tx) DeleteLabelChanges(ids []int64) error {
	return tx.db.Where("id IN ?", ids).Delete(&LabelChange{}).Error
}

// ForgetLabelChanges removes all that is noted of a line's labels.
func (tx *Tx) ForgetLabelChanges(licenseID int64, messengerType string) error {
	return tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).Delete(&LabelChange{}).Error
}

// MarkLabelledChats notes all chats of a line that have the tag of a label, or of any one
// when label is empty.
func (tx *Tx) MarkLabelledChats(licenseID int64, messengerType string, at int64, label string) error {
	return tx.db.Exec(`INSERT INTO label_changes (license_id, messenger_type, label, chat_id, at)
		SELECT ll.license_id, ll.messenger_type, ll.label, c.id, CAST(? AS BIGINT)
		FROM line_labels ll JOIN chat_tags ct ON ct.tag_id = ll.tag_id
		JOIN chats c ON c.id = ct.chat_id AND c.license_id = ll.license_id AND c.messenger_type = ll.messenger_type
		WHERE ll.license_id = ? AND ll.messenger_type = ? AND CAST(? AS TEXT) IN ('', ll.label)
		ON CONFLICT DO NOTHING`, at, licenseID, messengerType, label).Error
}

// TagsOfLine lists the tags that chats of a line have, by sort and id.
func (tx *Tx) TagsOfLine(licenseID int64, messengerType string) (tags []Tag, err error) {
	return tags, tx.db.Where(`id IN (SELECT ct.tag_id FROM chat_tags ct JOIN chats c ON c.id = ct.chat_id
		WHERE c.license_id = ? AND c.messenger_type = ?)`, licenseID, messengerType).Order("sort, id").Find(&tags).Error
}

// LineLabels lists the labels of a line.
func (tx *Tx) LineLabels(licenseID int64, messengerType string) (labels []LineLabel, err error) {
	return labels, tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).Order("label").Find(&labels).Error
}

// SharedLabels lists the labels of all lines that a tag represents and that go to their
// phones.
func (tx *Tx) SharedLabels(tagID int64) (labels []LineLabel, err error) {
	return labels, tx.db.Where(`tag_id = ? AND EXISTS (SELECT 1 FROM line_settings s WHERE s.license_id = line_labels.license_id
		AND s.messenger_type = line_labels.messenger_type AND s.labels)`, tagID).Order("license_id, messenger_type, label").Find(&labels).Error
}

// HasChatTag reports whether a chat has a tag.
func (tx *Tx) HasChatTag(chatID, tagID int64) (has bool, err error) {
	return has, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM chat_tags WHERE chat_id = ? AND tag_id = ?)", chatID, tagID).Scan(&has).Error
}

// DeleteLineLabels deletes all labels of a line. Their tags stay.
func (tx *Tx) DeleteLineLabels(licenseID int64, messengerType string) error {
	return tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).Delete(&LineLabel{}).Error
}
