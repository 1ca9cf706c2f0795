package models

import "gorm.io/gorm/clause"

// TakeKey inserts k unless the user has already used the key since the time since, and
// reports whether it did. It deletes an older use, and waits for a transaction that is
// taking the same key.
func (tx *Tx) TakeKey(k *IdempotencyKey, since int64) (added bool, err error) {
	err = tx.db.Where("user_id = ? AND key = ? AND created_at < ?", k.UserID, k.Key, since).Delete(&IdempotencyKey{}).Error
	if err != nil {
		return false, err
	}
	res := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(k)
	return res.RowsAffected == 1, res.Error
}

// UsedKey loads the stored use of a user's key, or returns ErrNotFound.
func (tx *Tx) UsedKey(userID int64, key string) (*IdempotencyKey, error) {
	return first[IdempotencyKey](tx.db.Where("user_id = ? AND key = ?", userID, key))
}

// SaveKey writes the response of a key that TakeKey took.
func (tx *Tx) SaveKey(k *IdempotencyKey) error {
	return tx.db.Select("*").Save(k).Error
}

// ForgetKeys deletes at most limit keys used before the time, and returns how many it
// deleted.
func (tx *Tx) ForgetKeys(before int64, limit int) (int64, error) {
	res := tx.db.Exec(`DELETE FROM idempotency_keys WHERE (user_id, key) IN (
		SELECT user_id, key FROM idempotency_keys WHERE created_at < ? ORDER BY user_id, key LIMIT ?)`, before, limit)
	return res.RowsAffected, res.Error
}
