package models

import (
	"errors"
	"strconv"
	"strings"
)

// revoked begins the hashes of a revoked pair.
const revoked = "revoked-"

// Revoked reports whether the pair was ended, whatever the clock says.
func (t *Token) Revoked() bool { return strings.HasPrefix(t.AccessHash, revoked) }

// A revoked pair stays as a row until its day is over, so that it still counts against
// the limit of tokens a day. Its hashes no longer match anything.

// TokenByAccess finds the token pair by the hex SHA-256 of its access token, or returns
// ErrNotFound. The caller checks whether it has expired. A disabled user holds none,
// whatever the table has.
func (tx *Tx) TokenByAccess(hash string) (*Token, error) {
	return first[Token](tx.db.Where("access_hash = ? AND user_id IN (SELECT id FROM users WHERE disabled_at = 0)", hash))
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

// TokenByUsedRefresh finds the pair that has exchanged the refresh token with this hash,
// or returns ErrNotFound. It knows the last usedRefreshTokens of each pair.
func (tx *Tx) TokenByUsedRefresh(hash string) (*Token, error) {
	return first[Token](tx.db.Where("id = (SELECT token_id FROM used_refresh_tokens WHERE hash = ?)", hash))
}

// CreateToken inserts a pair and sets its id.
func (tx *Tx) CreateToken(t *Token) error { return tx.create(t) }

// usedRefreshTokens is how many exchanged refresh tokens of a pair are remembered.
const usedRefreshTokens = 100

// RotateToken replaces the tokens of the pair old by those of t, which keeps its id, and
// remembers the exchanged refresh token. Callers have locked the user.
func (tx *Tx) RotateToken(t, old *Token) error {
	return errors.Join(
		tx.db.Exec(`INSERT INTO used_refresh_tokens (token_id, number, hash) VALUES (?, ?, ?)`, old.ID, old.Refreshes, old.RefreshHash).Error,
		tx.db.Exec(`DELETE FROM used_refresh_tokens WHERE token_id = ? AND number <= ?`, old.ID, old.Refreshes-usedRefreshTokens).Error,
		tx.db.Exec(`UPDATE tokens SET access_hash = ?, access_expires_at = ?, refresh_hash = ?, refresh_expires_at = ?,
			last_used_at = ?, address = ?, user_agent = ?, refreshes = refreshes + 1 WHERE id = ?`,
			t.AccessHash, t.AccessExpiresAt, t.RefreshHash, t.RefreshExpiresAt, t.LastUsedAt, t.Address, t.UserAgent, old.ID).Error,
	)
}

// TouchToken notes that the pair was used.
func (tx *Tx) TouchToken(id, now int64) error {
	return tx.db.Exec(`UPDATE tokens SET last_used_at = ? WHERE id = ? AND last_used_at < ?`, now, id, now).Error
}

// LiveTokens lists the user's pairs that can still be used or refreshed, newest first,
// those with ids below before (0: all).
func (tx *Tx) LiveTokens(userID, now, before int64, limit int) ([]Token, error) {
	q := tx.db.Where("user_id = ? AND refresh_expires_at > ?", userID, now)
	if before != 0 {
		q = q.Where("id < ?", before)
	}
	var list []Token
	return list, q.Order("id DESC").Limit(limit).Find(&list).Error
}

// LiveToken returns a pair of the user that can still be used or refreshed, or
// ErrNotFound.
func (tx *Tx) LiveToken(userID, id, now int64) (*Token, error) {
	return first[Token](tx.db.Where("id = ? AND user_id = ? AND refresh_expires_at > ?", id, userID, now))
}

// RevokeToken ends one pair.
func (tx *Tx) RevokeToken(id, now int64) error {
	hash := revoked + strconv.FormatInt(id, 10)
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
