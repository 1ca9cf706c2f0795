package models

// MembersOfChats lists who has a part in the chats beside the responsible, of
// each chat by user id.
func (tx *Tx) MembersOfChats(chatIDs []int64) ([]ChatMember, error) {
	if len(chatIDs) == 0 {
		return nil, nil
	}
	var rows []ChatMember
	return rows, tx.db.Where("chat_id IN ?", chatIDs).Order("chat_id, part, user_id").Find(&rows).Error
}

// AddChatMember gives the user a part in the chat; false when they had it.
func (tx *Tx) AddChatMember(m ChatMember) (added bool, err error) {
	return tx.createNew(&m)
}

// RemoveChatMember takes the part away; false when the user did not have it.
func (tx *Tx) RemoveChatMember(m ChatMember) (removed bool, err error) {
	res := tx.db.Where("chat_id = ? AND user_id = ? AND part = ?", m.ChatID, m.UserID, m.Part).Delete(&ChatMember{})
	return res.RowsAffected > 0, res.Error
}
