package models

// LockCompany returns the company and locks its row until the transaction ends. Changes
// to its employees then come one after the other, so that two of them cannot remove the
// last two owners at once.
func (tx *Tx) LockCompany(id int64) (*Company, error) {
	return first[Company](tx.lockParent().db.Where("id = ?", id))
}

// CompanyByID returns the company, or ErrNotFound.
func (tx *Tx) CompanyByID(id int64) (*Company, error) {
	return first[Company](tx.db.Where("id = ?", id))
}

// CreateCompany inserts c and sets c.ID when it is zero.
func (tx *Tx) CreateCompany(c *Company) error { return tx.create(c) }

// FirstCompanyID returns the id of the company that was created first, or ErrNotFound.
// Ids rise, so it is the lowest.
func (tx *Tx) FirstCompanyID() (int64, error) {
	c, err := first[Company](tx.db.Order("id"))
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// CompanyView is a company with the number of its people.
type CompanyView struct {
	Company
	Employees int64
	Owners    int64 // who may sign in
	Invited   int64 // invitations that are valid
}

// Companies lists all companies, by id.
func (tx *Tx) Companies(now int64) ([]CompanyView, error) {
	var list []CompanyView
	err := tx.db.Raw(`
		SELECT c.*,
		       (SELECT COUNT(*) FROM employees e WHERE e.company_id = c.id) AS employees,
		       (SELECT COUNT(*) FROM employees e JOIN users u ON u.id = e.user_id WHERE e.company_id = c.id AND e.role = ? AND u.disabled_at = 0) AS owners,
		       (SELECT COUNT(*) FROM invitations i WHERE i.company_id = c.id AND i.expires_at > ?) AS invited
		FROM companies c ORDER BY c.id`, RoleOwner, now).Scan(&list).Error
	return list, err
}

// OwnerlessCompanies lists the companies of the user that have no owner who may sign in,
// by id.
func (tx *Tx) OwnerlessCompanies(userID int64) ([]Company, error) {
	var list []Company
	err := tx.db.Raw(`
		SELECT c.* FROM companies c JOIN employees e ON e.company_id = c.id AND e.user_id = ?
		WHERE NOT EXISTS (SELECT 1 FROM employees o JOIN users u ON u.id = o.user_id
			WHERE o.company_id = c.id AND o.role = ? AND u.disabled_at = 0)
		ORDER BY c.id`, userID, RoleOwner).Scan(&list).Error
	return list, err
}
