package crm

import (
	"context"
	"errors"
	"strings"
	"time"

	"chatcast/models"
)

// ResetLife is how long a code for a new password is valid.
const ResetLife = 24 * time.Hour

// cutOffEvery is how often a server looks for sockets that a command has ended.
const cutOffEvery = time.Second

// HostUsers lists and changes the accounts of users on behalf of the command line. It
// checks no permission: a person who runs commands on the server's machine can read the
// database anyway. Servers that run on the database close sockets within a second or
// two, see RunCutOffs.
type HostUsers struct{ s *Service }

// HostUsers returns the rules of the accounts for the command line.
func (s *Service) HostUsers() HostUsers { return HostUsers{s} }

// HostUser is a user as the command line shows them.
type HostUser struct {
	ID        int64
	Email     string
	Name      string
	Companies string // "Company (owner), Other (operator)"
	Disabled  bool
	TOTP      bool  // has a second factor
	LastUsed  int64 // unix seconds; 0: not known
}

// List lists all users, by id.
func (h HostUsers) List(ctx context.Context) ([]HostUser, error) {
	rows, err := h.s.Store.Read(ctx).Accounts()
	if err != nil {
		return nil, err
	}
	list := make([]HostUser, len(rows))
	for i, r := range rows {
		list[i] = HostUser{
			ID: r.ID, Email: r.Email, Name: r.Name, Companies: r.Companies,
			Disabled: r.DisabledAt != 0, TOTP: r.TOTP, LastUsed: r.LastUsed,
		}
	}
	return list, nil
}

