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
	var row struct {
		CompanyID int64
		Role      string
		OnlyMine  bool
		Granted   bool
		CanWrite  bool
		Bridge    bool
	}
	res := tx.db.Raw(`
		SELECT l.company_id, e.role, e.only_mine, m.bridge,
		       el.user_id IS NOT NULL AS granted, COALESCE(el.can_write, FALSE) AS can_write
		FROM licenses l
		JOIN messengers m ON m.license_id = l.id AND m.type = ?
		JOIN employees e ON e.company_id = l.company_id AND e.user_id = ?
		LEFT JOIN employee_licenses el ON el.license_id = l.id AND el.user_id = e.user_id
		WHERE l.id = ?`, messengerType, userID, licenseID).Scan(&row)
	if res.Error != nil {
		return nil, res.Error
	}
	if res.RowsAffected == 0 {
		return tx.keyAccess(userID, licenseID, messengerType)
	}
	a := &Access{CompanyID: row.CompanyID, Role: row.Role, OnlyMine: row.OnlyMine, Read: row.Granted, Write: row.CanWrite, Bridge: row.Bridge}
	if a.Role == RoleOwner || a.Role == RoleAdmin {
		a.Read, a.Write, a.OnlyMine, a.Manage, a.Inbound = true, true, false, true, true
	}
	return a, nil
}

// keyAccess is LineAccess for the user of a key.
func (tx *Tx) keyAccess(userID, licenseID int64, messengerType string) (*Access, error) {
	var a Access
	res := tx.db.Raw(`
		SELECT k.company_id, k.can_read AS read, k.can_send AS write, k.can_manage AS manage, k.can_inbound AS inbound, m.bridge
		FROM api_keys k
		JOIN licenses l ON l.company_id = k.company_id AND l.id = ?
		JOIN messengers m ON m.license_id = l.id AND m.type = ?
		WHERE k.user_id = ? AND `+keyOfLine, licenseID, messengerType, userID).Scan(&a)
	if res.Error == nil && res.RowsAffected == 0 {
		return nil, ErrNotFound
	}
	return &a, res.Error
}

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
