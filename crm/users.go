package crm

import (
	"context"
	"errors"
	"net/mail"
	"strings"

	"chatcast/channels/refusals"
	"chatcast/models"
)

const maxEmail = 254 // characters: the limit of SMTP

// Me is the signed-in user.
type Me struct {
	ID        int64       `json:"id"`
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	AppID     string      `json:"appId"`
	TOTP      string      `json:"totp"` // the second factor: off, on, or required, which means off and refused everything else
	Companies []MyCompany `json:"companies"`
}

// MyCompany is a company that the user works for.
type MyCompany struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	OnlyMine bool   `json:"onlyMine"`
	Online   bool   `json:"online"`
	Workday  string `json:"workday"`
}

// Me returns the actor's own account.
func (s *Service) Me(ctx context.Context, a Actor) (*Me, error) {
	return me(s.Store.Read(ctx), a)
}

func me(tx *models.Tx, a Actor) (*Me, error) {
	user, err := tx.UserByID(a.UserID)
	if err != nil {
		return nil, orNotFound(err, "user")
	}
	places, err := tx.Workplaces(a.UserID)
	if err != nil {
		return nil, err
	}
	state, err := totpState(tx, a.UserID)
	if err != nil {
		return nil, err
	}
	m := &Me{ID: user.ID, Email: user.Email, Name: user.Name, AppID: a.AppID, TOTP: state, Companies: []MyCompany{}}
	for _, p := range places {
		m.Companies = append(m.Companies, MyCompany{
			ID: p.CompanyID, Name: p.CompanyName, Role: p.Role,
			OnlyMine: p.OnlyMine && p.Role == models.RoleOperator, Online: p.Online, Workday: p.Workday,
		})
	}
	return m, nil
}

// MyChanges are what users may change of their own account.
type MyChanges struct {
	Name            *string `json:"name"`
	Password        *string `json:"password"`
	CurrentPassword string  `json:"currentPassword"` // required with Password
}

// ChangeMe changes the actor's own account. A new password ends all tokens but the one
// that was presented and closes all sockets: one of them may have been opened by
// somebody who knew the old password.
func (s *Service) ChangeMe(ctx context.Context, a Actor, accessToken string, ch MyChanges) (*Me, error) {
	var violations []error
	if ch.Name != nil {
		violations = append(violations, checkRequired("name", *ch.Name, maxName))
	}
	if ch.Password != nil {
		violations = append(violations, checkPassword("password", *ch.Password))
		if ch.CurrentPassword == "" {
			violations = append(violations, Invalid("currentPassword", "is required with password"))
		}
	}
	if err := allViolations(violations...); err != nil {
		return nil, err
	}
	before, after, err := s.newHash(ctx, a, ch)
	if err != nil {
		return nil, err
	}
	var m *Me
	err = s.change(ctx, func(c *change) error {
		user, err := c.lockPerson(a)
		if err != nil {
			return err
		}
		if ch.Name != nil {
			if err := c.setName(a, user, *ch.Name); err != nil {
				return err
			}
		}
		if after != "" {
			if user.PasswordHash != before {
				return conflict("the password was changed at the same time")
			}
			user.PasswordHash, user.PasswordKnown = after, false
			if err := errors.Join(
				c.tx.DeleteReset(user.ID), s.endTokens(c, user.ID, accessToken),
				c.auditUser(user.ID, audited{action: AuditPasswordChanged, by: a.auditor(), on: userTarget(user.ID, user.Email)}),
			); err != nil {
				return err
			}
		}
		if err := c.tx.SaveUser(user); err != nil {
			return err
		}
		m, err = me(c.tx, a)
		return err
	})
	return m, err
}

// lockPerson locks the actor's user. A key is CodeDenied.
func (c *change) lockPerson(a Actor) (*models.User, error) {
	user, err := c.tx.LockUser(a.UserID)
	switch {
	case err != nil:
		return nil, orNotFound(err, "user")
	case user.OfKey:
		return nil, ErrForPeople
	}
	return user, nil
}

// setName gives the user another name. The caller saves the user.
func (c *change) setName(a Actor, user *models.User, name string) error {
	was := user.Name
	user.Name = strings.TrimSpace(name)
	if user.Name == was {
		return nil
	}
	return c.auditUser(user.ID, audited{
		action: AuditAccountRenamed, by: a.auditor(), on: userTarget(user.ID, user.Email), details: map[string]string{"name": user.Name, "nameBefore": was},
	})
}

// newHash checks the current password and hashes the new one, if there is one. It runs
// outside the transaction because it takes long.
func (s *Service) newHash(ctx context.Context, a Actor, ch MyChanges) (before, after string, err error) {
	if ch.Password == nil {
		return "", "", nil
	}
	user, err := s.checkOwnPassword(ctx, a, ch.CurrentPassword)
	if err != nil {
		return "", "", err
	}
	after, err = s.passwords.hash(ctx, true, *ch.Password)
	return user.PasswordHash, after, err
}

// checkOwnPassword returns the actor when the password is theirs. A wrong one is
// CodeInvalid about the field currentPassword, and counts as a failed sign-in to the
// account.
func (s *Service) checkOwnPassword(ctx context.Context, a Actor, password string) (*models.User, error) {
	user, err := s.Store.Read(ctx).UserByID(a.UserID)
	if err != nil {
		return nil, orNotFound(err, "user")
	}
	if user.OfKey {
		return nil, ErrForPeople
	}
	admitted := s.signIns.admit(s.Now(), "account of "+user.Email, user.Email)
	if admitted.wait > 0 {
		s.refuse(ctx, refusals.OwnPassword, refusals.Throttled, user.ID, clientIn(ctx), "", a.auditor())
		return nil, &Error{Code: CodeThrottled, Message: "too many attempts", RetryAfter: seconds(admitted.wait)}
	}
	right, err := s.passwords.matches(ctx, true, user.PasswordHash, password)
	if err != nil {
		return nil, err
	}
	if !right {
		s.refuse(ctx, refusals.OwnPassword, refusals.WrongPassword, user.ID, clientIn(ctx), AuditPasswordRefused, a.auditor())
		return nil, Invalid("currentPassword", "is wrong")
	}
	admitted.succeeded()
	return user, nil
}

// endTokens ends the user's tokens except spare (empty: no exception), and closes the
// user's sockets after the commit. The caller has locked the user.
func (s *Service) endTokens(c *change, userID int64, spare string) error {
	var except int64
	if spare != "" {
		t, err := s.token(c.tx, spare)
		if err != nil {
			return err
		}
		except = t.ID
	}
	if err := c.endSockets(userID); err != nil {
		return err
	}
	return c.tx.RevokeTokensOf(userID, except, c.now.Unix())
}

// newEmail checks an e-mail and returns its stored form: lower case, without
// surrounding blanks.
func newEmail(field, email string) (string, error) {
	if err := checkRequired(field, email, maxEmail); err != nil {
		return "", err
	}
	email = strings.ToLower(strings.TrimSpace(email))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email {
		return "", Invalid(field, "must be an e-mail address")
	}
	return email, nil
}

// UserInfo returns what the members of a presence channel see of a user: the name.
func (s *Service) UserInfo(ctx context.Context, userID int64) (name string, err error) {
	user, err := s.Store.Read(ctx).UserByID(userID)
	if err != nil {
		return "", orNotFound(err, "user")
	}
	return user.Name, nil
}
