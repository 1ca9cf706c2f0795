package crm

import (
	"context"

	"chatcast/models"
)

// Workday starts or ends the workday of an employee. Employees may change their own,
// owners and admins anybody's.
func (s *Service) Workday(ctx context.Context, a Actor, companyID, userID int64, typ string) (*EmployeeData, error) {
	if typ != TypeStart && typ != TypeEnd {
		return nil, Invalid("type", "must be start or end")
	}
	var data *EmployeeData
	err := s.change(ctx, func(c *change) error {
		if err := mayWorkday(c.tx, a, companyID, userID); err != nil {
			return err
		}
		if err := c.setWorkday(companyID, userID, typ); err != nil {
			return err
		}
		var err error
		data, err = oneEmployee(c.tx, companyID, userID)
		return err
	})
	return data, err
}

func mayWorkday(tx *models.Tx, a Actor, companyID, userID int64) error {
	if a.UserID == userID {
		_, err := employment(tx, a, companyID)
		return err
	}
	by, err := manager(tx, a, companyID)
	if err != nil {
		return err
	}
	target, err := tx.EmployeeOf(companyID, userID)
	if err != nil {
		return orNotFound(err, "employee")
	}
	return mayTouch(by, target.Role)
}
