package crm

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"chatcast/models"
)

// RemoveEmployee ends an employment. Owners and admins may remove others, and everybody
// may leave; a company keeps its last owner. The user's subscriptions to the company's
// channels end at once. A user who works for no other company is signed out
// everywhere. They leave all chats that they have a part in. The chats they were
// responsible for are left without a responsible, so that operators who see only their own
// and unassigned chats find them. With very many chats that takes several transactions, the
// last of which ends the employment.
func (s *Service) RemoveEmployee(ctx context.Context, a Actor, companyID, userID int64) error {
	return s.untilDone(ctx, func(c *change) (done bool, err error) {
		target, err := c.removable(a, companyID, userID)
		if err != nil {
			return false, err
		}
		if err := c.tx.LockEmployee(companyID, userID); err != nil {
			return false, err
		}
		if more, err := c.leaveChats(a, companyID, userID, false); err != nil || more {
			return false, err
		}
		return true, s.unsubscribeLost(c, companyID, []int64{userID}, func() error { return s.endEmployment(c, a, target) })
	})
}

// removable locks the company and returns an employee whom the actor may remove.
func (c *change) removable(a Actor, companyID, userID int64) (*models.Employee, error) {
	if a.UserID == userID { // they leave
		if _, err := c.tx.LockCompany(companyID); err != nil {
			return nil, orNotFound(err, "company")
		}
		self, err := employment(c.tx, a, companyID)
		if err != nil {
			return nil, err
		}
		return self, c.keepsOwner(companyID, userID, self.Role)
	}
	if err := c.lockEmployees(a, companyID); err != nil {
		return nil, err
	}
	target, err := c.tx.EmployeeOf(companyID, userID)
	if err != nil {
		return nil, orNotFound(err, "employee")
	}
	by, err := manager(c.tx, a, companyID)
	if err != nil {
		return nil, err
	}
	if err := mayTouch(by, target.Role); err != nil {
		return nil, err
	}
	return target, c.keepsOwner(companyID, userID, target.Role)
}

// endEmployment emits that the employee is offline and their workday is over, so that
// no dashboard still shows them at work, and deletes the row.
func (s *Service) endEmployment(c *change, a Actor, e *models.Employee) error {
	user, err := c.tx.LockUser(e.UserID)
	if err != nil {
		return err
	}
	action := AuditEmployeeRemoved
	if a.UserID == e.UserID {
		action = AuditEmployeeLeft
	}
	err = c.audit(e.CompanyID, audited{
		action: action, by: a.auditor(), on: userTarget(user.ID, user.Email), details: map[string]string{"role": e.Role},
	})
	if err != nil {
		return err
	}
	if err := c.setOnline(e.CompanyID, e.UserID, false); err != nil {
		return err
	}
	if err := c.setWorkday(e.CompanyID, e.UserID, TypeEnd); err != nil {
		return err
	}
	if err := c.leaveLists(e); err != nil {
		return err
	}
	if err := c.withdrawInvitations(a, e.CompanyID, e.UserID); err != nil {
		return err
	}
	if err := c.tx.DeleteEmployee(e.CompanyID, e.UserID); err != nil {
		return err
	}
	left, err := c.tx.Employments(e.UserID)
	if err != nil || len(left) > 0 {
		return err
	}
	return s.endTokens(c, e.UserID, "")
}

// leaveLists tells all users of the employee's lists of quick responses, and the
// employee, that the employee no longer sees the lists. The employee's accesses are
// deleted with the employment.
func (c *change) leaveLists(e *models.Employee) error {
	const all = 1 << 30
	lists, err := c.tx.QuickLists(e.UserID, e.CompanyID, nil, all)
	if err != nil {
		return err
	}
	slices.SortFunc(lists, func(a, b models.QuickList) int { return cmp.Compare(a.ID, b.ID) }) // all transactions lock lists in this order
	var lost []int64
	for _, l := range lists {
		if err := c.tx.LockQuickList(l.ID); err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
		now, err := c.tx.QuickList(e.UserID, l.ID)
		if errors.Is(err, models.ErrNotFound) { // deleted, or taken from them, meanwhile
			continue
		}
		if err != nil {
			return err
		}
		before, err := c.tx.QuickAccesses(l.ID)
		if err != nil {
			return err
		}
		after := slices.DeleteFunc(slices.Clone(before), func(acc models.QuickAccess) bool { return acc.UserID == e.UserID })
		c.tellListEdit(&now.QuickResponseList, quickListData(now.QuickResponseList, after), before, after)
		lost = append(lost, l.ID)
	}
	return c.forgetLists(e.UserID, lost)
}
