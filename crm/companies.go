package crm

import (
	"context"
	"strconv"
	"strings"

	"chatcast/models"
)

// CompanyRules creates and lists companies on behalf of a user or of the command line.
// See Companies and HostCompanies.
type CompanyRules struct {
	s   *Service
	by  auditor
	may func(tx *models.Tx) error
}

// CompanyInput describes a company to create.
type CompanyInput struct {
	Name       string `json:"name"`
	OwnerEmail string `json:"ownerEmail"` // of the person who is invited as its owner
}

// CreatedCompany is a new company and the invitation of its owner.
type CreatedCompany struct {
	ID         int64          `json:"id"`
	Name       string         `json:"name"`
	Invitation InvitationLink `json:"invitation"`
}

// CompanyData is a company as lists show it.
type CompanyData struct {
	ID        int64
	Name      string
	Employees int64
	Owners    int64
	Invited   int64 // invitations that nobody has accepted yet
	CreatedAt int64 // unix seconds
}

// Companies returns the rules of the companies for a user. Only owners and admins of the
// company that runs the server, which is the first company, may use them.
func (s *Service) Companies(a Actor) CompanyRules {
	return CompanyRules{s, a.auditor(), func(tx *models.Tx) error {
		runs, err := runsServer(tx, a)
		if err == nil && !runs {
			err = denied("only owners and admins of the company that runs the server may create companies")
		}
		return err
	}}
}

// HostCompanies returns the rules of the companies for the command line. It checks no
// permission, as HostApps.
func (s *Service) HostCompanies() CompanyRules {
	return CompanyRules{s, byHost, func(*models.Tx) error { return nil }}
}

// Allowed returns nil when r may create and list companies.
func (r CompanyRules) Allowed(ctx context.Context) error { return r.may(r.s.Store.Read(ctx)) }

// Create creates a company that has nobody yet, and invites its owner. It returns
// CodeConflict before the first start of the server, which makes the first company: that
// is the one that runs the server.
func (r CompanyRules) Create(ctx context.Context, in CompanyInput) (*CreatedCompany, error) {
	email, emailViolation := newEmail("ownerEmail", in.OwnerEmail)
	var out *CreatedCompany
	err := r.s.change(ctx, func(c *change) error {
		if err := r.may(c.tx); err != nil {
			return err
		}
		if err := allViolations(checkRequired("name", in.Name, maxName), emailViolation); err != nil {
			return err
		}
		has, err := c.tx.HasUsers()
		if err != nil {
			return err
		}
		if !has {
			return conflict("the database has no user yet: the first start of the server makes the first company")
		}
		if err := c.tx.BumpIdentity("companies"); err != nil { // the lowest id is that of the company that runs the server
			return err
		}
		company := &models.Company{Name: strings.TrimSpace(in.Name), CreatedAt: c.now.Unix()}
		if err := c.tx.CreateCompany(company); err != nil {
			return err
		}
		err = c.auditTenant(company.ID, audited{action: AuditCompanyMade, by: r.by, on: ofID(targetCompany, company.ID, company.Name)})
		if err != nil {
			return err
		}
		link, err := r.inviteOwner(c, company.ID, email)
		out = &CreatedCompany{ID: company.ID, Name: company.Name, Invitation: link}
		return err
	})
	if err != nil {
		return nil, err
	}
	r.s.Log.InfoContext(ctx, "a company was created", "company", out.ID, "by", r.by.String())
	return out, nil
}

// InviteOwner invites an owner to a company, for example when the first invitation has
// expired.
func (r CompanyRules) InviteOwner(ctx context.Context, companyID int64, email string) (out InvitationLink, err error) {
	email, violation := newEmail("email", email)
	err = r.s.change(ctx, func(c *change) error {
		if err := r.may(c.tx); err != nil {
			return err
		}
		if violation != nil {
			return violation
		}
		if _, err := c.tx.LockCompany(companyID); err != nil {
			return orNotFound(err, "company")
		}
		if err := c.replaceInvitation(nil, companyID, email); err != nil {
			return err
		}
		out, err = r.inviteOwner(c, companyID, email)
		return err
	})
	if err == nil {
		r.s.Log.InfoContext(ctx, "an owner was invited", "company", companyID, "by", r.by.String())
	}
	return out, err
}

func (r CompanyRules) inviteOwner(c *change, companyID int64, email string) (InvitationLink, error) {
	row := &models.Invitation{CompanyID: companyID, Email: email, Role: models.RoleOwner}
	link, err := r.s.storeInvitation(c, row, nil)
	if err != nil {
		return InvitationLink{}, err
	}
	return link, c.auditTenant(companyID, audited{
		action: AuditInvitationMade, by: r.by, on: ofID(targetInvitation, row.ID, email),
		details: map[string]string{"role": row.Role, "companyId": strconv.FormatInt(companyID, 10)},
	})
}

// List lists all companies, by id.
func (r CompanyRules) List(ctx context.Context) ([]CompanyData, error) {
	tx := r.s.Store.Read(ctx)
	if err := r.may(tx); err != nil {
		return nil, err
	}
	rows, err := tx.Companies(r.s.Now().Unix())
	if err != nil {
		return nil, err
	}
	list := make([]CompanyData, len(rows))
	for i, c := range rows {
		list[i] = CompanyData{
			ID: c.ID, Name: c.Name, Employees: c.Employees, Owners: c.Owners, Invited: c.Invited, CreatedAt: c.CreatedAt,
		}
	}
	return list, nil
}
