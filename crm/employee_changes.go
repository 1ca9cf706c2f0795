package crm

import (
	"context"

	"chatcast/models"
)

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

// ChangeEmployee changes an employee's role, rights or name. Their sockets stop
// receiving the channels that they may no longer enter at once, and they leave the chats of
// the licences that they may no longer read. Who may from now on see only their own chats
// keeps the parts that they have: those make a chat theirs. Nobody whose password
// somebody else knows gets a higher role: see moveRole.
func (s *Service) ChangeEmployee(ctx context.Context, a Actor, companyID, userID int64, ch EmployeeChanges) (*EmployeeData, error) {
	if _, err := manager(s.Store.Read(ctx), a, companyID); err != nil {
		return nil, err
	}
	if err := ch.check(); err != nil {
		return nil, err
	}
	var data *EmployeeData
	var more bool // chats to leave
	err := s.change(ctx, func(c *change) error {
		if err := c.lockEmployees(a, companyID); err != nil {
			return err
		}
		if err := c.tx.LockEmployee(companyID, userID); err != nil {
			return err
		}
		target, err := c.tx.EmployeeOf(companyID, userID)
		if err != nil {
			return orNotFound(err, "employee")
		}
		before, err := oneEmployee(c.tx, companyID, userID)
		if err != nil {
			return err
		}
		err = s.unsubscribeLost(c, companyID, []int64{userID}, func() error { return c.changeEmployee(a, *target, ch) })
		if err != nil {
			return err
		}
		if more, err = c.loseParts(a, companyID, userID); err != nil {
			return err
		}
		if ch.Name != nil {
			if err := c.rename(a, companyID, userID, *ch.Name); err != nil {
				return err
			}
		}
		if data, err = oneEmployee(c.tx, companyID, userID); err != nil {
			return err
		}
		return c.auditEmployee(a, companyID, before, data)
	})
	if err == nil && more {
		err = s.leaveLost(ctx, a, companyID, userID)
	}
	return data, err
}

// auditEmployee writes an entry about a change of what the employee may do, if there was
// one.
func (c *change) auditEmployee(a Actor, companyID int64, before, after *EmployeeData) error {
	details := differences(before.facts(), after.facts())
	if len(details) == 0 {
		return nil
	}
	return c.audit(companyID, audited{action: AuditEmployeeChanged, by: a.auditor(), on: userTarget(after.UserID, after.Email), details: details})
}

// check checks the fields that need no database.
func (ch EmployeeChanges) check() error {
	var violations []error
	if ch.Role != nil {
		violations = append(violations, checkRole(*ch.Role))
	}
	if ch.Name != nil {
		violations = append(violations, checkRequired("name", *ch.Name, maxName))
	}
	return allViolations(violations...)
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
		err = c.keepsOwner(e.CompanyID, e.UserID, was)
	}
	if err == nil && was != e.Role {
		err = c.moveRole(a, &e, was)
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

// keepsOwner returns CodeConflict when the user, whose role was this one, is the only
// owner of the company who may sign in. A company of disabled owners has nobody who could
// invite another.
func (c *change) keepsOwner(companyID, userID int64, was string) error {
	if was != models.RoleOwner {
		return nil
	}
	kept, err := c.tx.HasOtherOwner(companyID, userID)
	if err == nil && !kept {
		return conflict("a company must keep an owner who may sign in")
	}
	return err
}

// ranks orders the roles by what they may do.
var ranks = map[string]int{models.RoleOperator: 1, models.RoleAdmin: 2, models.RoleOwner: 3}

// moveRole prepares the change of an employee's role from was to e.Role. A person whose
// password somebody else chose or saw must replace it before a promotion: that somebody
// could use the new role. Invitations end with the right to make them.
func (c *change) moveRole(a Actor, e *models.Employee, was string) error {
	if ranks[e.Role] < ranks[was] {
		return c.withdrawInvitations(a, e.CompanyID, e.UserID)
	}
	user, err := c.tx.LockUser(e.UserID)
	if err != nil {
		return err
	}
	if user.PasswordKnown {
		return conflict("somebody else chose this person's password: they must change it, with PATCH /v1/me, before they get a higher role")
	}
	return nil
}

// rename changes the name of a user. The account must come from an invitation of this
// company, and the user must work for no other: the name belongs to the person.
func (c *change) rename(a Actor, companyID, userID int64, name string) error {
	user, err := c.tx.LockUser(userID)
	if err != nil {
		return err
	}
	places, err := c.tx.Employments(userID)
	if err != nil {
		return err
	}
	if len(places) != 1 || user.CompanyID == nil || *user.CompanyID != companyID {
		return denied("this person's account does not belong to this company alone; only they may change its name")
	}
	if err := c.setName(a, user, name); err != nil {
		return err
	}
	return c.tx.SaveUser(user)
}
