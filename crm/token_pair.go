package crm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"chatcast/models"
)

// Lives of tokens.
const (
	accessLife  = 24 * time.Hour
	refreshLife = 14 * 24 * time.Hour
)

// TokenPair is what a user signs requests with. It is shown once; the database
// has only hashes.
type TokenPair struct {
	CabinetUserID       int64  `json:"cabinetUserId"`
	AccessToken         string `json:"accessToken"`
	AccessTokenEndTime  int64  `json:"accessTokenEndTime"` // unix seconds
	RefreshToken        string `json:"refreshToken"`
	RefreshTokenEndTime int64  `json:"refreshTokenEndTime"` // unix seconds
}

// newPair makes random tokens and the row that knows them by hash.
func newPair(userID int64, appID string, now time.Time) (*models.Token, *TokenPair) {
	pair := &TokenPair{
		CabinetUserID:       userID,
		AccessToken:         randomToken(),
		AccessTokenEndTime:  now.Add(accessLife).Unix(),
		RefreshToken:        randomToken(),
		RefreshTokenEndTime: now.Add(refreshLife).Unix(),
	}
	return &models.Token{
		UserID: userID, AppID: appID, CreatedAt: now.Unix(),
		AccessHash: hashToken(pair.AccessToken), AccessExpiresAt: pair.AccessTokenEndTime,
		RefreshHash: hashToken(pair.RefreshToken), RefreshExpiresAt: pair.RefreshTokenEndTime,
	}, pair
}

// randomToken is 32 random bytes in hex.
func randomToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: the program would end
	return hex.EncodeToString(b[:])
}

// hashToken is how a token is stored: hex SHA-256. Tokens are 32 random bytes,
// so a plain hash cannot be guessed back.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// randomHex is n random bytes as hex digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
