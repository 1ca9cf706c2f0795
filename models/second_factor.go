package models

import "strconv"

// TOTP is the second factor of a user.
type TOTP struct {
	UserID      int64  `gorm:"primaryKey"`
	Secret      string // base32
	ConfirmedAt int64  // 0: the user has not shown yet that they have the secret
	LastStep    int64  // of the last accepted code
}

// TableName returns the table's name.
func (TOTP) TableName() string { return "user_totp" }

// RecoveryCode replaces one code of a user's lost device.
type RecoveryCode struct {
	UserID int64  `gorm:"primaryKey"`
	Hash   string `gorm:"primaryKey"`
}

// TOTP returns the second factor of the user, or ErrNotFound. It may not be confirmed.
func (tx *Tx) TOTP(userID int64) (*TOTP, error) {
	t, err := first[TOTP](tx.db.Where("user_id = ?", userID))
	if err != nil {
		return nil, err
	}
	return t, tx.open(totpSecret, &t.Secret, strconv.FormatInt(userID, 10))
}

// PutTOTP stores the second factor of a user in place of an older one.
func (tx *Tx) PutTOTP(t *TOTP) error {
	if err := tx.claimKeys(); err != nil {
		return err
	}
	row := *t
	row.Secret = tx.seal(totpSecret, t.Secret, strconv.FormatInt(t.UserID, 10))
	return tx.db.Save(&row).Error
}

// DeleteTOTP removes the second factor of the user and the recovery codes.
func (tx *Tx) DeleteTOTP(userID int64) error {
	if err := tx.db.Delete(&RecoveryCode{}, "user_id = ?", userID).Error; err != nil {
		return err
	}
	return tx.db.Delete(&TOTP{}, "user_id = ?", userID).Error
}

// PutRecoveryCodes replaces the user's recovery codes by those with these hashes.
func (tx *Tx) PutRecoveryCodes(userID int64, hashes []string) error {
	if err := tx.db.Delete(&RecoveryCode{}, "user_id = ?", userID).Error; err != nil {
		return err
	}
	rows := make([]RecoveryCode, len(hashes))
	for i, h := range hashes {
		rows[i] = RecoveryCode{UserID: userID, Hash: h}
	}
	return tx.db.Create(&rows).Error
}

// UseRecoveryCode removes the user's recovery code with this hash, and reports whether
// there was one.
func (tx *Tx) UseRecoveryCode(userID int64, hash string) (bool, error) {
	res := tx.db.Delete(&RecoveryCode{}, "user_id = ? AND hash = ?", userID, hash)
	return res.RowsAffected > 0, res.Error
}

// mustEnrol is true for users (u.id) without a second factor, one of whose companies
// requires it.
const mustEnrol = `(EXISTS (SELECT 1 FROM employees e JOIN companies c ON c.id = e.company_id WHERE e.user_id = u.id AND c.require_totp)
	AND NOT EXISTS (SELECT 1 FROM user_totp f WHERE f.user_id = u.id AND f.confirmed_at > 0))`

// TokenHolder is a token pair and whether its user must enrol a second factor first.
type TokenHolder struct {
	Token
	MustEnrol bool
}

// TokenHolder finds the token pair by the hex SHA-256 of its access token, or returns
// ErrNotFound. The caller checks whether it has expired. A disabled user holds none,
// whatever the table has.
func (tx *Tx) TokenHolder(hash string) (*TokenHolder, error) {
	var row TokenHolder
	res := tx.db.Raw("SELECT t.*, "+mustEnrol+" AS must_enrol FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.access_hash = ? AND u.disabled_at = 0", hash).Scan(&row)
	if res.Error == nil && res.RowsAffected == 0 {
		return nil, ErrNotFound
	}
	return &row, res.Error
}

// MustEnrol reports whether the user needs a second factor and has none.
func (tx *Tx) MustEnrol(userID int64) (must bool, err error) {
	return must, tx.db.Raw("SELECT "+mustEnrol+" FROM users u WHERE u.id = ?", userID).Scan(&must).Error
}

// MustEnrolIn lists the people of the company who need a second factor and have none.
func (tx *Tx) MustEnrolIn(companyID int64) (ids []int64, err error) {
	return ids, tx.db.Raw("SELECT u.id FROM users u JOIN employees w ON w.user_id = u.id WHERE w.company_id = ? AND "+mustEnrol+" ORDER BY u.id", companyID).Scan(&ids).Error
}

// SetRequireTOTP writes whether the company's people need a second factor.
func (tx *Tx) SetRequireTOTP(companyID int64, on bool) error {
	return tx.db.Exec("UPDATE companies SET require_totp = ? WHERE id = ?", on, companyID).Error
}
