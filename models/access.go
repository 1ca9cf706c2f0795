package models

// Access is what one employee, or one key, may do on one line.
type Access struct {
	CompanyID int64
	Role      string // empty: of a key
	OnlyMine  bool
	Read      bool
	Write     bool
	Manage    bool // what concerns the line itself
	Inbound   bool // deliver what customers write
	Bridge    bool // of the line: see Messenger
}

// OfKey reports whether the access is that of a key.
func (a *Access) OfKey() bool { return a.Role == "" }

// LineAccess returns what the user may do on the messenger of the licence, as an employee or
// as a key. It returns ErrNotFound when there is no such line, when the user does not work for
// its company, and when the key is for another line: these must look alike to a stranger.
func (tx *Tx) LineAccess(userID, licenseID int64, messengerType string) (*Access, error) {
	var row employeeLine
	res := tx.db.Raw(employeeLines+" AND l.id = ? AND m.type = ?", userID, licenseID, messengerType).Scan(&row)
	if res.Error != nil {
		return nil, res.Error
	}
	if res.RowsAffected > 0 {
		return row.access(), nil
	}
	var a Access
	res = tx.db.Raw(keyLines+" AND l.id = ? AND m.type = ?", userID, licenseID, messengerType).Scan(&a)
	if res.Error == nil && res.RowsAffected == 0 {
		return nil, ErrNotFound
	}
	return &a, res.Error
}

// LinesAccess returns what LineAccess does, for all lines of these companies for which it returns
// something.
func (tx *Tx) LinesAccess(userID int64, companyIDs []int64) (map[Line]*Access, error) {
	all := map[Line]*Access{}
	var ofKey []struct {
		Access
		LicenseID int64
		Type      string
	}
	if err := tx.db.Raw(keyLines+" AND l.company_id IN ?", userID, companyIDs).Scan(&ofKey).Error; err != nil {
		return nil, err
	}
	for i := range ofKey {
		all[Line{ofKey[i].LicenseID, ofKey[i].Type}] = &ofKey[i].Access
	}
	var rows []employeeLine
	if err := tx.db.Raw(employeeLines+" AND l.company_id IN ?", userID, companyIDs).Scan(&rows).Error; err != nil {
		return nil, err
	}
	for i := range rows {
		all[Line{rows[i].LicenseID, rows[i].Type}] = rows[i].access()
	}
	return all, nil
}

// employeeLine is a row of employeeLines.
type employeeLine struct {
	LicenseID int64
	Type      string
	CompanyID int64
	Role      string
	OnlyMine  bool
	Granted   bool
	CanWrite  bool
	Bridge    bool
}

func (row *employeeLine) access() *Access {
	a := &Access{CompanyID: row.CompanyID, Role: row.Role, OnlyMine: row.OnlyMine, Read: row.Granted, Write: row.CanWrite, Bridge: row.Bridge}
	if a.Role == RoleOwner || a.Role == RoleAdmin {
		a.Read, a.Write, a.OnlyMine, a.Manage, a.Inbound = true, true, false, true, true
	}
	return a
}

// employeeLines selects the lines of the companies that a user works for.
const employeeLines = `
	SELECT m.license_id, m.type, l.company_id, e.role, e.only_mine, m.bridge,
	       el.user_id IS NOT NULL AS granted, COALESCE(el.can_write, FALSE) AS can_write
	FROM licenses l
	JOIN messengers m ON m.license_id = l.id
	JOIN employees e ON e.company_id = l.company_id
	LEFT JOIN employee_licenses el ON el.license_id = l.id AND el.user_id = e.user_id
	WHERE e.user_id = ?`

// keyLines selects the lines that the key is for whose user this is.
const keyLines = `
	SELECT m.license_id, m.type, k.company_id, k.can_read AS read, k.can_send AS write, k.can_manage AS manage, k.can_inbound AS inbound, m.bridge
	FROM api_keys k
	JOIN licenses l ON l.company_id = k.company_id
	JOIN messengers m ON m.license_id = l.id
	WHERE k.user_id = ? AND ` + keyOfLine

// keyOfLine is the condition that the key k is for the messenger m.
const keyOfLine = `(k.license_id IS NULL OR k.license_id = m.license_id AND k.messenger = m.type)`

// Viewer is an employee who may read a licence.
type Viewer struct {
	UserID   int64
	OnlyMine bool
}

// Viewers lists the employees who may read the licence, by user id.
func (tx *Tx) Viewers(licenseID int64) ([]Viewer, error) {
	var viewers []Viewer
	err := tx.db.Raw(`
		SELECT e.user_id, e.only_mine AND e.role = 'operator' AS only_mine
		FROM licenses l
		JOIN employees e ON e.company_id = l.company_id
		WHERE l.id = ? AND (e.role IN ('owner', 'admin') OR EXISTS (
			SELECT 1 FROM employee_licenses el WHERE el.license_id = l.id AND el.user_id = e.user_id))
		ORDER BY e.user_id`, licenseID).Scan(&viewers).Error
	return viewers, err
}

// Managers lists the ids of the company's owners and admins, rising.
func (tx *Tx) Managers(companyID int64) (ids []int64, err error) {
	err = tx.db.Model(&Employee{}).Where("company_id = ? AND role IN ?", companyID, []string{RoleOwner, RoleAdmin}).
		Order("user_id").Pluck("user_id", &ids).Error
	return ids, err
}

// EmployeeOf returns the user's employment in the company, or ErrNotFound.
func (tx *Tx) EmployeeOf(companyID, userID int64) (*Employee, error) {
	return first[Employee](tx.db.Where("company_id = ? AND user_id = ?", companyID, userID))
}

// EmployeeCount returns 1 when the user works for the company, else 0.
func (tx *Tx) EmployeeCount(companyID, userID int64) (n int64, err error) {
	err = tx.db.Model(&Employee{}).Where("company_id = ? AND user_id = ?", companyID, userID).Count(&n).Error
	return n, err
}
