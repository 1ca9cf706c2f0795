package crm

import (
	"context"
	"errors"
	"strconv"

	"chatcast/models"
)

// CompanySecurity are the settings of a company about its people's accounts.
type CompanySecurity struct {
	RequireTOTP bool `json:"requireTotp"` // people without a second factor can only set one up
}

// CompanySecurity returns the settings, for owners and admins.
func (s *Service) CompanySecurity(ctx context.Context, a Actor, companyID int64) (*CompanySecurity, error) {
	tx := s.Store.Read(ctx)
	if _, err := manager(tx, a, companyID); err != nil {
		return nil, err
	}
	company, err := tx.CompanyByID(companyID)
	if err != nil {
		return nil, orNotFound(err, "company")
	}
	return &CompanySecurity{RequireTOTP: company.RequireTOTP}, nil
}

// SetCompanySecurity changes the settings, for owners. An owner who requires a second
// factor must have one. The sockets of people without one close: until they have set one
// up, they can do nothing else, in other companies either, because the account is the
// same.
func (s *Service) SetCompanySecurity(ctx context.Context, a Actor, companyID int64, in CompanySecurity) (*CompanySecurity, error) {
	err := s.change(ctx, func(c *change) error {
		company, err := c.tx.LockCompany(companyID)
		if err != nil {
			return orNotFound(err, "company")
		}
		by, err := manager(c.tx, a, companyID)
		if err != nil {
			return err
		}
		if by.Role != models.RoleOwner {
			return denied("only owners may change what the company requires of accounts")
		}
		if in.RequireTOTP {
			if _, err := confirmedTOTP(c.tx, a.UserID); errors.Is(err, models.ErrNotFound) {
				return conflict("set up a second factor of your own first")
			} else if err != nil {
				return err
			}
		}
		if err := c.tx.SetRequireTOTP(companyID, in.RequireTOTP); err != nil {
			return err
		}
		if err := c.auditRequireTOTP(a, company, in.RequireTOTP); err != nil || !in.RequireTOTP {
			return err
		}
		without, err := c.tx.MustEnrolIn(companyID)
		for _, id := range without {
			err = errors.Join(err, c.endSockets(id))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &in, nil
}

func (c *change) auditRequireTOTP(a Actor, company *models.Company, on bool) error {
	details := differences(
		map[string]string{"requireTotp": strconv.FormatBool(company.RequireTOTP)}, map[string]string{"requireTotp": strconv.FormatBool(on)},
	)
	if len(details) == 0 {
		return nil
	}
	return c.audit(company.ID, audited{action: AuditCompanyChanged, by: a.auditor(), on: ofID(targetCompany, company.ID, company.Name), details: details})
}
