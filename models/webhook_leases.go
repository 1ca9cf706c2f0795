package models

import (
	"slices"
	"time"

	"gorm.io/gorm/clause"
)

// Leases of webhooks are compared and set by the database's clock, which all processes
// share. Their rows are locked in the order of the apps, so that no two transactions
// deadlock.

// WebhookAppsWithRows lists the apps that have queued deliveries or announcements.
func (tx *Tx) WebhookAppsWithRows() (apps []string, err error) {
	return apps, tx.db.Raw(`SELECT app_id FROM app_webhook_queue WHERE NOT given_up
		UNION SELECT app_id FROM app_webhook_told ORDER BY app_id`).Scan(&apps).Error
}

// FreeWebhookApps lists the apps that owner could lease now. With force these are all
// of them.
func (tx *Tx) FreeWebhookApps(apps []string, owner string, force bool) ([]string, error) {
	if force {
		return apps, nil
	}
	leased, err := ofApps[WebhookLease](tx.db.Where("owner NOT IN ('', ?) AND until_ms > "+tx.clockMS(), owner), apps)
	return without(apps, leased), err
}

// without returns the apps that have no row.
func without(apps []string, rows []WebhookLease) (others []string) {
	has := make(map[string]bool, len(rows))
	for _, row := range rows {
		has[row.AppID] = true
	}
	for _, app := range apps {
		if !has[app] {
			others = append(others, app)
		}
	}
	return others
}

// TakeWebhookLeases leases to owner for ttl the apps that nobody leases, whose lease is
// over, or that owner leases already; with force, all apps. It returns the apps that
// owner leases now.
func (tx *Tx) TakeWebhookLeases(apps []string, owner string, ttl time.Duration, force bool) (taken []string, err error) {
	if _, err := tx.LockWebhookLeases(apps); err != nil {
		return nil, err
	}
	if taken, err = tx.FreeWebhookApps(apps, owner, force); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(taken, webhookRows) {
		err := tx.db.Exec("UPDATE app_webhook_leases SET owner = ?, until_ms = "+tx.clockMS()+" + ?, queued_id = 0 WHERE app_id IN ?",
			owner, ttl.Milliseconds(), part).Error
		if err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// LockWebhookLeases locks the leases of the apps until the transaction ends, and returns
// their owners. An app without an owner has the empty string.
func (tx *Tx) LockWebhookLeases(apps []string) (owners map[string]string, err error) {
	apps = slices.Compact(slices.Sorted(slices.Values(apps)))
	found, err := ofApps[WebhookLease](tx.db, apps)
	if err != nil {
		return nil, err
	}
	var rows []*WebhookLease
	for _, app := range without(apps, found) {
		rows = append(rows, &WebhookLease{AppID: app})
	}
	for part := range slices.Chunk(rows, webhookRowsInsert) {
		if err := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(part).Error; err != nil {
			return nil, err
		}
	}
	if found, err = ofApps[WebhookLease](tx.forUpdate().Order("app_id"), apps); err != nil {
		return nil, err
	}
	owners = make(map[string]string, len(found))
	for _, row := range found {
		owners[row.AppID] = row.Owner
	}
	return owners, nil
}

// RenewWebhookLeases extends all leases of owner to ttl from now, including expired
// ones that nobody else has taken. It returns their apps.
func (tx *Tx) RenewWebhookLeases(owner string, ttl time.Duration) (apps []string, err error) {
	err = tx.forUpdate().Model(&WebhookLease{}).Where("owner = ?", owner).Order("app_id").Pluck("app_id", &apps).Error
	if err != nil || len(apps) == 0 {
		return nil, err
	}
	return apps, tx.db.Exec("UPDATE app_webhook_leases SET until_ms = "+tx.clockMS()+" + ? WHERE owner = ?", ttl.Milliseconds(), owner).Error
}

// DropWebhookLeases ends owner's leases of the apps. Their rows stay, because a process
// that queues must find them to lock them.
func (tx *Tx) DropWebhookLeases(owner string, apps []string) error {
	if _, err := tx.LockWebhookLeases(apps); err != nil {
		return err
	}
	for part := range slices.Chunk(apps, webhookRows) {
		err := tx.db.Exec("UPDATE app_webhook_leases SET owner = '', until_ms = 0 WHERE owner = ? AND app_id IN ?", owner, part).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// NoteQueuedWebhook records, for the process that leases the app, that another process
// has queued up to id.
func (tx *Tx) NoteQueuedWebhook(app string, id int64) error {
	return tx.db.Exec("UPDATE app_webhook_leases SET queued_id = ? WHERE app_id = ?", id, app).Error
}

// WebhooksQueuedByOthers lists what other processes have queued for the apps that owner
// leases, with ids above those in after. An app that is not in after is left out.
func (tx *Tx) WebhooksQueuedByOthers(owner string, after map[string]int64) (queued []QueuedWebhook, err error) {
	var leases []WebhookLease
	if err := tx.db.Where("owner = ? AND queued_id > 0", owner).Order("app_id").Find(&leases).Error; err != nil {
		return nil, err
	}
	for _, lease := range leases {
		behind, ok := after[lease.AppID]
		if !ok || lease.QueuedID <= behind {
			continue
		}
		var rows []QueuedWebhook
		err := tx.db.Where("app_id = ? AND id > ? AND queued_by <> ? AND NOT given_up", lease.AppID, behind, owner).
			Order("id").Limit(webhookRows).Find(&rows).Error
		if err != nil {
			return nil, err
		}
		queued = append(queued, rows...)
	}
	return queued, nil
}
