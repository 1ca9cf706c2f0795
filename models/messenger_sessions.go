package models

import (
	"errors"
	"time"
)

// MessengerSession loads the session of a line, or ErrNotFound.
func (tx *Tx) MessengerSession(licenseID int64, messengerType string) (*MessengerSession, error) {
	return first[MessengerSession](tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType))
}

// LockMessengerSession is MessengerSession, but also locks the row until the
// transaction ends.
func (tx *Tx) LockMessengerSession(licenseID int64, messengerType string) (*MessengerSession, error) {
	return first[MessengerSession](tx.forUpdate().Where("license_id = ? AND messenger_type = ?", licenseID, messengerType))
}

// MessengerSessions lists the sessions of a messenger type.
func (tx *Tx) MessengerSessions(messengerType string) ([]MessengerSession, error) {
	var rows []MessengerSession
	return rows, tx.db.Where("messenger_type = ?", messengerType).Order("license_id").Find(&rows).Error
}

// SessionsOf lists the sessions of the companies' lines.
func (tx *Tx) SessionsOf(companyIDs []int64) (rows []MessengerSession, err error) {
	return rows, tx.db.Where("license_id IN (SELECT id FROM licenses WHERE company_id IN ?)", companyIDs).Find(&rows).Error
}

// EnsureMessengerSession inserts s unless the line has one.
func (tx *Tx) EnsureMessengerSession(s *MessengerSession) error {
	_, err := tx.createNew(s)
	return err
}

// SaveMessengerSession writes the fields that do not belong to the lease.
func (tx *Tx) SaveMessengerSession(s *MessengerSession) error {
	return tx.db.Model(s).
		Select("state", "device", "phone", "detail", "banned_until", "restricted_until", "paired", "updated_at",
			"rating", "rating_reasons", "phone_seen_at", "version_known_at",
			"lost_at_ms", "loss_told", "ended_state", "ended_detail", "ended_at_ms").Updates(s).Error
}

// NowMS returns the time of the database's clock, in unix milliseconds. It is the one
// clock that all nodes share.
func (tx *Tx) NowMS() (ms int64, err error) {
	return ms, tx.db.Raw("SELECT " + tx.clockMS()).Scan(&ms).Error
}

func (tx *Tx) clockMS() string {
	if tx.postgres {
		return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	return "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
}

// TakeLease gives the line to owner when nobody holds it, its lease of the given time has
// expired, or owner holds it already. The lease of a process with a row in line_nodes does
// not expire. It reports whether owner holds the line now.
func (tx *Tx) TakeLease(licenseID int64, messengerType, owner string, ttl time.Duration) (bool, error) {
	now := tx.clockMS()
	res := tx.db.Exec(`UPDATE messenger_sessions SET lease_owner = ?, lease_until_ms = `+now+` + ?
		WHERE license_id = ? AND messenger_type = ?
		  AND (lease_owner IN ('', ?) OR lease_until_ms <= `+now+` AND lease_owner NOT IN (SELECT name FROM line_nodes))`,
		owner, ttl.Milliseconds(), licenseID, messengerType, owner)
	return res.RowsAffected == 1, res.Error
}

// DropLease ends owner's lease of the line, if it holds one.
func (tx *Tx) DropLease(licenseID int64, messengerType, owner string) error {
	return errors.Join(
		tx.db.Exec(`UPDATE messenger_sessions SET lease_owner = '', lease_until_ms = 0
			WHERE license_id = ? AND messenger_type = ? AND lease_owner = ?`, licenseID, messengerType, owner).Error,
		tx.NotifyLines(LineNews{What: NewsNodes}),
	)
}
