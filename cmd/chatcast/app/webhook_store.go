package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"chatcast/broadcasting/webhook"
	"chatcast/models"
)

// webhookStore keeps the webhooks in the database.
type webhookStore struct{ store *models.Store }

var _ webhook.Store = webhookStore{}

// NewWebhookStore returns the store of webhooks that is over the database.
func NewWebhookStore(store *models.Store) webhook.Store { return webhookStore{store} }

// Load implements webhook.Store.
func (s webhookStore) Load(ctx context.Context) (kept webhook.Kept, err error) {
	tx := s.store.Read(ctx)
	queued, err := tx.QueuedWebhooks()
	if err != nil {
		return kept, err
	}
	for _, row := range queued {
		kept.Deliveries = append(kept.Deliveries, webhook.Delivery{
			ID: row.ID, App: row.AppID, Endpoint: row.Endpoint, Events: row.Events, Count: row.Count,
			Created: time.UnixMilli(row.CreatedAtMS), Attempts: row.Attempts,
		})
	}
	announced, err := tx.AnnouncedWebhooks()
	if err != nil {
		return kept, err
	}
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

// Commit implements webhook.Store.
func (s webhookStore) Commit(ctx context.Context, b *webhook.Batch) error {
	queued := make([]*models.QueuedWebhook, len(b.New))
	for i, d := range b.New {
		queued[i] = &models.QueuedWebhook{
			AppID: d.App, Endpoint: d.Endpoint, Events: d.Events, Count: d.Count, CreatedAtMS: d.Created.UnixMilli(),
		}
	}
	var announced []*models.AnnouncedWebhook
	for _, subject := range b.Announced {
		row := announcedRow(subject)
		announced = append(announced, &row)
	}
	var cleared []string
	for _, subject := range b.Cleared {
		cleared = append(cleared, announcedRow(subject).ID)
	}
	err := s.store.Tx(ctx, func(tx *models.Tx) error {
		if err := tx.QueueWebhooks(queued); err != nil {
			return err
		}
		for _, tried := range []struct {
			list    []webhook.Failure
			givenUp bool
		}{{b.Failed, false}, {b.GivenUp, true}} {
			for what, ids := range alike(tried.list, tried.givenUp) {
				if err := tx.TriedWebhooks(ids, what); err != nil {
					return err
				}
			}
		}
		if err := tx.DequeueWebhooks(b.Done); err != nil {
			return err
		}
		if err := tx.KeepAnnounced(announced); err != nil {
			return err
		}
		return tx.ClearAnnounced(cleared)
	})
	for i, row := range queued {
		b.New[i].ID = row.ID
	}
	return err
}

// alike groups failures that are noted alike, so that a few statements note them.
func alike(list []webhook.Failure, givenUp bool) map[models.WebhookTried][]int64 {
	groups := map[models.WebhookTried][]int64{}
	for _, f := range list {
		what := models.WebhookTried{Attempts: f.Attempts, Error: f.Reason, AtMS: f.At.UnixMilli(), GivenUp: givenUp}
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
