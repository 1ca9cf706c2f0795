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

// everyPart lists all parts of users in chats, each as a query that a condition can be
// added to.
const everyPart = `
	SELECT c.id AS chat_id, c.company_id, c.license_id, c.responsible_id AS user_id FROM chats c WHERE c.responsible_id IS NOT NULL
	UNION ALL SELECT c.id, c.company_id, c.license_id, c.producer_id FROM chats c WHERE c.producer_id IS NOT NULL
	UNION ALL SELECT c.id, c.company_id, c.license_id, m.user_id FROM chat_members m JOIN chats c ON c.id = m.chat_id`

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

// Stray is a user who has a part in chats of the company in which they may have none.
type Stray struct{ CompanyID, UserID int64 }

// Strays lists up to limit strays, by company and user.
func (tx *Tx) Strays(limit int) (list []Stray, err error) {
	return list, tx.db.Raw("SELECT DISTINCT p.company_id, p.user_id FROM ("+everyPart+") p WHERE NOT "+mayTakePart+
		" ORDER BY p.company_id, p.user_id LIMIT ?", limit).Scan(&list).Error
}
