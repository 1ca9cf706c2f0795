package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// TokenSession is what a token pair and those that it is refreshed to have in common.
// Sockets that it vouched for end with it. A key has one session, whose id is below 0.
type TokenSession struct {
	ID     int64
	UserID int64
	Until  time.Time // the end of the present access token; zero: of a key, it has none
	Key    bool      // of a program, not of a person
}

func sessionOf(t *models.Token) TokenSession {
	return TokenSession{ID: t.ID, UserID: t.UserID, Until: time.Unix(t.AccessExpiresAt, 0)}
}

func sessionOfKey(k *models.APIKey) TokenSession {
	return TokenSession{ID: -k.ID, UserID: k.UserID, Key: true}
}

// SessionOfToken returns the session of a valid access token, or of a key. Its errors are
// those of Authenticate.
func (s *Service) SessionOfToken(ctx context.Context, accessToken string) (TokenSession, error) {
	t, k, err := s.bearer(ctx, accessToken)
	switch {
	case err != nil:
		return TokenSession{}, err
	case k != nil:
		return sessionOfKey(k), nil
	case t.MustEnrol:
		return TokenSession{}, errMustEnrol
	}
	return sessionOf(&t.Token), nil
}

// TokenSession returns a session by its id, also when its access token has expired. It
// returns CodeBadToken when the session has ended and can no longer be refreshed, or the key
// was revoked, and CodeDenied while the user must set up a second factor first.
func (s *Service) TokenSession(ctx context.Context, id int64) (TokenSession, error) {
	tx := s.Store.Read(ctx)
	if id < 0 {
		k, err := tx.KeyByID(-id)
		if errors.Is(err, models.ErrNotFound) {
			return TokenSession{}, errBadToken
		}
		if err != nil {
			return TokenSession{}, err
		}
		return sessionOfKey(k), nil
	}
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
