package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// TokenSession is what a token pair and those that it is refreshed to have in common.
// Sockets that it vouched for end with it.
type TokenSession struct {
	ID     int64
	UserID int64
	Until  time.Time // the end of the present access token
}

func sessionOf(t *models.Token) TokenSession {
	return TokenSession{ID: t.ID, UserID: t.UserID, Until: time.Unix(t.AccessExpiresAt, 0)}
}

// SessionOfToken returns the session of a valid access token. Its errors are those of
// Authenticate.
func (s *Service) SessionOfToken(ctx context.Context, accessToken string) (TokenSession, error) {
	t, err := s.holder(ctx, accessToken)
	if err != nil {
		return TokenSession{}, err
	}
	if t.MustEnrol {
		return TokenSession{}, errMustEnrol
	}
	return sessionOf(&t.Token), nil
}

// TokenSession returns a session by its id, also when its access token has expired. It
// returns CodeBadToken when the session has ended and can no longer be refreshed, and
// CodeDenied while the user must set up a second factor first.
func (s *Service) TokenSession(ctx context.Context, id int64) (TokenSession, error) {
	tx := s.Store.Read(ctx)
	t, err := tx.TokenByID(id)
	if errors.Is(err, models.ErrNotFound) || err == nil && (t.Revoked() || t.RefreshExpiresAt <= s.Now().Unix()) {
		return TokenSession{}, errBadToken
	}
	if err != nil {
		return TokenSession{}, err
	}
	must, err := tx.MustEnrol(t.UserID)
	if err == nil && must {
		err = errMustEnrol
	}
	return sessionOf(t), err
}
