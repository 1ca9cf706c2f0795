package models

// Invitation lets the person with the e-mail become an employee.
type Invitation struct {
	ID        int64
	CompanyID int64
	Email     string // lower case
	Name      string // what the company calls the person; the person chooses their own
	Role      string
	OnlyMine  bool
	Licenses  string // JSON array of the rights to licences
	CodeHash  string // hex SHA-256
	InvitedBy *int64 // nil: the server's owner
	ExpiresAt int64
	CreatedAt int64
}

// CreateInvitation inserts an invitation and sets its id. An earlier invitation of the
// same e-mail to the same company must be deleted before.
func (tx *Tx) CreateInvitation(i *Invitation) error { return tx.create(i) }

// InvitationByCode finds an invitation by the hex SHA-256 of its code, or returns
// ErrNotFound. The caller checks whether it has expired.
func (tx *Tx) InvitationByCode(hash string) (*Invitation, error) {
	return first[Invitation](tx.db.Where("code_hash = ?", hash))
}

// InvitationOf finds the company's invitation with the id, or returns ErrNotFound.
func (tx *Tx) InvitationOf(companyID, id int64) (*Invitation, error) {
	return first[Invitation](tx.db.Where("company_id = ? AND id = ?", companyID, id))
}

// InvitationByEmail finds the company's invitation of the e-mail in lower case, or
// returns ErrNotFound.
func (tx *Tx) InvitationByEmail(companyID int64, email string) (*Invitation, error) {
	return first[Invitation](tx.db.Where("company_id = ? AND email = ?", companyID, email))
}

// Invitations lists at most limit of the company's invitations that are valid at now,
// with ids above after, by id.
func (tx *Tx) Invitations(companyID, now, after int64, limit int) ([]Invitation, error) {
	var list []Invitation
	err := tx.db.Where("company_id = ? AND expires_at > ? AND id > ?", companyID, now, after).
		Order("id").Limit(limit).Find(&list).Error
	return list, err
}

// DeleteInvitation deletes an invitation and reports whether it was still there.
func (tx *Tx) DeleteInvitation(id int64) (deleted bool, err error) {
	res := tx.db.Exec(`DELETE FROM invitations WHERE id = ?`, id)
	return res.RowsAffected > 0, res.Error
}

// InvitationsBy lists the invitations to the company that the user made.
func (tx *Tx) InvitationsBy(companyID, userID int64) ([]Invitation, error) {
	var list []Invitation
	return list, tx.db.Where("company_id = ? AND invited_by = ?", companyID, userID).Order("id").Find(&list).Error
}

// DeleteInvitationsBy deletes the invitations to the company that the user made.
func (tx *Tx) DeleteInvitationsBy(companyID, userID int64) error {
	return tx.db.Exec(`DELETE FROM invitations WHERE company_id = ? AND invited_by = ?`, companyID, userID).Error
}

// DeleteExpiredInvitations deletes the invitations that have expired at now.
func (tx *Tx) DeleteExpiredInvitations(now int64) error {
	return tx.db.Exec(`DELETE FROM invitations WHERE expires_at <= ?`, now).Error
}

// CountInvitations returns how many invitations the company has.
func (tx *Tx) CountInvitations(companyID int64) (n int64, err error) {
	err = tx.db.Model(&Invitation{}).Where("company_id = ?", companyID).Count(&n).Error
	return n, err
}
