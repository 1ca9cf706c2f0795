package crm

import "chatcast/channels"

// Names of the events about employees, on the company's channel.
const (
	EventEmployeeStatus  = "employeeStatus"
	EventEmployeeWorkday = "employeeWorkday"
)

// Types of employeeStatus and of employeeWorkday.
const (
	TypeOnline  = "online"
	TypeOffline = "offline"
	TypeStart   = "start"
	TypeEnd     = "end"
)

// EmployeeItem is the item of employeeStatus and of employeeWorkday.
type EmployeeItem struct {
	Type     string `json:"type"`
	Employee IDRef  `json:"employee"`
}

func (c *change) emitEmployee(name, typ string, companyID, userID int64) {
	c.emit(Event{
		Name:      name,
		CompanyID: companyID,
		Channels:  []string{channels.CompanyName(companyID)},
		Items:     []any{EmployeeItem{Type: typ, Employee: IDRef{ID: userID}}},
		Meta:      CompanyMeta{Type: name, CompanyID: companyID},
	})
}

// setWorkday records that an employee's workday starts or ends. It emits an event
// only when that is a change.
func (c *change) setWorkday(companyID, userID int64, typ string) error {
	changed, err := c.tx.SetWorkday(companyID, userID, typ)
	if err != nil || !changed {
		return err
	}
	c.emitEmployee(EventEmployeeWorkday, typ, companyID, userID)
	return nil
}
