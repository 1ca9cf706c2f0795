package crm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"

	"chatcast/models"
)

// tokensPerDay is how many token pairs an app of a user may make in one day.
const (
	tokensPerDay = 100
	day          = 24 * time.Hour
)

// TokenInfo describes a valid access token.
type TokenInfo struct {
	CabinetUserID      int64  `json:"cabinetUserId"`
	AppID              string `json:"appId"`
	AccessTokenEndTime int64  `json:"accessTokenEndTime"` // unix seconds
}

var appIDForm = regexp.MustCompile(`^app_[1-9][0-9]{0,18}_[1-9][0-9]{0,5}$`)

var (
	errNoAccessToken = &Error{Code: CodeNoToken, Message: "an access token is required in the Authorization header"}
	errBadToken      = &Error{Code: CodeBadToken, Message: "the access token is invalid or has expired"}
	errWrongPassword = denied("the e-mail or the password is wrong")
	errDisabled      = denied("this account is disabled")
	errNoCompany     = denied("this user works for no company")
	errMustEnrol     = denied("a company of this user requires a second factor; POST /v1/me/totp sets one up")
)

// removeExpired removes expired pairs, at most once an hour. It only logs an error,
// because an error must not fail the sign-in.
func (s *Service) removeExpired(ctx context.Context) {
	now, last := s.Now().Unix(), s.cleaned.Load()
	if now-last < int64(time.Hour/time.Second) || !s.cleaned.CompareAndSwap(last, now) {
		return
	}
	err := s.Store.Tx(ctx, func(tx *models.Tx) error {
		return tx.DeleteExpiredTokens(now, now-int64(day/time.Second))
	})
	if err != nil {
		s.Log.WarnContext(ctx, "expired tokens were not removed", "error", err)
	}
}

// CheckToken describes an access token, or returns an error when it is not valid.
func (s *Service) CheckToken(ctx context.Context, accessToken string) (*TokenInfo, error) {
	t, err := s.token(s.Store.Read(ctx), accessToken)
	if err != nil {
		return nil, err
	}
	return &TokenInfo{CabinetUserID: t.UserID, AppID: t.AppID, AccessTokenEndTime: t.AccessExpiresAt}, nil
}

// Authenticate returns the actor that an access token belongs to, or a key. It returns
// CodeNoToken when the token is empty, CodeBadToken when it is unknown, has expired or was
// revoked, and CodeDenied while the user must set up a second factor first. A key needs none:
// somebody made it who had signed in with theirs.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Actor, error) {
	t, k, err := s.bearer(ctx, accessToken)
	switch {
	case err != nil:
		return Actor{}, err
	case k != nil:
		return keyActor(k), nil
	case t.MustEnrol:
		return Actor{}, errMustEnrol
	}
	return Actor{UserID: t.UserID, AppID: t.AppID}, nil
}

// AuthenticateToEnrol is Authenticate for what users need to set up a second factor. It
// does not refuse those who must, and reports whether the actor is one of them. A key is
// CodeDenied.
func (s *Service) AuthenticateToEnrol(ctx context.Context, accessToken string) (a Actor, mustEnrol bool, err error) {
	t, k, err := s.bearer(ctx, accessToken)
	if err == nil && k != nil {
		err = ErrForPeople
	}
	if err != nil {
		return Actor{}, false, err
	}
	return Actor{UserID: t.UserID, AppID: t.AppID}, t.MustEnrol, nil
}

// holder finds the valid pair of an access token and what its user must do first.
func (s *Service) holder(ctx context.Context, accessToken string) (*models.TokenHolder, error) {
	if accessToken == "" {
		return nil, errNoAccessToken
	}
	t, err := s.Store.Read(ctx).TokenHolder(hashToken(accessToken))
	if errors.Is(err, models.ErrNotFound) || err == nil && t.AccessExpiresAt <= s.Now().Unix() {
		return nil, errBadToken
	}
	if err != nil {
		return nil, err
	}
	s.touch(ctx, &t.Token)
	return t, nil
}

// RevokeToken ends the pair of an access token, and the sockets of its session.
func (s *Service) RevokeToken(ctx context.Context, accessToken string) error {
	return s.change(ctx, func(c *change) error {
		t, err := s.token(c.tx, accessToken)
		if err != nil {
			return err
		}
		if _, err := c.tx.LockUser(t.UserID); err != nil {
			return err
		}
		if err := c.tx.RevokeToken(t.ID, c.now.Unix()); err != nil {
			return err
		}
		c.endAccess(models.AccessEnd{UserID: t.UserID, Kind: models.EndOfSession, Session: t.ID})
		return c.auditUser(t.UserID, audited{action: AuditSignedOut, by: byUser(t.UserID), on: ofID(targetSession, t.ID, "")})
	})
}

// token finds the valid pair of an access token. A key is CodeDenied.
func (s *Service) token(tx *models.Tx, accessToken string) (*models.Token, error) {
	if accessToken == "" {
		return nil, errNoAccessToken
	}
	t, err := tx.TokenByAccess(hashToken(accessToken))
	if errors.Is(err, models.ErrNotFound) || err == nil && t.AccessExpiresAt <= s.Now().Unix() {
		if _, err := tx.KeyByHash(hashToken(accessToken)); !errors.Is(err, models.ErrNotFound) {
			return nil, cmp.Or(err, error(ErrForPeople))
		}
		return nil, errBadToken
	}
	return t, err
}

func defaultApp(userID int64) string { return fmt.Sprintf("app_%d_1", userID) }

func checkAppID(appID string) error {
	if appID != "" && !appIDForm.MatchString(appID) {
		return Invalid("appId", "must look like app_685_1")
	}
	return nil
}

// checkSignInPassword accepts any password that is not empty: the limits are for new
// passwords, and a wrong one simply does not match.
func checkSignInPassword(password string) error {
	if password == "" {
		return Invalid("password", "is required")
	}
	return nil
}

// seconds returns d in whole seconds, at least one.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
