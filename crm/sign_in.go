package crm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"chatcast/channels/refusals"
	"chatcast/models"
)

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
		s.refuseSignIn(ctx, refusals.Throttled, 0, in.client())
		return nil, &Error{Code: CodeThrottled, Message: "too many attempts to sign in", RetryAfter: seconds(admitted.wait)}
	}
	user, err := s.checkSignIn(ctx, in, admitted.known)
	if err != nil {
		return nil, err
	}
	admitted.succeeded()
	refund, err := s.admitCode(user.ID, in.Address, in.Code)
	var pair *TokenPair
	if err == nil {
		pair, err = s.issue(ctx, user, in)
	}
	if err != nil {
		if reason := signInRefusal(err); reason != "" {
			s.refuseSignIn(ctx, reason, user.ID, in.client())
		}
		return nil, err
	}
	refund()
	return pair, nil
}

// client returns where the request comes from.
func (in SignIn) client() Client { return clientOf(in.Address, in.UserAgent) }

// signInRefusal returns why err refused a sign-in with the right password. It is empty
// for other errors, and when the user is only asked for a code.
func signInRefusal(err error) refusals.Reason {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return ""
	case e == errWrongPassword: // it was changed meanwhile
		return refusals.WrongPassword
	case e == errWrongCode:
		return refusals.WrongCode
	case e == errDisabled:
		return refusals.Disabled
	case e == errNoCompany:
		return refusals.NoCompany
	case e.Code == CodeThrottled:
		return refusals.Throttled
	}
	return ""
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
		if reason := signInRefusal(err); reason != "" {
			s.refuseSignIn(ctx, reason, 0, in.client())
		}
		return nil, err
	}
	if !right {
		s.refuseSignIn(ctx, refusals.WrongPassword, user.ID, in.client())
		return nil, errWrongPassword
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
	err := s.change(ctx, func(c *change) error {
		tx, now := c.tx, c.now
		if err := c.mayHaveToken(user); err != nil {
			return err
		}
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
		row, pair = newPair(user.ID, appID, now, in.client())
		if err := tx.CreateToken(row); err != nil {
			return err
		}
		by := byUser(user.ID)
		if in.byHost {
			by = byHost
		}
		c.from = in.client()
		return c.auditUser(user.ID, audited{
			action: AuditSignedIn, by: by, on: ofID(targetSession, row.ID, user.Email), details: map[string]string{"appId": appID},
		})
	})
	if err != nil {
		return nil, err
	}
	s.removeExpired(ctx)
	return pair, nil
}

// mayHaveToken locks the user, and returns an error unless the user is still the one who
// was checked, and may sign in.
func (c *change) mayHaveToken(user *models.User) error {
	locked, err := c.tx.LockUser(user.ID)
	if err != nil {
		return err
	}
	if locked.PasswordHash != user.PasswordHash {
		return errWrongPassword
	}
	if locked.DisabledAt != 0 {
		return errDisabled
	}
	employments, err := c.tx.Employments(user.ID)
	if err == nil && len(employments) == 0 {
		err = errNoCompany
	}
	return err
}
