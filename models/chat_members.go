package models

// MembersOfChats lists the members of the chats besides the responsible, by chat, part
// and user id.
func (tx *Tx) MembersOfChats(chatIDs []int64) ([]ChatMember, error) {
	if len(chatIDs) == 0 {
		return nil, nil
	}
	var rows []ChatMember
	return rows, tx.db.Where("chat_id IN ?", chatIDs).Order("chat_id, part, user_id").Find(&rows).Error
}

// HasPart reports whether the user is an accomplice or auditor of the chat.
func (tx *Tx) HasPart(chatID, userID int64) (has bool, err error) {
	return has, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM chat_members WHERE chat_id = ? AND user_id = ?)", chatID, userID).Scan(&has).Error
}

// AddChatMember gives the user a part in the chat. It returns false when they had it
// already.
func (tx *Tx) AddChatMember(m ChatMember) (added bool, err error) {
	return tx.createNew(&m)
}

// RemoveChatMember takes the part away. It returns false when the user did not have it.
func (tx *Tx) RemoveChatMember(m ChatMember) (removed bool, err error) {
	res := tx.db.Where("chat_id = ? AND user_id = ? AND part = ?", m.ChatID, m.UserID, m.Part).Delete(&ChatMember{})
	return res.RowsAffected > 0, res.Error
}

// partsIn lists the parts of users in chats whose row ids are in a range, whose bounds are to
// be bound three times.
const partsIn = `
	SELECT c.id AS chat_id, c.company_id, c.license_id, c.responsible_id AS user_id FROM chats c WHERE c.responsible_id IS NOT NULL AND c.id BETWEEN ? AND ?
	UNION ALL SELECT c.id, c.company_id, c.license_id, c.producer_id FROM chats c WHERE c.producer_id IS NOT NULL AND c.id BETWEEN ? AND ?
	UNION ALL SELECT c.id, c.company_id, c.license_id, m.user_id FROM chat_members m JOIN chats c ON c.id = m.chat_id WHERE c.id BETWEEN ? AND ?`

// mayTakePart is the condition that the user of the part p may have one: they may sign in,
// and read the licence.
const mayTakePart = `EXISTS (
	SELECT 1 FROM employees e JOIN users u ON u.id = e.user_id
	LEFT JOIN employee_licenses el ON el.user_id = e.user_id AND el.license_id = p.license_id
	WHERE e.company_id = p.company_id AND e.user_id = p.user_id AND u.disabled_at = 0
		AND (e.role IN ('owner', 'admin') OR el.user_id IS NOT NULL))`

// MayTakePart reports whether the user may have a part in the chats of a licence. It keeps
// others from changing that until the transaction ends.
func (tx *Tx) MayTakePart(companyID, licenseID, userID int64) (may bool, err error) {
	if tx.postgres {
		if err := tx.db.Exec("SELECT 1 FROM employees WHERE company_id = ? AND user_id = ? FOR SHARE", companyID, userID).Error; err != nil {
			return false, err
		}
	}
	return may, tx.db.Raw("SELECT "+mayTakePart+" FROM (SELECT CAST(? AS BIGINT) AS company_id, CAST(? AS BIGINT) AS license_id, CAST(? AS BIGINT) AS user_id) p",
		companyID, licenseID, userID).Scan(&may).Error
}

// LockEmployee keeps others from giving the employee a part in a chat until the
// transaction ends. It comes before the locks of chats.
func (tx *Tx) LockEmployee(companyID, userID int64) error {
	if !tx.postgres {
		return nil
	}
	return tx.db.Exec("SELECT 1 FROM employees WHERE company_id = ? AND user_id = ? FOR UPDATE", companyID, userID).Error
}

// LockChatsOf locks up to limit of the company's chats in which the user has a part, by
// id; with lost only those in which they may have none.
func (tx *Tx) LockChatsOf(companyID, userID int64, lost bool, limit int) ([]Chat, error) {
	parts := `SELECT p.chat_id FROM (
		SELECT id AS chat_id, company_id, license_id, responsible_id AS user_id FROM chats WHERE responsible_id = ?
		UNION ALL SELECT id, company_id, license_id, producer_id FROM chats WHERE producer_id = ?
		UNION ALL SELECT c.id, c.company_id, c.license_id, m.user_id FROM chat_members m JOIN chats c ON c.id = m.chat_id WHERE m.user_id = ?
		) p WHERE p.company_id = ?`
	if lost {
		parts += " AND NOT " + mayTakePart
	}
	var chats []Chat
	err := tx.forUpdate().Where("id IN ("+parts+")", userID, userID, userID, companyID).Order("id").Limit(limit).Find(&chats).Error
	return chats, err
}

// LostParts is a user who may still have parts in chats of the company that they may not
// have.
type LostParts struct{ CompanyID, UserID int64 }

// AddLostParts notes that a user lost rights in the company, until DeleteLostParts.
func (tx *Tx) AddLostParts(companyID, userID int64) error {
	return tx.db.Exec("INSERT INTO lost_parts (company_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", companyID, userID).Error
}

// DeleteLostParts notes that the user has no part any more that they may not have.
func (tx *Tx) DeleteLostParts(companyID, userID int64) error {
	return tx.db.Exec("DELETE FROM lost_parts WHERE company_id = ? AND user_id = ?", companyID, userID).Error
}

// AllLostParts lists up to limit of those who are noted behind after, by company and user.
func (tx *Tx) AllLostParts(after LostParts, limit int) (list []LostParts, err error) {
	return list, tx.db.Raw("SELECT company_id, user_id FROM lost_parts WHERE (company_id, user_id) > (?, ?) ORDER BY company_id, user_id LIMIT ?",
		after.CompanyID, after.UserID, limit).Scan(&list).Error
}

// UncheckedParts reports whether CheckParts has anything to do.
func (tx *Tx) UncheckedParts() (some bool, err error) {
	return some, tx.db.Raw("SELECT unchecked > 0 FROM parts_state WHERE id = 1").Scan(&some).Error
}

// CheckParts looks through up to limit chats that are older than the notes of AddLostParts,
// the newest first, and adds such notes for users with parts that they may not have.
func (tx *Tx) CheckParts(limit int) error {
	var upTo, from int64
	state := tx.forUpdate().Table("parts_state").Select("unchecked").Where("id = 1") // one process at a time
	if err := state.Scan(&upTo).Error; err != nil || upTo == 0 {
		return err
	}
	err := tx.db.Raw("SELECT COALESCE(MIN(id), 0) FROM (SELECT id FROM chats WHERE id <= ? ORDER BY id DESC LIMIT ?) AS newest", upTo, limit).Scan(&from).Error
	if err != nil {
		return err
	}
	err = tx.db.Exec("INSERT INTO lost_parts (company_id, user_id) SELECT DISTINCT p.company_id, p.user_id FROM ("+partsIn+") AS p WHERE NOT "+mayTakePart+
		" ON CONFLICT DO NOTHING", from, upTo, from, upTo, from, upTo).Error
	if err != nil {
		return err
	}
	return tx.db.Exec("UPDATE parts_state SET unchecked = ? WHERE id = 1", max(from-1, 0)).Error
}
