package models

import "errors"

// Colleague is an employee with the user's e-mail and name.
type Colleague struct {
	Employee
	Email string
	Name  string
}

const colleague = `SELECT e.*, u.email, u.name FROM employees e JOIN users u ON u.id = e.user_id `

// Colleagues lists at most limit employees of the company with user ids above after, by
// user id.
func (tx *Tx) Colleagues(companyID, after int64, limit int) ([]Colleague, error) {
	var list []Colleague
	err := tx.db.Raw(colleague+`WHERE e.company_id = ? AND e.user_id > ? ORDER BY e.user_id LIMIT ?`,
		companyID, after, limit).Scan(&list).Error
	return list, err
}

// Colleague returns one employee of the company, or ErrNotFound.
func (tx *Tx) Colleague(companyID, userID int64) (*Colleague, error) {
	var row Colleague
	res := tx.db.Raw(colleague+`WHERE e.company_id = ? AND e.user_id = ?`, companyID, userID).Scan(&row)
	if res.Error == nil && res.RowsAffected == 0 {
		return nil, ErrNotFound
	}
	return &row, res.Error
}

// EmployedByEmail reports whether the user with the e-mail in lower case works for the
// company.
func (tx *Tx) EmployedByEmail(companyID int64, email string) (bool, error) {
	var n int64
	err := tx.db.Raw(`SELECT COUNT(*) FROM employees e JOIN users u ON u.id = e.user_id WHERE e.company_id = ? AND u.email = ?`,
		companyID, email).Scan(&n).Error
	return n > 0, err
}

// HasOtherOwner reports whether somebody besides the user is an owner of the company and
// may sign in.
func (tx *Tx) HasOtherOwner(companyID, userID int64) (bool, error) {
	var n int64
	err := tx.db.Raw(`SELECT COUNT(*) FROM employees e JOIN users u ON u.id = e.user_id
		WHERE e.company_id = ? AND e.role = ? AND e.user_id <> ? AND u.disabled_at = 0`, companyID, RoleOwner, userID).Scan(&n).Error
	return n > 0, err
}

// CreateEmployee makes a user an employee, or returns ErrDuplicate when they already
// are. A user of a key can be none: it returns ErrOfKey.
func (tx *Tx) CreateEmployee(e *Employee) error {
	user, err := tx.UserByID(e.UserID)
	if err == nil && user.OfKey {
		return ErrOfKey
	}
	if err != nil && !errors.Is(err, ErrNotFound) { // without a user, the reference fails
		return err
	}
	return tx.create(e)
}

// SaveEmployee writes the employee's role and whether they see only their chats.
func (tx *Tx) SaveEmployee(e *Employee) error {
	return tx.db.Model(&Employee{}).Where("company_id = ? AND user_id = ?", e.CompanyID, e.UserID).
		Updates(map[string]any{"role": e.Role, "only_mine": e.OnlyMine}).Error
}

// DeleteEmployee deletes an employment, and the user's access to the company's licences
// and lists of quick responses. It does not change chats.
func (tx *Tx) DeleteEmployee(companyID, userID int64) error {
	for _, q := range []string{
		`DELETE FROM employee_licenses WHERE user_id = ? AND license_id IN (SELECT id FROM licenses WHERE company_id = ?)`,
		`DELETE FROM quick_response_accesses WHERE user_id = ? AND list_id IN (SELECT id FROM quick_response_lists WHERE company_id = ?)`,
		`DELETE FROM employees WHERE user_id = ? AND company_id = ?`,
	} {
		if err := tx.db.Exec(q, userID, companyID).Error; err != nil {
			return err
		}
	}
	return nil
}

// SetOnline records whether the employee is online and reports whether that changed.
func (tx *Tx) SetOnline(companyID, userID int64, online bool) (changed bool, err error) {
	res := tx.db.Exec(`UPDATE employees SET online = ? WHERE company_id = ? AND user_id = ? AND online <> ?`,
		online, companyID, userID, online)
	return res.RowsAffected > 0, res.Error
}

// SetWorkday records "start" or "end" and reports whether that changed.
func (tx *Tx) SetWorkday(companyID, userID int64, workday string) (changed bool, err error) {
	res := tx.db.Exec(`UPDATE employees SET workday = ? WHERE company_id = ? AND user_id = ? AND workday <> ?`,
		workday, companyID, userID, workday)
	return res.RowsAffected > 0, res.Error
}

// OnlineEmployees lists the employees that are recorded as online, by user and company.
func (tx *Tx) OnlineEmployees() ([]Employee, error) {
	var list []Employee
	err := tx.db.Where("online").Order("user_id, company_id").Find(&list).Error
	return list, err
}

// SetEmployeeLicenses replaces the user's rights to the company's licences.
func (tx *Tx) SetEmployeeLicenses(companyID, userID int64, rights []EmployeeLicense) error {
	err := tx.db.Exec(`DELETE FROM employee_licenses WHERE user_id = ? AND license_id IN
		(SELECT id FROM licenses WHERE company_id = ?)`, userID, companyID).Error
	if err != nil || len(rights) == 0 {
		return err
	}
	return tx.create(&rights)
}

// EmployeeLicenses lists the rights of these users to the company's licences, by
// user and licence.
func (tx *Tx) EmployeeLicenses(companyID int64, userIDs []int64) ([]EmployeeLicense, error) {
	var list []EmployeeLicense
	err := tx.db.Raw(`
		SELECT el.* FROM employee_licenses el JOIN licenses l ON l.id = el.license_id
		WHERE l.company_id = ? AND el.user_id IN ? ORDER BY el.user_id, el.license_id`,
		companyID, userIDs).Scan(&list).Error
	return list, err
}
