package crm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"chatcast/models"
)

const (
	invitationLife = 7 * 24 * time.Hour
	maxInvitations = 1000 // that a company may have at once
)

// Invitation describes an employee to invite.
type Invitation struct {
	Email    string         `json:"email"`
	Name     string         `json:"name"` // a suggestion: people choose their own names; may be empty
	Role     string         `json:"role"` // empty: operator
	OnlyMine bool           `json:"onlyMine"`
	Licenses []LicenseRight `json:"licenses"`
}

// Invited is the answer to an invitation. It is the same whether or not the e-mail has
// an account.
type Invited struct {
	Invitation InvitationLink `json:"invitation"`
}

// InvitationLink is the way to accept an invitation. The code is shown once; the
// database has only its hash.
type InvitationLink struct {
	ID      int64  `json:"id"`
	Code    string `json:"code"`
	Link    string `json:"link"`    // to the console's page that accepts the invitation
	Expires int64  `json:"expires"` // unix seconds
}

// InvitationData is an invitation that was not accepted yet, as owners and admins see it.
type InvitationData struct {
	ID        int64          `json:"id"`
	Email     string         `json:"email"`
	Name      string         `json:"name"`
	Role      string         `json:"role"`
	OnlyMine  bool           `json:"onlyMine"`
	Licenses  []LicenseRight `json:"licenses"`
	InvitedBy *int64         `json:"invitedBy"` // a user's id; null: the server's owner
	Expires   int64          `json:"expires"`   // unix seconds
	CreatedAt int64          `json:"createdAt"` // unix seconds
}

var errNoInvitation = &Error{
	Code: CodeNotFound, Message: "invitation not found: it was accepted or revoked, or has expired",
}

