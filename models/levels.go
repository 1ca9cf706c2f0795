package models

// Levels lists the company's levels.
func (tx *Tx) Levels(companyID int64, after *SortKey, limit int) ([]Level, error) {
	var levels []Level
	return levels, bySort(tx.db.Where("company_id = ?", companyID), after, limit).Find(&levels).Error
}

// Level returns a level, or ErrNotFound.
func (tx *Tx) Level(id int64) (*Level, error) {
	return first[Level](tx.db.Where("id = ?", id))
}

// HoldLevel is Level, but also keeps others from changing or deleting the level until
// the transaction ends. Others may hold it too.
func (tx *Tx) HoldLevel(id int64) (*Level, error) {
	return first[Level](tx.forShare().Where("id = ?", id))
}

// LevelsByID returns the levels with these ids, as far as they exist, by id.
func (tx *Tx) LevelsByID(ids []int64) (map[int64]Level, error) {
	return byID(tx, ids, func(l Level) int64 { return l.ID })
}

// LockLevel returns a level, or ErrNotFound, and keeps others from changing it or
// giving it to a chat until the transaction ends.
func (tx *Tx) LockLevel(id int64) (*Level, error) {
	return first[Level](tx.forUpdate().Where("id = ?", id))
}

// CreateLevel inserts l and sets its ID when that is 0.
func (tx *Tx) CreateLevel(l *Level) error { return tx.create(l) }

// SaveLevel writes the fields of a level that may change.
func (tx *Tx) SaveLevel(l *Level) error {
	return tx.db.Model(l).Select("name", "sort").Updates(l).Error
}

// DeleteLevel deletes a level; chats that still have it lose it.
func (tx *Tx) DeleteLevel(id int64) error { return tx.db.Delete(&Level{}, id).Error }

// LockChatsWithLevel locks up to limit of the chats that have the level, by id.
func (tx *Tx) LockChatsWithLevel(levelID int64, limit int) ([]Chat, error) {
	var chats []Chat
	return chats, tx.forUpdate().Where("level_id = ?", levelID).Order("id").Limit(limit).Find(&chats).Error
}

// LevelInUse reports whether any chat has the level.
func (tx *Tx) LevelInUse(levelID int64) (bool, error) {
	var used bool
	return used, tx.db.Raw("SELECT EXISTS (SELECT 1 FROM chats WHERE level_id = ?)", levelID).Scan(&used).Error
}
