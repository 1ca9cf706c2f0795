package models

import "strconv"

// A revoked pair stays as a row until its day is over, so that it still counts against
// the limit of tokens a day. Its hashes no longer match anything.

// TokenByAccess finds the token pair by the hex SHA-256 of its access token, or returns
// ErrNotFound. The caller checks whether it has expired.
func (tx *Tx) TokenByAccess(hash string) (*Token, error) {
	return first[Token](tx.db.Where("access_hash = ?", hash))
}

// TokenByRefresh finds the token pair by the hex SHA-256 of its refresh token, or
// returns ErrNotFound.
func (tx *Tx) TokenByRefresh(hash string) (*Token, error) {
	return first[Token](tx.db.Where("refresh_hash = ?", hash))
}

// TokenByID finds a token pair, which may have expired or been revoked, or returns
// ErrNotFound.
func (tx *Tx) TokenByID(id int64) (*Token, error) {
	return first[Token](tx.db.Where("id = ?", id))
}

// CreateToken inserts a pair and sets its id.
func (tx *Tx) CreateToken(t *Token) error { return tx.create(t) }

// RotateToken replaces the hashes and times of the pair with this id, if its refresh
// hash is still old. Of two concurrent calls, one returns false.
func (tx *Tx) RotateToken(t *Token, old string) (won bool, err error) {
	res := tx.db.Exec(`UPDATE tokens SET access_hash = ?, access_expires_at = ?, refresh_hash = ?, refresh_expires_at = ?
		WHERE id = ? AND refresh_hash = ?`, t.AccessHash, t.AccessExpiresAt, t.RefreshHash, t.RefreshExpiresAt, t.ID, old)
	return res.RowsAffected > 0, res.Error
}

// RevokeToken ends one pair.
func (tx *Tx) RevokeToken(id, now int64) error {
	hash := "revoked-" + strconv.FormatInt(id, 10)
	return tx.db.Exec(`UPDATE tokens SET access_hash = ?, refresh_hash = ?, access_expires_at = ?, refresh_expires_at = ?
		WHERE id = ?`, hash, hash, now, now, id).Error
}

// RevokeTokensOf ends all pairs of the user except the one with the id except (0: no
// exception).
func (tx *Tx) RevokeTokensOf(userID, except, now int64) error {
	return tx.db.Exec(`UPDATE tokens SET access_hash = 'revoked-' || id, refresh_hash = 'revoked-' || id,
		access_expires_at = ?, refresh_expires_at = ?
		WHERE user_id = ? AND id <> ? AND refresh_expires_at > ?`, now, now, userID, except, now).Error
}

// TokensSince counts the pairs made for the user's app after since, and returns when
// the oldest of them was made.
func (tx *Tx) TokensSince(userID int64, appID string, since int64) (count, oldest int64, err error) {
	var row struct{ N, Oldest int64 }
	err = tx.db.Raw(`SELECT COUNT(*) AS n, COALESCE(MIN(created_at), 0) AS oldest FROM tokens
		WHERE user_id = ? AND app_id = ? AND created_at > ?`, userID, appID, since).Scan(&row).Error
	return row.N, row.Oldest, err
}

// DeleteExpiredTokens removes the pairs that can no longer be refreshed and that
// were made at or before made.
func (tx *Tx) DeleteExpiredTokens(now, made int64) error {
	return tx.db.Exec(`DELETE FROM tokens WHERE refresh_expires_at <= ? AND created_at <= ?`, now, made).Error
}
