package crm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"chatcast/models"
)

// hashToken is how a token is stored: hex SHA-256. Tokens are 32 random bytes,
// so a plain hash cannot be guessed back.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Authenticate returns who an access token belongs to. CodeNoToken when it is
// empty, CodeBadToken when it is unknown or has expired.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Actor, error) {
	if accessToken == "" {
		return Actor{}, &Error{Code: CodeNoToken, Message: "an access token is required in the Authorization header"}
	}
	t, err := s.Store.Read(ctx).TokenByAccess(hashToken(accessToken))
	if errors.Is(err, models.ErrNotFound) || err == nil && t.AccessExpiresAt <= s.Now().Unix() {
		return Actor{}, &Error{Code: CodeBadToken, Message: "the access token is invalid or has expired"}
	}
	if err != nil {
		return Actor{}, err
	}
	return Actor{UserID: t.UserID, AppID: t.AppID}, nil
}
