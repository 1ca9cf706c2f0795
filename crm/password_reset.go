package crm

import (
	"context"
	"errors"

	"chatcast/channels/refusals"
	"chatcast/models"
)

var errWrongReset error = denied("the code is wrong, was used, or has expired")

// ResetPassword sets a new password with a code from HostUsers.ResetCode, which it uses
// up. All tokens and sockets of the user end.
func (s *Service) ResetPassword(ctx context.Context, code, password string) error {
	var missing error
	if code == "" {
		missing = Invalid("code", "is required")
	}
	if err := allViolations(missing, checkPassword("password", password)); err != nil {
		return err
	}
	hashed := hashToken(code)
	// Check the code before the slow hashing, so that a stranger cannot cause it.
	if _, err := s.resetUser(s.Store.Read(ctx), hashed); err != nil {
		if err == errWrongReset {
			s.refuse(ctx, refusals.PasswordReset, refusals.WrongCode, 0, clientIn(ctx), "", byUnknown)
		}
		return err
	}
	hash, err := s.passwords.hash(ctx, false, password)
	if err != nil {
		return err
	}
	return s.change(ctx, func(c *change) error {
		userID, err := s.resetUser(c.tx, hashed)
		if err != nil {
			return err
		}
		user, err := c.tx.LockUser(userID)
		if err != nil {
			return err
		}
		if _, err := s.resetUser(c.tx, hashed); err != nil { // used meanwhile
			return err
		}
		user.PasswordHash, user.PasswordKnown = hash, false
		if err := errors.Join(c.tx.SaveUser(user), c.tx.DeleteReset(userID)); err != nil {
			return err
		}
		if err := s.endTokens(c, userID, ""); err != nil {
			return err
		}
		return c.auditUser(userID, audited{action: AuditPasswordReset, by: byUnknown, on: userTarget(userID, user.Email)})
	})
}

// resetUser returns the user whose code has this hash.
func (s *Service) resetUser(tx *models.Tx, hash string) (int64, error) {
	userID, err := tx.ResetUser(hash, s.Now().Unix())
	if errors.Is(err, models.ErrNotFound) {
		return 0, errWrongReset
	}
	return userID, err
}
