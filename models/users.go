package models

import "gorm.io/gorm/clause"

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

// UserByEmail finds a user by the e-mail in lower case, or returns ErrNotFound.
func (tx *Tx) UserByEmail(email string) (*User, error) {
	return first[User](tx.db.Where("email = ?", email))
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
	return &Tx{db: tx.db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}), postgres: true}
}

// Employments lists the user's employments, by company id.
func (tx *Tx) Employments(userID int64) ([]Employee, error) {
	var list []Employee
	err := tx.db.Where("user_id = ?", userID).Order("company_id").Find(&list).Error
	return list, err
}
