package models

// DailyLimit returns how many messages a line may send in a day; nil: any number.
func (tx *Tx) DailyLimit(licenseID int64, messengerType string) (limit *int64, err error) {
	err = tx.db.Raw("SELECT daily_limit FROM line_settings WHERE license_id = ? AND messenger_type = ?", licenseID, messengerType).Scan(&limit).Error
	return limit, err
}

// CountSent counts a message of a line on a day, and returns how many there are. Until the
// transaction ends no other counts one.
func (tx *Tx) CountSent(licenseID int64, messengerType string, day int64) (sent int64, err error) {
	err = tx.db.Raw(`INSERT INTO line_quotas (license_id, messenger_type, day, sent) VALUES (?, ?, ?, 1)
		ON CONFLICT (license_id, messenger_type) DO UPDATE SET
			sent = CASE WHEN line_quotas.day = excluded.day THEN line_quotas.sent + 1 ELSE 1 END, day = excluded.day
		RETURNING sent`, licenseID, messengerType, day).Scan(&sent).Error
	return sent, err
}
