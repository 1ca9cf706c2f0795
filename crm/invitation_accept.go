package crm

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"chatcast/channels/refusals"
	"chatcast/models"
)

// InvitationView is what an invitation tells to a person who has its code.
type InvitationView struct {
	CompanyID   int64  `json:"companyId"`
	CompanyName string `json:"companyName"`
	Email       string `json:"email"` // the account that accepts must have it
	Name        string `json:"name"`  // a suggestion
	Role        string `json:"role"`
	Expires     int64  `json:"expires"` // unix seconds
}

// Acceptance is a request to accept an invitation. People without an account give the
// name and password that they want. People with an account give their access token, or
// their password without a name: only a request that would make an account can tell
// that there is one. NewPassword replaces the password of an account; it is required
// when somebody else knows the old one.
type Acceptance struct {
	Code        string  `json:"code"`
	Name        string  `json:"name"`
	Password    string  `json:"password"`
	NewPassword *string `json:"newPassword"`

	AccessToken string `json:"-"` // empty: none
	Address     string `json:"-"` // of the client, for the throttle
}

// JoinedEmployee is an employee who has accepted an invitation.
type JoinedEmployee struct {
	CompanyID int64 `json:"companyId"`
	EmployeeData
}

// Invitation returns what the invitation with the code is about. It does not tell
// whether the e-mail has an account. Wrong codes are throttled by the client's address.
func (s *Service) Invitation(ctx context.Context, address, code string) (*InvitationView, error) {
	row, err := s.invitation(ctx, address, code)
	if err != nil {
		return nil, err
	}
	company, err := s.Store.Read(ctx).CompanyByID(row.CompanyID)
	if err != nil {
		return nil, orNotFound(err, "invitation")
	}
	return &InvitationView{
		CompanyID: company.ID, CompanyName: company.Name, Email: row.Email, Name: row.Name, Role: row.Role, Expires: row.ExpiresAt,
	}, nil
}

// invitation finds the valid invitation with the code. A wrong code counts as a failed
// sign-in to an account that each address has for invitations: nobody is kept out by the
// attempts of others, and codes are too long to be guessed from many addresses.
func (s *Service) invitation(ctx context.Context, address, code string) (*models.Invitation, error) {
	network, _ := networksOf(address)
	admitted := s.invitations.admit(s.Now(), address, "invitations to "+network)
	if admitted.wait > 0 {
		s.refuse(ctx, refusals.Invitation, refusals.Throttled, 0, Client{Address: address}, "", byUnknown)
		return nil, &Error{Code: CodeThrottled, Message: "too many attempts to open an invitation", RetryAfter: seconds(admitted.wait)}
	}
	row, err := validInvitation(s.Store.Read(ctx), hashToken(code), s.Now().Unix())
	switch {
	case err == nil:
		admitted.succeeded()
	case err == error(errNoInvitation):
		s.refuse(ctx, refusals.Invitation, refusals.WrongCode, 0, Client{Address: address}, "", byUnknown)
	}
	return row, err
}

// validInvitation returns the invitation with this hash of its code. An invitation is no
// longer valid when whoever made it was disabled.
func validInvitation(tx *models.Tx, hash string, now int64) (*models.Invitation, error) {
	row, err := tx.InvitationByCode(hash)
	if errors.Is(err, models.ErrNotFound) || err == nil && row.ExpiresAt <= now {
		return nil, errNoInvitation
	}
	if err != nil || row.InvitedBy == nil {
		return row, err
	}
	by, err := tx.UserByID(*row.InvitedBy)
	if err != nil {
		return nil, err
	}
	if by.DisabledAt != 0 {
		return nil, errNoInvitation
	}
	return row, nil
}

