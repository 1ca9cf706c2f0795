package models

// CreateLicense inserts l and sets l.ID when it is zero.
func (tx *Tx) CreateLicense(l *License) error { return tx.create(l) }

// License returns the licence, or ErrNotFound.
func (tx *Tx) License(id int64) (*License, error) {
	return first[License](tx.db.Where("id = ?", id))
}

// LockLicense returns the licence and locks its row until the transaction ends.
func (tx *Tx) LockLicense(id int64) (*License, error) {
	return first[License](tx.lockParent().db.Where("id = ?", id))
}

// LicenseIDs lists the company's licences.
func (tx *Tx) LicenseIDs(companyID int64) ([]int64, error) {
	var ids []int64
	err := tx.db.Raw(`SELECT id FROM licenses WHERE company_id = ? ORDER BY id`, companyID).Scan(&ids).Error
	return ids, err
}

// RenameLicense sets the licence's name and reports whether that changed it.
func (tx *Tx) RenameLicense(id int64, name string) (changed bool, err error) {
	res := tx.db.Exec(`UPDATE licenses SET name = ? WHERE id = ? AND name <> ?`, name, id, name)
	return res.RowsAffected > 0, res.Error
}

// DeleteLicense removes the licence with its messengers, chats and messages.
func (tx *Tx) DeleteLicense(id int64) error {
	return tx.db.Exec(`DELETE FROM licenses WHERE id = ?`, id).Error
}

// LicenseView is a licence that a user may read.
type LicenseView struct {
	License
	Role     string // empty: of a key
	CanWrite bool
}

// LicensesOf lists the licences that the user may read, by id. A key that may manage a line
// may know of its licence too.
func (tx *Tx) LicensesOf(userID int64) ([]LicenseView, error) {
	var list []LicenseView
	err := tx.db.Raw(`
		SELECT l.*, e.role, e.role IN ('owner', 'admin') OR COALESCE(el.can_write, FALSE) AS can_write
		FROM employees e
		JOIN licenses l ON l.company_id = e.company_id
		LEFT JOIN employee_licenses el ON el.license_id = l.id AND el.user_id = e.user_id
		WHERE e.user_id = ? AND (e.role IN ('owner', 'admin') OR el.user_id IS NOT NULL)
		UNION ALL
		SELECT l.*, '' AS role, k.can_send AS can_write
		FROM api_keys k
		JOIN licenses l ON l.company_id = k.company_id AND (k.license_id IS NULL OR k.license_id = l.id)
		WHERE k.user_id = ? AND (k.can_read OR k.can_manage)
		ORDER BY 1`, userID, userID).Scan(&list).Error
	return list, err
}

// MessengersOf lists the messengers of these licences, by licence and in the
// order they were added.
func (tx *Tx) MessengersOf(licenseIDs []int64) ([]Messenger, error) {
	var list []Messenger
	err := tx.db.Where("license_id IN ?", licenseIDs).Order("license_id, created_at, type").Find(&list).Error
	return list, err
}

// CreateMessenger adds a messenger, or returns ErrDuplicate when the licence has the
// type.
func (tx *Tx) CreateMessenger(m *Messenger) error { return tx.create(m) }

// SetBridge records that a program of the user's own serves the line.
func (tx *Tx) SetBridge(licenseID int64, messengerType string) error {
	return tx.db.Exec(`UPDATE messengers SET bridge = TRUE WHERE license_id = ? AND type = ?`, licenseID, messengerType).Error
}

// DeleteMessenger removes the messenger with its chats and messages, or returns
// ErrNotFound.
func (tx *Tx) DeleteMessenger(licenseID int64, messengerType string) error {
	res := tx.db.Exec(`DELETE FROM messengers WHERE license_id = ? AND type = ?`, licenseID, messengerType)
	if res.Error == nil && res.RowsAffected == 0 {
		return ErrNotFound
	}
	return res.Error
}

// Line is one messenger of one licence.
type Line struct {
	LicenseID int64
	Type      string
}

// OpenLines lists the company's lines whose channel the user may enter: those
// for which LineAccess gives Read and not OnlyMine, also as a key.
func (tx *Tx) OpenLines(companyID, userID int64) ([]Line, error) {
	return tx.readableLines(companyID, userID, "AND NOT e.only_mine")
}

// ReadableLines lists the company's lines for which LineAccess gives Read.
func (tx *Tx) ReadableLines(companyID, userID int64) ([]Line, error) {
	return tx.readableLines(companyID, userID, "")
}

// PairableLines lists the company's lines that the user may pair as a key.
func (tx *Tx) PairableLines(companyID, userID int64) (list []Line, err error) {
	return list, tx.db.Raw(`
		SELECT m.license_id, m.type
		FROM api_keys k
		JOIN licenses l ON l.company_id = k.company_id
		JOIN messengers m ON m.license_id = l.id
		WHERE k.company_id = ? AND k.user_id = ? AND k.can_manage AND `+keyOfLine+`
		ORDER BY 1, 2`, companyID, userID).Scan(&list).Error
}

// readableLines lists lines, of employees and keys; granted restricts those of operators.
func (tx *Tx) readableLines(companyID, userID int64, granted string) ([]Line, error) {
	var list []Line
	err := tx.db.Raw(`
		SELECT m.license_id, m.type
		FROM employees e
		JOIN licenses l ON l.company_id = e.company_id
		JOIN messengers m ON m.license_id = l.id
		LEFT JOIN employee_licenses el ON el.license_id = l.id AND el.user_id = e.user_id
		WHERE e.company_id = ? AND e.user_id = ?
		  AND (e.role IN ('owner', 'admin') OR (el.user_id IS NOT NULL `+granted+`))
		UNION ALL
		SELECT m.license_id, m.type
		FROM api_keys k
		JOIN licenses l ON l.company_id = k.company_id
		JOIN messengers m ON m.license_id = l.id
		WHERE k.company_id = ? AND k.user_id = ? AND k.can_read AND `+keyOfLine+`
		ORDER BY 1, 2`, companyID, userID, companyID, userID).Scan(&list).Error
	return list, err
}

// LockLine keeps others that lock the line too waiting until the transaction ends, but
// nobody who refers to it.
func (tx *Tx) LockLine(licenseID int64, messengerType string) error {
	if !tx.postgres {
		return nil
	}
	return tx.db.Exec("SELECT 1 FROM messengers WHERE license_id = ? AND type = ? FOR NO KEY UPDATE", licenseID, messengerType).Error
}

// LineOf loads the licence of a line, or ErrNotFound when the licence does not
// have the messenger.
func (tx *Tx) LineOf(licenseID int64, messengerType string) (*License, error) {
	return first[License](tx.db.Where("id = ? AND EXISTS (SELECT 1 FROM messengers m WHERE m.license_id = licenses.id AND m.type = ?)",
		licenseID, messengerType))
}
