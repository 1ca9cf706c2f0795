package models

import (
	"errors"

	"gorm.io/gorm/clause"
)

// HasUsers reports whether the database has any user.
func (tx *Tx) HasUsers() (bool, error) {
	var n int64
	err := tx.db.Model(&User{}).Limit(1).Count(&n).Error
	return n > 0, err
}

// UserByID returns the user, or ErrNotFound.
func (tx *Tx) UserByID(id int64) (*User, error) {
	return first[User](tx.db.Where("id = ?", id))
}

// UserByEmail finds a person by the e-mail in lower case, or returns ErrNotFound.
func (tx *Tx) UserByEmail(email string) (*User, error) {
	return first[User](tx.db.Where("email = ? AND NOT of_key", email))
}

// LockUser returns the user and locks the row until the transaction ends. Transactions
// that make or end the user's tokens then come one after the other.
func (tx *Tx) LockUser(id int64) (*User, error) {
	return first[User](tx.lockParent().db.Where("id = ?", id))
}

// CreateUser inserts u and sets u.ID when it is zero. It returns ErrDuplicate when the
// e-mail is taken.
func (tx *Tx) CreateUser(u *User) error { return tx.create(u) }

// SaveUser writes the user's name, password hash and who knows the password.
func (tx *Tx) SaveUser(u *User) error {
	return tx.db.Model(&User{}).Where("id = ?", u.ID).
		Updates(map[string]any{"name": u.Name, "password_hash": u.PasswordHash, "password_known": u.PasswordKnown}).Error
}

// Workplace is a company that a user works for, with the data of the employment.
type Workplace struct {
	CompanyID   int64
	CompanyName string
	Role        string
	OnlyMine    bool
	Online      bool
	Workday     string
}

// Workplaces lists the companies that the user works for, by company id.
func (tx *Tx) Workplaces(userID int64) ([]Workplace, error) {
	var list []Workplace
	err := tx.db.Raw(`
		SELECT e.company_id, c.name AS company_name, e.role, e.only_mine, e.online, e.workday
		FROM employees e JOIN companies c ON c.id = e.company_id
		WHERE e.user_id = ? ORDER BY e.company_id`, userID).Scan(&list).Error
	return list, err
}

// lockParent returns a view whose selected rows stay locked until the transaction ends.
// Unlike forUpdate it lets others insert rows that refer to the locked one, so that a
// lock on a company or a user does not hold up its chats.
func (tx *Tx) lockParent() *Tx {
	if !tx.postgres {
		return tx
	}
	return &Tx{db: tx.db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}), postgres: true, keys: tx.keys}
}

// Employments lists the user's employments, by company id.
func (tx *Tx) Employments(userID int64) ([]Employee, error) {
	var list []Employee
	err := tx.db.Where("user_id = ?", userID).Order("company_id").Find(&list).Error
	return list, err
}

// Account is a user as the person who runs the server sees them.
type Account struct {
	User
	Companies string // "Company (owner), Other (operator)"
	TOTP      bool   `gorm:"column:totp"` // has a second factor
	LastUsed  int64  // of the user's sessions; 0: none is known
}

// Accounts lists all users who are persons, by id.
func (tx *Tx) Accounts() ([]Account, error) {
	join := "GROUP_CONCAT(c.name || ' (' || e.role || ')', ', ')"
	if tx.postgres {
		join = "STRING_AGG(c.name || ' (' || e.role || ')', ', ' ORDER BY c.id)"
	}
	var list []Account
	err := tx.db.Raw(`
		SELECT u.*, COALESCE((SELECT ` + join + ` FROM employees e JOIN companies c ON c.id = e.company_id WHERE e.user_id = u.id), '') AS companies,
			EXISTS (SELECT 1 FROM user_totp f WHERE f.user_id = u.id AND f.confirmed_at > 0) AS totp,
			COALESCE((SELECT MAX(t.last_used_at) FROM tokens t WHERE t.user_id = u.id), 0) AS last_used
		FROM users u WHERE NOT u.of_key ORDER BY u.id`).Scan(&list).Error
	return list, err
}

// SetDisabled writes when the user was disabled; 0: the user may sign in.
func (tx *Tx) SetDisabled(userID, at int64) error {
	return tx.db.Exec("UPDATE users SET disabled_at = ? WHERE id = ?", at, userID).Error
}

// CutOff asks the servers on this database to close the sockets of the user's sessions of
// now. The user must be locked. Others who call it wait until the transaction ends, so that the numbers are committed in their order.
func (tx *Tx) CutOff(userID int64) error {
	return errors.Join(
		tx.db.Exec("UPDATE users_state SET version = version + 1 WHERE id = 1").Error,
		tx.db.Exec(`UPDATE users SET cut_off = (SELECT version FROM users_state WHERE id = 1),
			cut_off_session = COALESCE((SELECT MAX(id) FROM tokens WHERE user_id = users.id), 0) WHERE id = ?`, userID).Error,
	)
}

// CutOffs returns the number of the last CutOff, 0 before the first.
func (tx *Tx) CutOffs() (version int64, err error) {
	return version, tx.db.Raw("SELECT version FROM users_state WHERE id = 1").Scan(&version).Error
}

// UsersCutOff lists the users of the CutOffs after the given number, in their order.
func (tx *Tx) UsersCutOff(after int64) ([]User, error) {
	var list []User
	return list, tx.db.Where("cut_off > ?", after).Order("cut_off").Find(&list).Error
}

// PutReset stores the hash of the user's code for a new password, in place of an older
// one.
func (tx *Tx) PutReset(userID int64, hash string, expires int64) error {
	return tx.db.Exec(`INSERT INTO password_resets (user_id, hash, expires_at) VALUES (?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at`, userID, hash, expires).Error
}

// ResetUser returns the id of the user whose code has the hash and has not expired, or
// ErrNotFound.
func (tx *Tx) ResetUser(hash string, now int64) (userID int64, err error) {
	res := tx.db.Raw("SELECT user_id FROM password_resets WHERE hash = ? AND expires_at > ?", hash, now).Scan(&userID)
	if res.Error == nil && res.RowsAffected == 0 {
		return 0, ErrNotFound
	}
	return userID, res.Error
}

// DeleteReset removes the user's code for a new password.
func (tx *Tx) DeleteReset(userID int64) error {
	return tx.db.Exec("DELETE FROM password_resets WHERE user_id = ?", userID).Error
}
