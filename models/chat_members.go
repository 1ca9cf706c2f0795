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