// AcceptInvitation makes the person an employee of the company. The code is used up by
// that.
func (s *Service) AcceptInvitation(ctx context.Context, in Acceptance) (*JoinedEmployee, error) {
	row, err := s.invitation(ctx, in.Address, in.Code)
	if err != nil {
		return nil, err
	}
	user, hash, err := s.accepting(ctx, row, in)
	if err != nil {
		return nil, err
	}
	out := &JoinedEmployee{CompanyID: row.CompanyID}
	err = s.change(ctx, func(c *change) error {
		if _, err := c.tx.LockCompany(row.CompanyID); err != nil {
			return orNotFound(err, "invitation")
		}
		row, err := validInvitation(c.tx, row.CodeHash, c.now.Unix()) // nobody else has accepted or revoked it
		if err != nil {
			return err
		}
		id, err := s.joiningUser(c, row, user, hash, in)
		if err != nil {
			return err
		}
		if err := c.join(row, id, user == nil); err != nil {
			return err
		}
		must, err := c.tx.MustEnrol(id)
		if err != nil {
			return err
		}
		if must { // their sockets were opened without the second factor that the company requires
			if err := c.endSockets(id); err != nil {
				return err
			}
		}
		data, err := oneEmployee(c.tx, row.CompanyID, id)
		if err == nil {
			out.EmployeeData = *data
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// joiningUser creates the account of the person, or replaces its password when there is
// a new one. It returns the user's id. The caller has locked the company.
func (s *Service) joiningUser(c *change, row *models.Invitation, user *models.User, hash string, in Acceptance) (int64, error) {
	if user == nil {
		made := &models.User{
			Email: row.Email, Name: strings.TrimSpace(in.Name), PasswordHash: hash, CompanyID: &row.CompanyID, CreatedAt: c.now.Unix(),
		}
		err := c.tx.CreateUser(made)
		if errors.Is(err, models.ErrDuplicate) {
			return 0, conflict("an account with this e-mail was made at the same time: accept with its password")
		}
		return made.ID, err
	}
	locked, err := c.tx.LockUser(user.ID)
	if err != nil {
		return 0, orNotFound(err, "user")
	}
	if locked.PasswordHash != user.PasswordHash {
		return 0, conflict("the password was changed at the same time")
	}
	if locked.DisabledAt != 0 {
		return 0, denied("this account is disabled")
	}
	if hash == "" {
		return locked.ID, nil
	}
	locked.PasswordHash, locked.PasswordKnown = hash, false
	if err := errors.Join(
		c.tx.DeleteReset(locked.ID), s.endTokens(c, locked.ID, in.AccessToken),
		c.auditUser(locked.ID, audited{action: AuditPasswordChanged, by: byUser(locked.ID), on: userTarget(locked.ID, locked.Email)}),
	); err != nil {
		return 0, err
	}
	return locked.ID, c.tx.SaveUser(locked)
}

// join makes the user an employee as the invitation says, and deletes the invitation.
func (c *change) join(row *models.Invitation, userID int64, newAccount bool) error {
	n, err := c.tx.EmployeeCount(row.CompanyID, userID)
	if err != nil {
		return err
	}
	if n > 0 {
		return conflict("you work for the company already")
	}
	e := &models.Employee{
		CompanyID: row.CompanyID, UserID: userID, Role: row.Role, OnlyMine: row.OnlyMine, Workday: TypeEnd, CreatedAt: c.now.Unix(),
	}
	if err := c.tx.CreateEmployee(e); err != nil {
		return err
	}
	rights, err := invitedRights(c.tx, row)
	if err != nil {
		return err
	}
	if err := grant(c.tx, e, rights); err != nil {
		return err
	}
	if _, err := c.tx.DeleteInvitation(row.ID); err != nil {
		return err
	}
	details := employmentFacts(e.Role, e.OnlyMine, rights)
	details["newAccount"] = strconv.FormatBool(newAccount)
	return c.audit(row.CompanyID, audited{
		action: AuditInvitationAccepted, by: byUser(userID), on: ofID(targetInvitation, row.ID, row.Email), details: details,
	})
}
