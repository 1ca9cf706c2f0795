package crm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chatcast/models"
)

// EmployeeData is an employee as answers show them.
type EmployeeData struct {
	UserID   int64          `json:"userId"`
	Email    string         `json:"email"`
	Name     string         `json:"name"`
	Role     string         `json:"role"`
	OnlyMine bool           `json:"onlyMine"` // sees only chats that are theirs or unassigned
	Online   bool           `json:"online"`
	Workday  string         `json:"workday"`  // start or end
	Licenses []LicenseRight `json:"licenses"` // owners and admins have all of them
}

// LicenseRight lets an employee read a licence, and write it with Write.
type LicenseRight struct {
	LicenseID int64 `json:"licenseId"`
	Write     bool  `json:"write"`
}

// EmployeeChanges are the changes that owners and admins may make to an employee; nil
// fields stay as they are. Name belongs to the person's own account and can be changed
// only for people who work for no other company.
type EmployeeChanges struct {
	Role     *string         `json:"role"`
	OnlyMine *bool           `json:"onlyMine"`
	Licenses *[]LicenseRight `json:"licenses"`
	Name     *string         `json:"name"`
}

// manager returns the actor's employment in the company when they may manage its
// people and licences, as owners and admins may.
func manager(tx *models.Tx, a Actor, companyID int64) (*models.Employee, error) {
	return ownerOrAdmin(tx, a, companyID, "do this")
}

// mayTouch returns an error when by may not manage an employee with these roles, the
// current one and the new one. Only owners may manage owners.
func mayTouch(by *models.Employee, roles ...string) error {
	for _, r := range roles {
		if r == models.RoleOwner && by.Role != models.RoleOwner {
			return denied("only owners may make, change or remove owners")
		}
	}
	return nil
}

// Employees lists the people of a company, for its owners and admins.
func (s *Service) Employees(ctx context.Context, a Actor, companyID int64, q PageQuery) (Page[EmployeeData], error) {
	var none Page[EmployeeData]
	tx := s.Store.Read(ctx)
	if _, err := manager(tx, a, companyID); err != nil {
		return none, err
	}
	start, limit, err := q.start("employees", 1)
	if err != nil {
		return none, err
	}
	var after int64
	if start != nil {
		after = start[0]
	}
	rows, err := tx.Colleagues(companyID, after, limit+1)
	if err != nil {
		return none, err
	}
	rights, err := rightsOf(tx, companyID, rows)
	if err != nil {
		return none, err
	}
	return pageOf("employees", rows, limit,
		func(r models.Colleague) []int64 { return []int64{r.UserID} },
		func(r models.Colleague) EmployeeData { return employeeData(r, rights[r.UserID]) }), nil
}

// Employee returns one employee. Owners and admins may read all employees, others
// only themselves.
func (s *Service) Employee(ctx context.Context, a Actor, companyID, userID int64) (*EmployeeData, error) {
	tx := s.Store.Read(ctx)
	if a.UserID == userID {
		if _, err := employment(tx, a, companyID); err != nil {
			return nil, err
		}
	} else if _, err := manager(tx, a, companyID); err != nil {
		return nil, err
	}
	return oneEmployee(tx, companyID, userID)
}

func oneEmployee(tx *models.Tx, companyID, userID int64) (*EmployeeData, error) {
	row, err := tx.Colleague(companyID, userID)
	if err != nil {
		return nil, orNotFound(err, "employee")
	}
	rights, err := rightsOf(tx, companyID, []models.Colleague{*row})
	if err != nil {
		return nil, err
	}
	e := employeeData(*row, rights[userID])
	return &e, nil
}

func employeeData(r models.Colleague, rights []LicenseRight) EmployeeData {
	return EmployeeData{
		UserID: r.UserID, Email: r.Email, Name: r.Name, Role: r.Role,
		OnlyMine: r.OnlyMine, Online: r.Online, Workday: r.Workday, Licenses: rights,
	}
}

// facts returns what the employee may do, for the audit log.
func (e *EmployeeData) facts() map[string]string {
	if e.Role != models.RoleOperator { // their rights follow from the role
		return employmentFacts(e.Role, e.OnlyMine, nil)
	}
	return employmentFacts(e.Role, e.OnlyMine, e.Licenses)
}

// employmentFacts returns the details of an employment for the audit log.
func employmentFacts(role string, onlyMine bool, rights []LicenseRight) map[string]string {
	list := make([]string, len(rights))
	for i, r := range rights {
		list[i] = fmt.Sprintf("%d: read", r.LicenseID)
		if r.Write {
			list[i] = fmt.Sprintf("%d: write", r.LicenseID)
		}
	}
	slices.Sort(list)
	return map[string]string{"role": role, "onlyMine": strconv.FormatBool(onlyMine), "licenses": strings.Join(list, ", ")}
}

// rightsOf returns the rights of the employees in the company's licences, by user id.
func rightsOf(tx *models.Tx, companyID int64, rows []models.Colleague) (map[int64][]LicenseRight, error) {
	all, err := tx.LicenseIDs(companyID)
	if err != nil {
		return nil, err
	}
	rights, operators := map[int64][]LicenseRight{}, []int64{}
	for _, r := range rows {
		rights[r.UserID] = []LicenseRight{}
		if r.Role == models.RoleOperator {
			operators = append(operators, r.UserID)
			continue
		}
		for _, id := range all {
			rights[r.UserID] = append(rights[r.UserID], LicenseRight{LicenseID: id, Write: true})
		}
	}
	granted, err := tx.EmployeeLicenses(companyID, operators)
	for _, g := range granted {
		rights[g.UserID] = append(rights[g.UserID], LicenseRight{LicenseID: g.LicenseID, Write: g.CanWrite})
	}
	return rights, err
}

// checkRole refuses an unknown role.
func checkRole(role string) error {
	switch role {
	case models.RoleOwner, models.RoleAdmin, models.RoleOperator:
		return nil
	}
	return Invalid("role", "must be owner, admin or operator")
}

// grant replaces an operator's rights. Owners and admins have all licences by their
// role. They get no rows, because old rows would take effect again when they become
// operators.
func grant(tx *models.Tx, e *models.Employee, rights []LicenseRight) error {
	if e.Role != models.RoleOperator {
		return tx.SetEmployeeLicenses(e.CompanyID, e.UserID, nil)
	}
	rows, err := grants(tx, e.CompanyID, rights)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].UserID = e.UserID
	}
	return tx.SetEmployeeLicenses(e.CompanyID, e.UserID, rows)
}

// grants returns the rows of the rights, of which each must be to another licence of the
// company. The rows name no user yet.
func grants(tx *models.Tx, companyID int64, rights []LicenseRight) ([]models.EmployeeLicense, error) {
	ids, err := tx.LicenseIDs(companyID)
	if err != nil {
		return nil, err
	}
	ours, rows := map[int64]bool{}, []models.EmployeeLicense{} // ours maps a licence to whether it was granted
	for _, id := range ids {
		ours[id] = false
	}
	for i, r := range rights {
		field := fmt.Sprintf("licenses[%d].licenseId", i)
		granted, has := ours[r.LicenseID]
		switch {
		case !has:
			return nil, Invalid(field, "is not a license of this company")
		case granted:
			return nil, Invalid(field, "stands there twice")
		}
		ours[r.LicenseID] = true
		rows = append(rows, models.EmployeeLicense{LicenseID: r.LicenseID, CanWrite: r.Write})
	}
	return rows, nil
}
