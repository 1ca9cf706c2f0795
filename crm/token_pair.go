package crm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"chatcast/models"
)

// Lifetimes of tokens.
const (
	accessLife  = 24 * time.Hour
	refreshLife = 14 * 24 * time.Hour
)

// TokenPair holds the tokens that authenticate a user's requests. It is shown once; the
// database has only hashes.
type TokenPair struct {
	CabinetUserID       int64  `json:"cabinetUserId"`
	AccessToken         string `json:"accessToken"`
	AccessTokenEndTime  int64  `json:"accessTokenEndTime"` // unix seconds
	RefreshToken        string `json:"refreshToken"`
	RefreshTokenEndTime int64  `json:"refreshTokenEndTime"` // unix seconds
}

// newPair returns random tokens and the row that stores their hashes.
func newPair(userID int64, appID string, now time.Time, from Client) (*models.Token, *TokenPair) {
	pair := &TokenPair{
		CabinetUserID:       userID,
		AccessToken:         randomToken(),
		AccessTokenEndTime:  now.Add(accessLife).Unix(),
		RefreshToken:        randomToken(),
		RefreshTokenEndTime: now.Add(refreshLife).Unix(),
	}
	return &models.Token{
		UserID: userID, AppID: appID, CreatedAt: now.Unix(), LastUsedAt: now.Unix(), Address: from.Address, UserAgent: from.UserAgent,
		AccessHash: hashToken(pair.AccessToken), AccessExpiresAt: pair.AccessTokenEndTime,
		RefreshHash: hashToken(pair.RefreshToken), RefreshExpiresAt: pair.RefreshTokenEndTime,
	}, pair
}

// randomToken returns 32 random bytes in hex.
func randomToken() string {
	var b [32]byte
	rand.Read(b[:]) // never returns an error: on a failure the program ends
	return hex.EncodeToString(b[:])
}

// hashToken returns the stored form of a token: hex SHA-256. Tokens are 32 random
// bytes, so a plain hash cannot be guessed back.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// randomHex returns n random bytes as hex digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
