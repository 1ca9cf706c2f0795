package crm

import (
	"context"
	"errors"

	"chatcast/channels/refusals"
	"chatcast/models"
)

// accepting returns the account that accepts, nil when there is none yet, and the hash
// of its new password, empty when the password stays. It runs outside the transaction
// because hashing takes long.
func (s *Service) accepting(ctx context.Context, row *models.Invitation, in Acceptance) (user *models.User, hash string, err error) {
	if in.AccessToken != "" {
		return s.acceptingWithToken(ctx, row, in)
	}
	if in.Name != "" { // check first what is required of a new account, whether or not there is one
		if err := allViolations(checkRequired("name", in.Name, maxName), checkPassword("password", in.Password)); err != nil {
			return nil, "", err
		}
	}
	user, err = s.Store.Read(ctx).UserByEmail(row.Email)
	if errors.Is(err, models.ErrNotFound) {
		if in.Name != "" {
			hash, err = s.passwords.hash(ctx, false, in.Password)
			return nil, hash, err
		}
		user, err = &models.User{Email: row.Email}, nil // no password matches
	}
	if err != nil {
		return nil, "", err
	}
	hash, err = s.acceptingHash(ctx, user, in)
	return user, hash, err
}

// acceptingWithToken is accepting for a person who is signed in.
func (s *Service) acceptingWithToken(ctx context.Context, row *models.Invitation, in Acceptance) (*models.User, string, error) {
	a, err := s.Authenticate(ctx, in.AccessToken)
	if err == nil && a.KeyID != 0 {
		err = ErrForPeople
	}
	if err != nil {
		return nil, "", err
	}
	user, err := s.Store.Read(ctx).UserByID(a.UserID)
	switch {
	case err != nil:
		return nil, "", orNotFound(err, "user")
	case user.Email != row.Email:
		return nil, "", denied("this invitation is for another e-mail than that of your account")
	case in.NewPassword == nil && user.PasswordKnown:
		return nil, "", passwordKnown()
	case in.NewPassword == nil:
		return user, "", nil
	}
	hash, err := s.acceptingHash(ctx, user, in)
	return user, hash, err
}

// acceptingHash checks the present password of the account. It returns the hash of the
// new one, if there is one.
func (s *Service) acceptingHash(ctx context.Context, user *models.User, in Acceptance) (hash string, err error) {
	violations := []error{checkSignInPassword(in.Password)}
	if in.NewPassword != nil {
		violations = append(violations, checkPassword("newPassword", *in.NewPassword))
	}
	if err := allViolations(violations...); err != nil {
		return "", err
	}
	admitted := s.signIns.admit(s.Now(), in.Address, user.Email)
	from := Client{in.Address, clientIn(ctx).UserAgent}
	if admitted.wait > 0 {
		s.refuseSignIn(ctx, refusals.Throttled, 0, from)
		return "", &Error{Code: CodeThrottled, Message: "too many attempts to sign in", RetryAfter: seconds(admitted.wait)}
	}
	right, err := s.passwords.matches(ctx, admitted.known, user.PasswordHash, in.Password)
	if err == nil && !right {
		s.refuseSignIn(ctx, refusals.WrongPassword, user.ID, from)
	}
	switch {
	case err != nil:
		return "", err
	case !right && in.Name != "":
		return "", denied("there is an account with this e-mail already, with another password: accept with that one, or sign in first")
	case !right:
		return "", denied("the password is wrong, or there is no account with this e-mail: give a name to make one")
	}
	admitted.succeeded()
	if in.AccessToken == "" { // a session was signed in to with a code
		switch _, err := confirmedTOTP(s.Store.Read(ctx), user.ID); {
		case err == nil:
			return "", denied("this account has a second factor: sign in, and accept the invitation there")
		case !errors.Is(err, models.ErrNotFound):
			return "", err
		}
	}
	if in.NewPassword != nil {
		return s.passwords.hash(ctx, admitted.known, *in.NewPassword)
	}
	if user.PasswordKnown {
		return "", passwordKnown()
	}
	return "", nil
}

// passwordKnown is the error for an account whose password somebody else chose. That
// person could use the new company through the account.
func passwordKnown() error {
	return Invalid("newPassword", "is required: somebody else chose your password, so it must be replaced before you join")
}
