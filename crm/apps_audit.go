package crm

import (
	"strings"

	"chatcast/models"
)

// audit writes an entry about an app, which belongs to the company that runs the server.
func (r AppRules) audit(c *change, action string, row *models.App, details map[string]string) error {
	return c.auditServer(audited{action: action, by: r.by, on: target{targetApp, row.ID, row.Name}, details: details})
}

// auditEdit is audit for an app that was changed. It names the changed fields; of most
// it does not tell the values, because headers of webhooks hold secrets.
func (r AppRules) auditEdit(c *change, before, after *models.App) error {
	var changed []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", before.Name == after.Name},
		{"enabled", before.Enabled == after.Enabled},
		{"clientEvents", before.ClientEvents == after.ClientEvents},
		{"subscriptionCount", before.SubscriptionCount == after.SubscriptionCount},
		{"userAuthentication", before.UserAuthentication == after.UserAuthentication},
		{"allowedOrigins", before.AllowedOrigins == after.AllowedOrigins},
		{"limits", before.Limits == after.Limits},
		{"webhooks", before.Webhooks == after.Webhooks},
		{"history", before.History == after.History},
	} {
		if !f.same {
			changed = append(changed, f.name)
		}
	}
	action := AuditAppChanged
	switch {
	case before.Enabled && !after.Enabled:
		action = AuditAppDisabled
	case !before.Enabled && after.Enabled:
		action = AuditAppEnabled
	}
	details := differences(map[string]string{"name": before.Name}, map[string]string{"name": after.Name})
	details["changed"] = strings.Join(changed, ", ")
	return r.audit(c, action, after, details)
}