// ResetCode returns a code with which the user may set a new password once, and when it
// expires. It replaces an earlier code. The password stays valid until then.
func (h HostUsers) ResetCode(ctx context.Context, email string) (code string, expires time.Time, err error) {
	code, expires = randomToken(), h.s.Now().Add(ResetLife)
	err = h.change(ctx, email, func(c *change, user *models.User) error {
		if err := c.tx.PutReset(user.ID, hashToken(code), expires.Unix()); err != nil {
			return err
		}
		return c.auditHost(AuditPasswordCode, user)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return code, expires, nil
}

// SetPassword sets the user's password, and ends all tokens and sockets of the user. The
// password counts as known to another person.
func (h HostUsers) SetPassword(ctx context.Context, email, password string) error {
	if err := checkPassword("password", password); err != nil {
		return err
	}
	hash, err := h.s.passwords.hash(ctx, true, password)
	if err != nil {
		return err
	}
	return h.change(ctx, email, func(c *change, user *models.User) error {
		user.PasswordHash, user.PasswordKnown = hash, true
		if err := c.tx.SaveUser(user); err != nil {
			return err
		}
		if err := errors.Join(c.tx.DeleteReset(user.ID), c.auditHost(AuditPasswordChanged, user)); err != nil {
			return err
		}
		return h.end(c, user)
	})
}

// auditHost writes an entry about what a command has done to the user.
func (c *change) auditHost(action string, user *models.User) error {
	return c.auditUser(user.ID, audited{action: action, by: byHost, on: userTarget(user.ID, user.Email)})
}

// SetEnabled lets the user sign in, or ends all tokens, sockets and links of files of the
// user and lets them no longer sign in. Then they leave the chats that they have a part in,
// and do not get these back when they may sign in again.
func (h HostUsers) SetEnabled(ctx context.Context, email string, on bool) error {
	var id int64
	err := h.change(ctx, email, func(c *change, user *models.User) error {
		id = user.ID
		if on {
			return errors.Join(c.tx.SetDisabled(user.ID, 0), c.auditHost(AuditAccountEnabled, user))
		}
		if err := errors.Join(c.tx.SetDisabled(user.ID, c.now.Unix()), c.auditHost(AuditAccountDisabled, user)); err != nil {
			return err
		}
		places, err := c.tx.Employments(user.ID)
		for _, e := range places { // leaveLost follows
			err = errors.Join(err, c.tx.AddLostParts(e.CompanyID, user.ID))
		}
		if err := errors.Join(err, c.tx.DeleteReset(user.ID)); err != nil {
			return err
		}
		return h.end(c, user)
	})
	if err != nil || on {
		return err
	}
	// In transactions of their own: elsewhere the company is locked before the user.
	if err := h.s.change(ctx, func(c *change) error { return c.tx.EndLinksOf(id) }); err != nil {
		return err
	}
	places, err := h.s.Store.Read(ctx).Employments(id)
	for _, e := range places {
		err = errors.Join(err, h.s.leaveLost(ctx, Actor{}, e.CompanyID, id))
	}
	return err
}

// Ownerless returns the ids of the user's companies that have no owner who may sign in.
// Nobody there can make an owner; HostCompanies can invite one.
func (h HostUsers) Ownerless(ctx context.Context, email string) (companyIDs []int64, err error) {
	tx := h.s.Store.Read(ctx)
	user, err := tx.UserByEmail(strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return nil, orNotFound(err, "user")
	}
	list, err := tx.OwnerlessCompanies(user.ID)
	for _, c := range list {
		companyIDs = append(companyIDs, c.ID)
	}
	return companyIDs, err
}

// RemoveTOTP removes the user's second factor, when the device and the recovery codes are
// lost. All tokens and sockets of the user end.
func (h HostUsers) RemoveTOTP(ctx context.Context, email string) error {
	return h.change(ctx, email, func(c *change, user *models.User) error {
		if err := errors.Join(c.tx.DeleteTOTP(user.ID), c.auditHost(AuditFactorRemoved, user)); err != nil {
			return err
		}
		return h.end(c, user)
	})
}

// change calls f in a transaction that has locked the user with this e-mail.
func (h HostUsers) change(ctx context.Context, email string, f func(c *change, user *models.User) error) error {
	return h.s.change(ctx, func(c *change) error {
		user, err := c.tx.UserByEmail(strings.ToLower(strings.TrimSpace(email)))
		if err != nil {
			return orNotFound(err, "user")
		}
		if user, err = c.tx.LockUser(user.ID); err != nil {
			return orNotFound(err, "user")
		}
		return f(c, user)
	})
}

// end ends the user's tokens, and the sockets on every server of the database.
func (h HostUsers) end(c *change, user *models.User) error {
	if err := h.s.endTokens(c, user.ID, ""); err != nil {
		return err
	}
	return c.tx.CutOff(user.ID)
}

// CutOffs returns the number of the last time that a command has signed a user out. A
// server reads it before it accepts sockets, and RunCutOffs goes on from there.
func (s *Service) CutOffs(ctx context.Context) (int64, error) {
	return s.Store.Read(ctx).CutOffs()
}

// RunCutOffs closes the sockets of users whom commands in other processes have signed
// out after the number last, until ctx ends. It returns nil.
func (s *Service) RunCutOffs(ctx context.Context, last int64) error {
	tick := time.NewTicker(cutOffEvery)
	defer tick.Stop()
	failing := false
	for {
		next, err := s.cutOffs(ctx, last)
		if err != nil && ctx.Err() == nil && !failing { // once, not each second
			s.Log.ErrorContext(ctx, "sockets that a command has ended could not be looked for", "error", err)
		}
		last, failing = next, err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// cutOffs closes the sockets of the users who were signed out after the number last, and
// returns the number of the last of them. A user who has signed in again meanwhile keeps
// the sockets of the new session.
func (s *Service) cutOffs(ctx context.Context, last int64) (int64, error) {
	users, err := s.Store.Read(ctx).UsersCutOff(last)
	for _, u := range users {
		if err := s.Live.EndEarlierSessions(u.ID, u.CutOffSession+1); err != nil {
			return last, err
		}
		last = u.CutOff
	}
	return last, err
}
