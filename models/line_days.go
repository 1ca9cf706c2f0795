package models

import "gorm.io/gorm"

// The days are unix seconds / 86400.

// Day returns the day of a time in unix seconds.
func Day(unix int64) int64 { return unix / (24 * 60 * 60) }

// CountLineDay adds the counters of d to those of its line and day.
func (tx *Tx) CountLineDay(d LineDay) error {
	if created, err := tx.createNew(&d); created || err != nil {
		return err
	}
	add := func(column string, n int64) any { return gorm.Expr(column+" + ?", n) }
	return tx.db.Model(&LineDay{}).
		Where("license_id = ? AND messenger_type = ? AND day = ?", d.LicenseID, d.MessengerType, d.Day).
		Updates(map[string]any{
			"sent": add("sent", d.Sent), "delivered": add("delivered", d.Delivered), "not_there": add("not_there", d.NotThere),
			"refused_lock": add("refused_lock", d.RefusedLock), "refused_no_link": add("refused_no_link", d.RefusedNoLink),
			"forbidden": add("forbidden", d.Forbidden), "locks": add("locks", d.Locks), "bans": add("bans", d.Bans), "blocks": add("blocks", d.Blocks),
			"checked": add("checked", d.Checked), "checked_absent": add("checked_absent", d.CheckedAbsent),
		}).Error
}

// LineDays lists the days of a line from a day on.
func (tx *Tx) LineDays(licenseID int64, messengerType string, from int64) ([]LineDay, error) {
	var days []LineDay
	err := tx.db.Where("license_id = ? AND messenger_type = ? AND day >= ?", licenseID, messengerType, from).Order("day").Find(&days).Error
	return days, err
}

// ForgetLineDays deletes the days of all lines before a day.
func (tx *Tx) ForgetLineDays(before int64) error {
	return tx.db.Where("day < ?", before).Delete(&LineDay{}).Error
}

// ForgetLineHistory deletes what the rating of a line is made of. How many first contacts
// the line had stays.
func (tx *Tx) ForgetLineHistory(licenseID int64, messengerType string) error {
	if err := tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).Delete(&LineDay{}).Error; err != nil {
		return err
	}
	return tx.db.Model(&FirstContact{}).Where("license_id = ? AND messenger_type = ?", licenseID, messengerType).
		Updates(map[string]any{"begun_at": 0, "message_id": nil}).Error
}

// AddFirstContact inserts c and deletes those of its line up to before.
func (tx *Tx) AddFirstContact(c *FirstContact, before int64) error {
	err := tx.db.Where("license_id = ? AND messenger_type = ? AND at <= ? AND begun_at <= ?", c.LicenseID, c.MessengerType, before, before).
		Delete(&FirstContact{}).Error
	if err != nil {
		return err
	}
	return tx.create(c)
}

// FirstContactAt returns when a line last wrote first to the nth of the people to whom it
// did so after a time; 1 is the last one. It returns 0 when there are fewer.
func (tx *Tx) FirstContactAt(licenseID int64, messengerType string, nth int, after int64) (at int64, err error) {
	err = tx.db.Raw(`SELECT MAX(at) FROM cold_contacts WHERE license_id = ? AND messenger_type = ? AND at > ?
		GROUP BY COALESCE(chat_id, -id) ORDER BY 1 DESC LIMIT 1 OFFSET ?`, licenseID, messengerType, after, nth-1).Scan(&at).Error
	return at, err
}

// HasFirstContact reports whether a line wrote first in a chat after a time.
func (tx *Tx) HasFirstContact(chatID, after int64) (has bool, err error) {
	err = tx.db.Raw("SELECT EXISTS (SELECT 1 FROM cold_contacts WHERE chat_id = ? AND at > ?)", chatID, after).Scan(&has).Error
	return has, err
}

// Person identifies the person whom the line wrote to among its first contacts.
func (c FirstContact) Person() int64 {
	if c.ChatID == nil {
		return -c.ID
	}
	return *c.ChatID
}

// BeginFirstContact records when the first attempt to send a first message began.
func (tx *Tx) BeginFirstContact(messageID, at int64) error {
	return tx.db.Model(&FirstContact{}).Where("message_id = ? AND begun_at = 0", messageID).Update("begun_at", at).Error
}

// DropFirstContact deletes the record of a first message that nobody began to send, and
// returns since when it had its place within the limit. It returns 0 when there is none.
func (tx *Tx) DropFirstContact(messageID int64) (at int64, err error) {
	var rows []FirstContact
	if err := tx.db.Where("message_id = ? AND begun_at = 0", messageID).Find(&rows).Error; err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].At, tx.db.Delete(&rows).Error
}

// FirstContactDelivered reports whether a message is a first one that was not delivered
// before, and when it began. It is delivered then.
func (tx *Tx) FirstContactDelivered(messageID int64) (begunAt int64, first bool, err error) {
	var rows []FirstContact
	if err := tx.db.Where("message_id = ?", messageID).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return 0, false, err
	}
	res := tx.db.Model(&FirstContact{}).Where("id = ? AND message_id IS NOT NULL", rows[0].ID).Update("message_id", nil)
	return rows[0].BegunAt, res.RowsAffected == 1, res.Error
}

// maxContactsRead is how many first contacts are read to rate a line: more than any
// threshold.
const maxContactsRead = 1000

// FirstContactsBegun lists the first contacts of a line that began after a time, the
// newest first.
func (tx *Tx) FirstContactsBegun(licenseID int64, messengerType string, after int64) ([]FirstContact, error) {
	var rows []FirstContact
	err := tx.db.Where("license_id = ? AND messenger_type = ? AND begun_at > ?", licenseID, messengerType, after).
		Order("begun_at DESC").Limit(maxContactsRead).Find(&rows).Error
	return rows, err
}
