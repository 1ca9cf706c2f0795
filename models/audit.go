package models

import (
	"strconv"
	"strings"
)

// AuditEntry is one entry of the audit log: who did what, to what, from where.
type AuditEntry struct {
	ID         int64
	CompanyID  *int64 // nil: made before there was a company
	CreatedAt  int64
	Action     string // "employee.changed": a noun and what happened to it
	ActorType  string
	ActorID    *int64 // of a user
	ActorName  string // the e-mail of a user
	TargetType string // empty: there is none
	TargetID   string
	TargetName string
	Address    string
	UserAgent  string
	Details    string // JSON object of texts
	Times      int64
}

// AuditFilter selects entries of a company. Zero values select all.
type AuditFilter struct {
	CompanyID int64
	Action    string // a whole action, or its noun alone
	UserID    int64  // who did it, or to whom it happened
	From      *int64 // unix seconds, inclusive
	To        *int64 // likewise
	Before    int64  // only entries with lower ids
}

// AppendAudit inserts an entry.
func (tx *Tx) AppendAudit(e *AuditEntry) error { return tx.create(e) }

// AuditEntries lists at most limit entries, newest first.
func (tx *Tx) AuditEntries(f AuditFilter, limit int) ([]AuditEntry, error) {
	q := tx.db.Where("company_id = ?", f.CompanyID)
	switch {
	case strings.Contains(f.Action, "."):
		q = q.Where("action = ?", f.Action)
	case f.Action != "":
		q = q.Where("action LIKE ?", f.Action+".%")
	}
	if f.UserID != 0 {
		q = q.Where("(actor_id = ? OR target_type = 'user' AND target_id = ?)", f.UserID, strconv.FormatInt(f.UserID, 10))
	}
	if f.From != nil {
		q = q.Where("created_at >= ?", *f.From)
	}
	if f.To != nil {
		q = q.Where("created_at <= ?", *f.To)
	}
	if f.Before != 0 {
		q = q.Where("id < ?", f.Before)
	}
	var list []AuditEntry
	return list, q.Order("id DESC").Limit(limit).Find(&list).Error
}

// AuditedSince reports whether there is an entry like e that is newer than since: of the
// same company, actor, action, target and details.
func (tx *Tx) AuditedSince(e *AuditEntry, since int64) (bool, error) {
	var n int64
	err := tx.db.Model(&AuditEntry{}).
		Where("company_id = ? AND action = ? AND created_at > ?", e.CompanyID, e.Action, since).
		Where("actor_id = ? AND target_id = ? AND details = ?", e.ActorID, e.TargetID, e.Details).
		Limit(1).Count(&n).Error
	return n > 0, err
}

// AdoptAudit gives the entries that no company has to this one.
func (tx *Tx) AdoptAudit(companyID int64) error {
	return tx.db.Exec(`UPDATE audit_entries SET company_id = ? WHERE company_id IS NULL`, companyID).Error
}

// ForgetAudit deletes at most limit entries that were made before the time, and returns
// how many.
func (tx *Tx) ForgetAudit(before int64, limit int) (int64, error) {
	res := tx.db.Exec(`DELETE FROM audit_entries WHERE id IN (SELECT id FROM audit_entries WHERE created_at < ? ORDER BY created_at LIMIT ?)`, before, limit)
	return res.RowsAffected, res.Error
}
