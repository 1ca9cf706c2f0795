package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"chatcast/models"
)

// The audit log says who did what, to what, from where. An entry is written in the
// transaction of the change, so that there is neither without the other. It belongs to
// one company; what happens to an account is written for each company that its user
// works for, and what concerns the server for the company that runs it. Entries hold no
// secrets and nothing that a message says.

// requestKey is the key of a request's Client in a context, actorKey that of an Actor.
type (
	requestKey struct{}
	actorKey   struct{}
)

// WithClient returns a context for the rules that a request of this client calls. The
// audit log has the client from there.
func WithClient(ctx context.Context, from Client) context.Context {
	return context.WithValue(ctx, requestKey{}, clientOf(from.Address, from.UserAgent))
}

// clientIn returns the client of the request that ctx belongs to, if there is one.
func clientIn(ctx context.Context) Client {
	from, _ := ctx.Value(requestKey{}).(Client)
	return from
}

// asking returns a context in which connectors act for the actor.
func asking(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// askedBy returns for whom a connector acts.
func askedBy(ctx context.Context) auditor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a.auditor()
}

// auditor is who did something.
type auditor struct {
	kind   string
	userID int64 // of a user
}

var (
	byHost    = auditor{kind: ActorHost}
	byUnknown = auditor{kind: ActorUnknown}
)

// String names who it was for the program's log.
func (by auditor) String() string {
	if by.kind == ActorUser {
		return "user " + strconv.FormatInt(by.userID, 10)
	}
	return by.kind
}

func byUser(id int64) auditor { return auditor{ActorUser, id} }

func (a Actor) auditor() auditor {
	if a.UserID == 0 {
		return auditor{kind: ActorMessenger}
	}
	return byUser(a.UserID)
}

// target is what an entry is about.
type target struct{ kind, id, name string }

func ofID(kind string, id int64, name string) target {
	return target{kind, strconv.FormatInt(id, 10), name}
}

func userTarget(id int64, email string) target { return ofID(targetUser, id, email) }

func lineTarget(licenseID int64, messenger string) target {
	return target{targetLine, fmt.Sprintf("%d/%s", licenseID, messenger), ""}
}

// audited is an entry of the audit log to write.
type audited struct {
	action  string
	by      auditor
	on      target            // the zero target: nothing
	details map[string]string // nil: none
	times   int64             // 0: once
}

// audit writes an entry for a company.
func (c *change) audit(companyID int64, e audited) error {
	row, err := c.auditRow(e)
	if err != nil {
		return err
	}
	row.CompanyID = &companyID
	return c.tx.AppendAudit(row)
}

// auditUser writes an entry for each company that the user works for, or for the server
// when there is none.
func (c *change) auditUser(userID int64, e audited) error {
	places, err := c.tx.Employments(userID)
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return c.auditServer(e)
	}
	for _, p := range places {
		if err := c.audit(p.CompanyID, e); err != nil {
			return err
		}
	}
	return nil
}

// auditServer writes an entry for the company that runs the server.
func (c *change) auditServer(e audited) error {
	row, err := c.auditRow(e)
	if err != nil {
		return err
	}
	switch id, err := c.tx.FirstCompanyID(); {
	case err == nil:
		row.CompanyID = &id
	case !errors.Is(err, models.ErrNotFound): // before the first start there is none
		return err
	}
	return c.tx.AppendAudit(row)
}

// auditTenant writes what the server's owner does to a company: for the company that
// runs the server, and for the company itself, which does not learn who it was there.
func (c *change) auditTenant(companyID int64, e audited) error {
	first, err := c.tx.FirstCompanyID()
	if err != nil {
		return err
	}
	if err := c.audit(first, e); err != nil || first == companyID {
		return err
	}
	e.by = byHost
	return c.audit(companyID, e)
}

// auditRow returns the row of an entry that has no company yet.
func (c *change) auditRow(e audited) (*models.AuditEntry, error) {
	row := &models.AuditEntry{
		CreatedAt: c.now.Unix(), Action: e.action, ActorType: e.by.kind,
		TargetType: e.on.kind, TargetID: e.on.id, TargetName: e.on.name, Details: "{}", Times: max(1, e.times),
	}
	if e.by.kind != ActorHost { // what the server's owner did is not told by address to the companies
		row.Address, row.UserAgent = c.from.Address, c.from.UserAgent
	}
	if e.by.kind == ActorUser {
		row.ActorID = &e.by.userID
		user, err := c.tx.UserByID(e.by.userID)
		if err != nil {
			return nil, orNotFound(err, "user")
		}
		row.ActorName = user.Email
		if user.OfKey {
			row.ActorType, row.ActorName = ActorKey, user.Name
		}
	}
	if len(e.details) > 0 {
		text, err := json.Marshal(e.details)
		if err != nil {
			return nil, err
		}
		row.Details = string(text)
	}
	return row, nil
}

// differences returns the details of a change: each fact that differs, as it is now and
// as it was before. It is empty when nothing has changed.
func differences(before, after map[string]string) map[string]string {
	details := map[string]string{}
	for name, now := range after {
		if was := before[name]; was != now {
			details[name], details[name+"Before"] = now, was
		}
	}
	return details
}
