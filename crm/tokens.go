package crm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
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

// SignIn is a request for tokens.
type SignIn struct {
	Email    string
	Password string
	AppID    string // "app_{user}_{n}"; empty: the user's first app
	Address  string // of the client, for the throttle and the list of sessions

	UserAgent string // of the client
	Code      string // of the second factor, or a recovery code; required when the user has one

	byHost bool // needs no code, and the number of tokens is not limited
}

var appIDForm = regexp.MustCompile(`^app_[1-9][0-9]{0,18}_[1-9][0-9]{0,5}$`)

var (
	errNoAccessToken = &Error{Code: CodeNoToken, Message: "an access token is required in the Authorization header"}
	errBadToken      = &Error{Code: CodeBadToken, Message: "the access token is invalid or has expired"}
	errMustEnrol     = denied("a company of this user requires a second factor; POST /v1/me/totp sets one up")
)

// MakeToken signs a user in. A wrong e-mail and a wrong password give the same error,
// after about the same time. With the right password, a user with a second factor needs a
// code too: without it, or with a wrong one, the error is CodeInvalid about the field code.
// Too many attempts give CodeThrottled, see throttle.
func (s *Service) MakeToken(ctx context.Context, in SignIn) (*TokenPair, error) {
	if err := allViolations(
		checkRequired("email", in.Email, maxEmail), checkSignInPassword(in.Password), checkAppID(in.AppID),
	); err != nil {
		return nil, err
	}
	in.Email = strings.ToLower(strings.TrimSpace(in.Email))
	admitted := s.signIns.admit(s.Now(), in.Address, in.Email)
	if admitted.wait > 0 {
		return nil, &Error{Code: CodeThrottled, Message: "too many attempts to sign in", RetryAfter: seconds(admitted.wait)}
	}
	user, err := s.checkSignIn(ctx, in, admitted.known)
	if err != nil {
		return nil, err
	}
	admitted.succeeded()
	refund, err := s.admitCode(user.ID, in.Code)
	if err != nil {
		return nil, err
	}
	pair, err := s.issue(ctx, user, in)
	var wrong *Error
	switch {
	case err == nil:
		refund()
	case in.Code != "" && errors.As(err, &wrong) && wrong.Code == CodeInvalid:
		s.Log.WarnContext(ctx, "a code of a second factor was wrong", "user", user.ID, "address", in.Address)
	}
	return pair, err
}

// checkSignIn returns the user with this e-mail and password. known tells that the
// address is known to the account.
func (s *Service) checkSignIn(ctx context.Context, in SignIn, known bool) (*models.User, error) {
	user, err := s.Store.Read(ctx).UserByEmail(in.Email)
	if errors.Is(err, models.ErrNotFound) {
		user, err = &models.User{}, nil
	}
	if err != nil {
		return nil, err
	}
	right, err := s.passwords.matches(ctx, known, user.PasswordHash, in.Password)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, denied("the e-mail or the password is wrong")
	}
	return user, nil
}

// IssueToken makes tokens for the user with this e-mail without a password or code. It is
// for the person who runs the program.
func (s *Service) IssueToken(ctx context.Context, email string) (*TokenPair, error) {
	user, err := s.Store.Read(ctx).UserByEmail(strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return nil, orNotFound(err, "user")
	}
	return s.issue(ctx, user, SignIn{byHost: true})
}

// issue stores a new pair for a user. The user's password hash must still be the one
// that was checked, and the user must not be disabled and must work for a company. It
// uses up the code.
func (s *Service) issue(ctx context.Context, user *models.User, in SignIn) (*TokenPair, error) {
	appID := in.AppID
	if appID == "" {
		appID = defaultApp(user.ID)
	} else if !strings.HasPrefix(appID, fmt.Sprintf("app_%d_", user.ID)) {
		return nil, Invalid("appId", "is not an app of this user: theirs begin with app_%d_", user.ID)
	}
	var pair *TokenPair
	err := s.Store.Tx(ctx, func(tx *models.Tx) error {
		locked, err := tx.LockUser(user.ID)
		if err != nil {
			return err
		}
		if locked.PasswordHash != user.PasswordHash {
			return denied("the e-mail or the password is wrong")
		}
		if locked.DisabledAt != 0 {
			return denied("this account is disabled")
		}
		employments, err := tx.Employments(user.ID)
		if err != nil {
			return err
		}
		if len(employments) == 0 {
			return denied("this user works for no company")
		}
		now := s.Now()
		if !in.byHost {
			if err := useCode(tx, user.ID, in.Code, now); err != nil {
				return err
			}
		}
		count, oldest, err := tx.TokensSince(user.ID, appID, now.Add(-day).Unix())
		if err != nil {
			return err
		}
		if count >= tokensPerDay && !in.byHost {
			return &Error{
				Code: CodeThrottled, Message: fmt.Sprintf("an app may make %d tokens a day", tokensPerDay),
				RetryAfter: seconds(time.Unix(oldest, 0).Add(day).Sub(now)),
			}
		}
		var row *models.Token
		row, pair = newPair(user.ID, appID, now, clientOf(in.Address, in.UserAgent))
		return tx.CreateToken(row)
	})
	if err != nil {
		return nil, err
	}
	s.removeExpired(ctx)
	return pair, nil
}

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

// Authenticate returns the actor that an access token belongs to. It returns
// CodeNoToken when the token is empty, CodeBadToken when it is unknown or has expired,
// and CodeDenied while the user must set up a second factor first.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Actor, error) {
	a, mustEnrol, err := s.AuthenticateToEnrol(ctx, accessToken)
	if err != nil {
		return Actor{}, err
	}
	if mustEnrol {
		return Actor{}, errMustEnrol
	}
	return a, nil
}

// AuthenticateToEnrol is Authenticate for what users need to set up a second factor. It
// does not refuse those who must, and reports whether the actor is one of them.
func (s *Service) AuthenticateToEnrol(ctx context.Context, accessToken string) (a Actor, mustEnrol bool, err error) {
	t, err := s.holder(ctx, accessToken)
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
		c.after = append(c.after, func() { s.Live.EndSession(t.UserID, t.ID) })
		return nil
	})
}

// token finds the valid pair of an access token.
func (s *Service) token(tx *models.Tx, accessToken string) (*models.Token, error) {
	if accessToken == "" {
		return nil, errNoAccessToken
	}
	t, err := tx.TokenByAccess(hashToken(accessToken))
	if errors.Is(err, models.ErrNotFound) || err == nil && t.AccessExpiresAt <= s.Now().Unix() {
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
