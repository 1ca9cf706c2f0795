package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"chatcast/broadcasting/webhook"
	"chatcast/models"
)

// webhookStore keeps the webhooks in the database.
type webhookStore struct{ store *models.Store }

var _ webhook.Store = webhookStore{}

// NewWebhookStore returns a webhook.Store on the database.
func NewWebhookStore(store *models.Store) webhook.Store { return webhookStore{store} }

// Load implements webhook.Store.
func (s webhookStore) Load(ctx context.Context, c webhook.Claim) (kept webhook.Kept, err error) {
	read, apps := s.store.Read(ctx), slices.Clone(c.Apps)
	if c.Rest {
		rest, err := read.WebhookAppsWithRows()
		if err != nil {
			return kept, err
		}
		apps = append(apps, rest...)
	}
	slices.Sort(apps)
	// A process that waits for others' leases calls Load often, so this only reads.
	if apps, err = read.FreeWebhookApps(slices.Compact(apps), c.Owner, c.Alone); err != nil || len(apps) == 0 {
		return kept, err
	}
	var queued []models.QueuedWebhook
	var announced []models.AnnouncedWebhook
	var states []models.WebhookState
	err = s.store.Tx(ctx, func(tx *models.Tx) (err error) {
		if kept.Apps, err = tx.TakeWebhookLeases(apps, c.Owner, c.TTL, c.Alone); err != nil {
			return err
		}
		if queued, err = tx.QueuedWebhooks(kept.Apps); err != nil {
			return err
		}
		if states, err = tx.WebhookStates(kept.Apps); err != nil {
			return err
		}
		announced, err = tx.AnnouncedWebhooks(kept.Apps)
		return err
	})
	if err != nil {
		return webhook.Kept{}, err
	}
	kept.Deliveries, kept.States = deliveries(queued), webhookStates(states)
	for _, row := range announced {
		subject := webhook.Subject{App: row.AppID, Member: row.Member}
		if subject.Channel, err = strconv.Unquote(row.Channel); err == nil {
			subject.User, err = strconv.Unquote(row.UserID)
		}
		if err != nil {
			return kept, fmt.Errorf("row %s of app_webhook_told: %w", row.ID, err)
		}
		kept.Announced = append(kept.Announced, subject)
	}
	return kept, nil
}

func deliveries(rows []models.QueuedWebhook) (list []webhook.Delivery) {
	for _, row := range rows {
		list = append(list, webhook.Delivery{
			ID: row.ID, App: row.AppID, Endpoint: row.Endpoint, Events: row.Events, Count: row.Count,
			Created: time.UnixMilli(row.CreatedAtMS), Attempts: row.Attempts,
		})
	}
	return list
}

// Renew implements webhook.Store.
func (s webhookStore) Renew(ctx context.Context, owner string, ttl time.Duration) (apps []string, err error) {
	err = s.store.Tx(ctx, func(tx *models.Tx) error {
		apps, err = tx.RenewWebhookLeases(owner, ttl)
		return err
	})
	return apps, err
}

// Release implements webhook.Store.
func (s webhookStore) Release(ctx context.Context, owner string, apps []string) error {
	return s.store.Tx(ctx, func(tx *models.Tx) error { return tx.DropWebhookLeases(owner, apps) })
}

// Queued implements webhook.Store.
func (s webhookStore) Queued(ctx context.Context, owner string, after map[string]int64) ([]webhook.Delivery, error) {
	rows, err := s.store.Read(ctx).WebhooksQueuedByOthers(owner, after)
	return deliveries(rows), err
}

// Commit implements webhook.Store.
func (s webhookStore) Commit(ctx context.Context, owner string, b *webhook.Batch) error {
	var queued []*models.QueuedWebhook
	err := s.store.Tx(ctx, func(tx *models.Tx) error {
		queued = queuedRows(owner, b.New) // without the ids of an attempt that was rolled back
		owners, err := lockLeases(tx, owner, b)
		if err != nil {
			return err
		}
		if err := tx.QueueWebhooks(queued); err != nil {
			return err
		}
		last := map[string]int64{} // the last row of each app that others lease
		for _, row := range queued {
			if owners[row.AppID] != owner {
				last[row.AppID] = row.ID
			}
		}
		for app, id := range last {
			if err := tx.NoteQueuedWebhook(app, id); err != nil {
				return err
			}
		}
		return keepOutcomes(tx, b)
	})
	for i, row := range queued {
		b.New[i].ID = row.ID
	}
	return err
}

func queuedRows(owner string, list []webhook.Delivery) (rows []*models.QueuedWebhook) {
	for _, d := range list {
		rows = append(rows, &models.QueuedWebhook{
			AppID: d.App, Endpoint: d.Endpoint, Events: d.Events, Count: d.Count, CreatedAtMS: d.Created.UnixMilli(), QueuedBy: owner,
		})
	}
	return rows
}

// lockLeases locks the leases of all apps of b and returns their owners. It returns a
// LeaseError if b changes what only the holder of a lease may change, and owner is not it.
func lockLeases(tx *models.Tx, owner string, b *webhook.Batch) (owners map[string]string, err error) {
	leased := b.Leased()
	apps := slices.Clone(leased)
	for _, d := range b.New {
		apps = append(apps, d.App)
	}
	if owners, err = tx.LockWebhookLeases(apps); err != nil {
		return nil, err
	}
	slices.Sort(leased)
	if lost := slices.DeleteFunc(slices.Compact(leased), func(app string) bool { return owners[app] == owner }); len(lost) > 0 {
		return nil, &webhook.LeaseError{Apps: lost}
	}
	return owners, nil
}

// keepOutcomes stores everything in b except new deliveries.
func keepOutcomes(tx *models.Tx, b *webhook.Batch) error {
	for what, ids := range alike(b.Failed) {
		if err := tx.TriedWebhooks(ids, what); err != nil {
			return err
		}
	}
	if err := tx.LogWebhooks(logRows(b.GivenUp)); err != nil {
		return err
	}
	done := make([]int64, len(b.Done))
	for i, d := range b.Done {
		done[i] = d.ID
	}
	if err := tx.DequeueWebhooks(done); err != nil {
		return err
	}
	var announced []*models.AnnouncedWebhook
	for _, subject := range b.Announced {
		row := announcedRow(subject)
		announced = append(announced, &row)
	}
	if err := tx.KeepAnnounced(announced); err != nil {
		return err
	}
	var cleared []string
	for _, subject := range b.Cleared {
		cleared = append(cleared, announcedRow(subject).ID)
	}
	return tx.ClearAnnounced(cleared)
}

// alike groups failures with equal values, so that a few statements record them.
func alike(list []webhook.Failure) map[models.WebhookTried][]int64 {
	groups := map[models.WebhookTried][]int64{}
	for _, f := range list {
		what := models.WebhookTried{Attempts: f.Attempts, Error: f.Reason, AtMS: f.At.UnixMilli()}
		groups[what] = append(groups[what], f.ID)
	}
	return groups
}

func announcedRow(s webhook.Subject) models.AnnouncedWebhook {
	row := models.AnnouncedWebhook{
		AppID: s.App, Channel: strconv.QuoteToASCII(s.Channel), Member: s.Member, UserID: strconv.QuoteToASCII(s.User),
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %t %s", row.AppID, row.Channel, row.Member, row.UserID))
	row.ID = hex.EncodeToString(sum[:])
	return row
}
