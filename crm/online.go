package crm

import (
	"context"

	"chatcast/models"
)

var _ onlineStore = (*Service)(nil)

// OnlineEmployees lists the employees that are recorded as online.
func (s *Service) OnlineEmployees(ctx context.Context) ([]models.Employee, error) {
	return s.Store.Read(ctx).OnlineEmployees()
}

// RecordOnline records the result of present for each company that the user works for,
// and emits an event for each change.
func (s *Service) RecordOnline(ctx context.Context, userID int64, present func(companyID int64) bool) error {
	return s.change(ctx, func(c *change) error {
		employments, err := c.tx.Employments(userID)
		if err != nil {
			return err
		}
		for _, e := range employments {
			if err := c.setOnline(e.CompanyID, userID, present(e.CompanyID)); err != nil {
				return err
			}
		}
		return nil
	})
}

// setOnline records whether an employee is online, and emits employeeStatus when that
// changed.
func (c *change) setOnline(companyID, userID int64, online bool) error {
	changed, err := c.tx.SetOnline(companyID, userID, online)
	if err != nil || !changed {
		return err
	}
	typ := TypeOffline
	if online {
		typ = TypeOnline
	}
	c.emitEmployee(EventEmployeeStatus, typ, companyID, userID)
	return nil
}