// Invite invites a person to the company. An earlier invitation of the same e-mail to
// the company is replaced. Invite returns CodeConflict when the person works for the
// company already. It tells nothing else about whether the e-mail has an account.
func (s *Service) Invite(ctx context.Context, a Actor, companyID int64, in Invitation) (*Invited, error) {
	if in.Role == "" {
		in.Role = models.RoleOperator
	}
	out := &Invited{}
	err := s.change(ctx, func(c *change) error {
		if err := c.lockEmployees(a, companyID, in.Role); err != nil {
			return err
		}
		email, emailViolation := newEmail("email", in.Email)
		if err := allViolations(emailViolation, checkText("name", in.Name, maxName), checkRole(in.Role)); err != nil {
			return err
		}
		if _, err := grants(c.tx, companyID, in.Licenses); err != nil {
			return err
		}
		by, err := manager(c.tx, a, companyID)
		if err != nil {
			return err
		}
		if err := c.replaceInvitation(by, companyID, email); err != nil {
			return err
		}
		n, err := c.tx.CountInvitations(companyID)
		if err != nil {
			return err
		}
		if n >= maxInvitations {
			return conflict("the company has reached its number of invitations; revoke some")
		}
		row := &models.Invitation{
			CompanyID: companyID, Email: email, Name: strings.TrimSpace(in.Name), Role: in.Role,
			OnlyMine: onlyMine(in.Role, in.OnlyMine), InvitedBy: &a.UserID,
		}
		if out.Invitation, err = s.storeInvitation(c, row, in.Licenses); err != nil {
			return err
		}
		return c.audit(companyID, audited{
			action: AuditInvitationMade, by: a.auditor(), on: ofID(targetInvitation, row.ID, email),
			details: employmentFacts(row.Role, row.OnlyMine, in.Licenses),
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// replaceInvitation deletes the company's earlier invitation of the e-mail, which by
// must be allowed to revoke. It returns CodeConflict when the person is an employee.
func (c *change) replaceInvitation(by *models.Employee, companyID int64, email string) error {
	employed, err := c.tx.EmployedByEmail(companyID, email)
	if err != nil {
		return err
	}
	if employed {
		return conflict("this person works for the company already")
	}
	old, err := c.tx.InvitationByEmail(companyID, email)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err == nil && by != nil {
		err = mayTouch(by, old.Role)
	}
	if err != nil {
		return err
	}
	_, err = c.tx.DeleteInvitation(old.ID)
	return err
}

// storeInvitation stores an invitation with a new code.
func (s *Service) storeInvitation(c *change, row *models.Invitation, rights []LicenseRight) (InvitationLink, error) {
	if rights == nil {
		rights = []LicenseRight{}
	}
	licenses, err := json.Marshal(rights)
	if err != nil {
		return InvitationLink{}, err
	}
	code := randomToken()
	row.Licenses, row.CodeHash = string(licenses), hashToken(code)
	row.CreatedAt, row.ExpiresAt = c.now.Unix(), c.now.Add(invitationLife).Unix()
	if err := c.tx.CreateInvitation(row); err != nil {
		return InvitationLink{}, err
	}
	return InvitationLink{ID: row.ID, Code: code, Link: s.PublicURL + "/#/invitation/" + code, Expires: row.ExpiresAt}, nil
}

// Invitations lists the invitations to the company that nobody has accepted yet, for its
// owners and admins.
func (s *Service) Invitations(ctx context.Context, a Actor, companyID int64, q PageQuery) (Page[InvitationData], error) {
	var none Page[InvitationData]
	tx := s.Store.Read(ctx)
	if _, err := manager(tx, a, companyID); err != nil {
		return none, err
	}
	start, limit, err := q.start("invitations", 1)
	if err != nil {
		return none, err
	}
	var after int64
	if start != nil {
		after = start[0]
	}
	rows, err := tx.Invitations(companyID, s.Now().Unix(), after, limit+1)
	if err != nil {
		return none, err
	}
	rights := map[int64][]LicenseRight{}
	for _, r := range rows {
		if rights[r.ID], err = invitedRights(tx, &r); err != nil {
			return none, err
		}
	}
	return pageOf("invitations", rows, limit, func(r models.Invitation) []int64 { return []int64{r.ID} },
		func(r models.Invitation) InvitationData {
			return InvitationData{
				ID: r.ID, Email: r.Email, Name: r.Name, Role: r.Role, OnlyMine: r.OnlyMine, Licenses: rights[r.ID],
				InvitedBy: r.InvitedBy, Expires: r.ExpiresAt, CreatedAt: r.CreatedAt,
			}
		}), nil
}

// invitedRights returns the rights of an invitation, without those to licences that the
// company no longer has.
func invitedRights(tx *models.Tx, row *models.Invitation) ([]LicenseRight, error) {
	var wanted []LicenseRight
	if err := json.Unmarshal([]byte(row.Licenses), &wanted); err != nil {
		return nil, err
	}
	ids, err := tx.LicenseIDs(row.CompanyID)
	if err != nil {
		return nil, err
	}
	ours, rights := map[int64]bool{}, []LicenseRight{}
	for _, id := range ids {
		ours[id] = true
	}
	for _, r := range wanted {
		if ours[r.LicenseID] {
			rights = append(rights, r)
		}
	}
	return rights, nil
}

// RevokeInvitation ends an invitation that was not accepted yet. Only owners may revoke
// the invitation of an owner.
func (s *Service) RevokeInvitation(ctx context.Context, a Actor, companyID, id int64) error {
	return s.change(ctx, func(c *change) error {
		if err := c.lockEmployees(a, companyID); err != nil {
			return err
		}
		by, err := manager(c.tx, a, companyID)
		if err != nil {
			return err
		}
		row, err := c.tx.InvitationOf(companyID, id)
		if err != nil {
			return orNotFound(err, "invitation")
		}
		if err := mayTouch(by, row.Role); err != nil {
			return err
		}
		if _, err := c.tx.DeleteInvitation(id); err != nil {
			return err
		}
		return c.audit(companyID, audited{action: AuditInvitationWithdrawn, by: a.auditor(), on: ofID(targetInvitation, id, row.Email)})
	})
}

// withdrawInvitations deletes the invitations to the company that the user made, because
// the user may no longer make any.
func (c *change) withdrawInvitations(a Actor, companyID, userID int64) error {
	list, err := c.tx.InvitationsBy(companyID, userID)
	if err != nil || len(list) == 0 {
		return err
	}
	for _, i := range list {
		err := c.audit(companyID, audited{action: AuditInvitationWithdrawn, by: a.auditor(), on: ofID(targetInvitation, i.ID, i.Email)})
		if err != nil {
			return err
		}
	}
	return c.tx.DeleteInvitationsBy(companyID, userID)
}
