package crm

import (
	"context"
	"errors"
	"strings"

	"chatcast/models"
)

// invite makes the user, or the existing one with the same e-mail, an employee.
// isNew reports whether the user was created.
func (c *change) invite(a Actor, companyID int64, in Invitation, user *models.User) (e *models.Employee, isNew bool, err error) {
	if err := c.lockEmployees(a, companyID, in.Role); err != nil {
		return nil, false, err
	}
	known, err := c.tx.UserByEmail(user.Email)
	if isNew = errors.Is(err, models.ErrNotFound); isNew {
		known, err = user, c.tx.CreateUser(user)
	}
	if err != nil {
		return nil, false, err
	}
	n, err := c.tx.EmployeeCount(companyID, known.ID)
	if err != nil {
		return nil, false, err
	}
	if n > 0 {
		return nil, false, conflict("this person works for the company already")
	}
	e = &models.Employee{
		CompanyID: companyID, UserID: known.ID, Role: in.Role, OnlyMine: onlyMine(in.Role, in.OnlyMine),
		Workday: TypeEnd, CreatedAt: c.now.Unix(),
	}
	if err := c.tx.CreateEmployee(e); err != nil {
		return nil, false, err
	}
	return e, isNew, grant(c.tx, e, in.Licenses)
}

// lockEmployees locks the company and then checks the actor's permission again. From
// here to the commit nobody else changes the company's employees and their roles.
func (c *change) lockEmployees(a Actor, companyID int64, roles ...string) error {
	if _, err := c.tx.LockCompany(companyID); err != nil {
		return orNotFound(err, "company")
	}
	by, err := manager(c.tx, a, companyID)
	if err != nil {
		return err
	}
	return mayTouch(by, roles...)
}

// onlyMine applies to operators only: owners and admins see everything.
func onlyMine(role string, wanted bool) bool { return wanted && role == models.RoleOperator }

// ChangeEmployee changes an employee's role, rights or account. Their sockets stop
// receiving the channels that they may no longer enter at once.
func (s *Service) ChangeEmployee(ctx context.Context, a Actor, companyID, userID int64, ch EmployeeChanges) (*EmployeeData, error) {
	if _, err := manager(s.Store.Read(ctx), a, companyID); err != nil {
		return nil, err
	}
	hash, err := s.checkChanges(ctx, ch)
	if err != nil {
		return nil, err
	}
	var data *EmployeeData
	err = s.change(ctx, func(c *change) error {
		if err := c.lockEmployees(a, companyID); err != nil {
			return err
		}
		target, err := c.tx.EmployeeOf(companyID, userID)
		if err != nil {
			return orNotFound(err, "employee")
		}
		err = s.unsubscribeLost(c, companyID, []int64{userID}, func() error { return c.changeEmployee(a, *target, ch) })
		if err != nil {
			return err
		}
		if ch.Name != nil || hash != "" {
			if err := s.changeAccount(c, a, companyID, userID, ch.Name, hash); err != nil {
				return err
			}
		}
		data, err = oneEmployee(c.tx, companyID, userID)
		return err
	})
	return data, err
}

// checkChanges checks the fields that need no database, and hashes the new password
// when there is one.
func (s *Service) checkChanges(ctx context.Context, ch EmployeeChanges) (hash string, err error) {
	var violations []error
	if ch.Role != nil {
		violations = append(violations, checkRole(*ch.Role))
	}
	if ch.Name != nil {
		violations = append(violations, checkRequired("name", *ch.Name, maxName))
	}
	if ch.Password != nil {
		violations = append(violations, checkPassword("password", *ch.Password))
	}
	if err := allViolations(violations...); err != nil || ch.Password == nil {
		return "", err
	}
	return s.passwords.hash(ctx, *ch.Password)
}

// changeEmployee writes role, onlyMine and rights. The caller has locked the company.
func (c *change) changeEmployee(a Actor, e models.Employee, ch EmployeeChanges) error {
	was := e.Role
	if ch.Role != nil {
		e.Role = *ch.Role
	}
	by, err := manager(c.tx, a, e.CompanyID)
	if err == nil {
		err = mayTouch(by, was, e.Role)
	}
	if err == nil && e.Role != models.RoleOwner {
		err = c.keepsOwner(e.CompanyID, was)
	}
	if err != nil {
		return err
	}
	if ch.OnlyMine != nil {
		e.OnlyMine = *ch.OnlyMine
	}
	e.OnlyMine = onlyMine(e.Role, e.OnlyMine)
	if err := c.tx.SaveEmployee(&e); err != nil {
		return err
	}
	switch {
	case ch.Licenses != nil:
		return grant(c.tx, &e, *ch.Licenses)
	case was != e.Role:
		return grant(c.tx, &e, nil)
	}
	return nil
}

// keepsOwner returns CodeConflict when was is the role of the company's last owner.
func (c *change) keepsOwner(companyID int64, was string) error {
	if was != models.RoleOwner {
		return nil
	}
	owners, err := c.tx.CountOwners(companyID)
	if err == nil && owners < 2 {
		return conflict("a company must keep an owner")
	}
	return err
}

// changeAccount changes the name and password of a user. This company must have
// created the account, and the user must work for no other: otherwise one company
// could take over an account that gives access to another company, now or later. A
// new password ends all tokens and sockets.
func (s *Service) changeAccount(c *change, a Actor, companyID, userID int64, name *string, hash string) error {
	user, err := c.tx.LockUser(userID)
	if err != nil {
		return err
	}
	places, err := c.tx.Employments(userID)
	if err != nil {
		return err
	}
	if len(places) != 1 || user.CompanyID == nil || *user.CompanyID != companyID {
		return denied("this person's account does not belong to this company alone; only they may change its name and password")
	}
	if name != nil {
		user.Name = strings.TrimSpace(*name)
	}
	if hash != "" {
		if a.UserID == userID {
			return denied("your own password is changed with PATCH /v1/me, which asks for the current one")
		}
		user.PasswordHash = hash
		if err := s.endTokens(c, userID, ""); err != nil {
			return err
		}
	}
	return c.tx.SaveUser(user)
}
