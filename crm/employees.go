package crm

import (
	"context"
	"errors"
	"fmt"
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

// InvitedEmployee is the answer to an invitation. Password is set only when it was
// generated, and is never shown again.
type InvitedEmployee struct {
	EmployeeData
	Password *string `json:"password"`

	isNew bool // the user was created
}

// Invitation describes an employee to add: a new user, or the existing user with
// the e-mail, whose name and password stay as they are.
type Invitation struct {
	Email    string         `json:"email"`
	Name     string         `json:"name"`
	Password *string        `json:"password"` // nil: one is generated
	Role     string         `json:"role"`     // empty: operator
	OnlyMine bool           `json:"onlyMine"`
	Licenses []LicenseRight `json:"licenses"`
}

// EmployeeChanges are the changes that owners and admins may make to an employee; nil
// fields stay as they are. Name and Password belong to the person's own account and
// can be changed only for people who work for no other company.
type EmployeeChanges struct {
	Role     *string         `json:"role"`
	OnlyMine *bool           `json:"onlyMine"`
	Licenses *[]LicenseRight `json:"licenses"`
	Name     *string         `json:"name"`
	Password *string         `json:"password"`
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
	ids, err := tx.LicenseIDs(e.CompanyID)
	if err != nil {
		return err
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
			return Invalid(field, "is not a license of this company")
		case granted:
			return Invalid(field, "stands there twice")
		}
		ours[r.LicenseID] = true
		rows = append(rows, models.EmployeeLicense{UserID: e.UserID, LicenseID: r.LicenseID, CanWrite: r.Write})
	}
	return tx.SetEmployeeLicenses(e.CompanyID, e.UserID, rows)
}

// Invite adds an employee to the company. It returns CodeConflict when the person
// works for the company already.
func (s *Service) Invite(ctx context.Context, a Actor, companyID int64, in Invitation) (*InvitedEmployee, error) {
	if in.Role == "" {
		in.Role = models.RoleOperator
	}
	// Check permission before the slow hashing, so that a stranger cannot cause it.
	by, err := manager(s.Store.Read(ctx), a, companyID)
	if err != nil {
		return nil, err
	}
	if err := mayTouch(by, in.Role); err != nil {
		return nil, err
	}
	email, emailViolation := newEmail("email", in.Email)
	password, generated := newPassword(), true
	var passwordViolation error
	if in.Password != nil {
		password, generated = *in.Password, false
		passwordViolation = checkPassword("password", password)
	}
	if err := allViolations(emailViolation, checkRequired("name", in.Name, maxName), passwordViolation, checkRole(in.Role)); err != nil {
		return nil, err
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	user := models.User{Email: email, Name: strings.TrimSpace(in.Name), PasswordHash: hash, CompanyID: &companyID, CreatedAt: s.Now().Unix()}
	out, err := s.invite(ctx, a, companyID, in, user)
	if errors.Is(err, models.ErrDuplicate) { // somebody else created this user in between; now they are found
		out, err = s.invite(ctx, a, companyID, in, user)
	}
	if err == nil && out.isNew && generated {
		out.Password = &password
	}
	return out, err
}

func (s *Service) invite(ctx context.Context, a Actor, companyID int64, in Invitation, user models.User) (*InvitedEmployee, error) {
	out := &InvitedEmployee{}
	err := s.change(ctx, func(c *change) error {
		e, isNew, err := c.invite(a, companyID, in, &user)
		if err != nil {
			return err
		}
		data, err := oneEmployee(c.tx, companyID, e.UserID)
		if err != nil {
			return err
		}
		out.EmployeeData, out.isNew = *data, isNew
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
