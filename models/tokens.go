package models

// TokenByAccess finds the token pair by the hex SHA-256 of its access token, or
// ErrNotFound. Whether it has expired is the caller's to see.
func (tx *Tx) TokenByAccess(hash string) (*Token, error) {
	return first[Token](tx.db.Where("access_hash = ?", hash))
}
