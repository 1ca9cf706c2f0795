package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"chatcast/models"
)

// AuditEntry is an entry of the audit log as answers show it.
type AuditEntry struct {
	ID        int64             `json:"id"`
	Time      int64             `json:"time"` // unix seconds
	Action    string            `json:"action"`
	Actor     AuditActor        `json:"actor"`
	Target    *AuditTarget      `json:"target"`    // null: none
	Address   string            `json:"address"`   // of the client; empty: not known
	UserAgent string            `json:"userAgent"` // likewise
	Times     int64             `json:"times"`     // above 1 for what was refused several times
	Details   map[string]string `json:"details"`
}

// AuditActor is who did it.
type AuditActor struct {
	Type string `json:"type"` // user, key, host, messenger or unknown
	ID   *int64 `json:"id"`   // of a user, or of the user of a key
	Name string `json:"name"` // the e-mail of a user, the name of a key
}

// AuditTarget is what it was done to.
type AuditTarget struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Name string `json:"name"` // at that time; of people the e-mail
}

// AuditQuery asks for one page of the audit log, newest first. Zero values select all.
type AuditQuery struct {
	PageQuery
	CompanyID int64  // 0: the actor's only company
	Action    string // "employee.changed", or "employee" for all actions of the noun
	UserID    int64  // who did it, or to whom it was done
	From, To  *int64 // unix seconds, inclusive
}

// AuditLog lists the entries of a company, for its owners and admins.
func (s *Service) AuditLog(ctx context.Context, a Actor, q AuditQuery) (Page[AuditEntry], error) {
	var none Page[AuditEntry]
	tx := s.Store.Read(ctx)
	e, err := ownerOrAdmin(tx, a, q.CompanyID, "read the audit log")
	if err != nil {
		return none, err
	}
	start, limit, err := q.start("audit", 1)
	if err := allViolations(err, checkAuditAction(q.Action)); err != nil {
		return none, err
	}
	f := models.AuditFilter{CompanyID: e.CompanyID, Action: q.Action, UserID: q.UserID, From: q.From, To: q.To}
	if start != nil {
		f.Before = start[0]
	}
	rows, err := tx.AuditEntries(f, limit+1)
	if err != nil {
		return none, err
	}
	page := pageOf("audit", rows, limit, func(r models.AuditEntry) []int64 { return []int64{r.ID} }, auditEntry)
	for i, r := range rows[:len(page.Items)] {
		if err := json.Unmarshal([]byte(r.Details), &page.Items[i].Details); err != nil {
			return none, fmt.Errorf("crm: audit entry %d: %w", r.ID, err)
		}
	}
	return page, nil
}

// checkAuditAction accepts an action, a noun of actions, and nothing.
func checkAuditAction(action string) error {
	if action == "" || slices.ContainsFunc(auditActions, func(known string) bool {
		noun, _, _ := strings.Cut(known, ".")
		return action == known || action == noun
	}) {
		return nil
	}
	return Invalid("action", "must be an action of the audit log, such as employee.changed, or its noun alone")
}

func auditEntry(r models.AuditEntry) AuditEntry {
	e := AuditEntry{
		ID: r.ID, Time: r.CreatedAt, Action: r.Action, Actor: AuditActor{Type: r.ActorType, ID: r.ActorID, Name: r.ActorName},
		Address: r.Address, UserAgent: r.UserAgent, Times: r.Times,
	}
	if r.TargetType != "" {
		e.Target = &AuditTarget{r.TargetType, r.TargetID, r.TargetName}
	}
	return e
}
