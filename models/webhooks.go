package models

import (
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Bounds of one statement, and of what is kept for people to look at.
const (
	webhookRows       = 500
	webhooksGivenUp   = 10_000
	webhookRowsInsert = 200
)

// QueuedWebhooks lists what is to be delivered of the apps, each app's in the order in
// which it was queued, without what was given up.
func (tx *Tx) QueuedWebhooks(apps []string) ([]QueuedWebhook, error) {
	return ofApps[QueuedWebhook](tx.db.Where("NOT given_up").Order("id"), apps)
}

// ofApps runs the query for the apps, as many at a time as a statement takes.
func ofApps[T any](q *gorm.DB, apps []string) (rows []T, err error) {
	q = q.Session(&gorm.Session{})
	for part := range slices.Chunk(apps, webhookRows) {
		var some []T
		if err := q.Where("app_id IN ?", part).Find(&some).Error; err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// GivenUpWebhooks lists the last of what was given up, the newest first.
func (tx *Tx) GivenUpWebhooks(limit int) ([]QueuedWebhook, error) {
	var rows []QueuedWebhook
	return rows, tx.db.Where("given_up").Order("id DESC").Limit(limit).Find(&rows).Error
}

// QueueWebhooks inserts what is to be delivered and sets the IDs, which rise.
func (tx *Tx) QueueWebhooks(rows []*QueuedWebhook) error {
	for part := range slices.Chunk(rows, webhookRowsInsert) {
		if err := tx.create(part); err != nil {
			return err
		}
	}
	return nil
}

// WebhookTried is what became of an attempt at several deliveries.
type WebhookTried struct {
	Attempts int // ever
	Error    string
	AtMS     int64 // unix milliseconds
	GivenUp  bool
}

// TriedWebhooks notes an attempt in vain. Of what was given up it keeps the newest.
func (tx *Tx) TriedWebhooks(ids []int64, t WebhookTried) error {
	for part := range slices.Chunk(ids, webhookRows) {
		err := tx.db.Exec("UPDATE app_webhook_queue SET attempts = ?, last_error = ?, tried_at_ms = ?, given_up = ? WHERE id IN ?",
			t.Attempts, t.Error, t.AtMS, t.GivenUp, part).Error
		if err != nil {
			return err
		}
	}
	if !t.GivenUp {
		return nil
	}
	return tx.db.Exec(`DELETE FROM app_webhook_queue WHERE given_up AND id <=
		(SELECT id FROM app_webhook_queue WHERE given_up ORDER BY id DESC LIMIT 1 OFFSET ?)`, webhooksGivenUp).Error
}

// DequeueWebhooks deletes what was delivered, or is not to be.
func (tx *Tx) DequeueWebhooks(ids []int64) error {
	for part := range slices.Chunk(ids, webhookRows) {
		if err := tx.db.Where("id IN ?", part).Delete(&QueuedWebhook{}).Error; err != nil {
			return err
		}
	}
	return nil
}

// AnnouncedWebhooks lists what receivers of the apps were told of and not of its end.
func (tx *Tx) AnnouncedWebhooks(apps []string) ([]AnnouncedWebhook, error) {
	return ofApps[AnnouncedWebhook](tx.db.Order("id"), apps)
}

// KeepAnnounced inserts those of the rows that are not there.
func (tx *Tx) KeepAnnounced(rows []*AnnouncedWebhook) error {
	for part := range slices.Chunk(rows, webhookRowsInsert) {
		if err := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(part).Error; err != nil {
			return err
		}
	}
	return nil
}

// ClearAnnounced deletes those of the rows that are there.
func (tx *Tx) ClearAnnounced(ids []string) error {
	for part := range slices.Chunk(ids, webhookRows) {
		if err := tx.db.Where("id IN ?", part).Delete(&AnnouncedWebhook{}).Error; err != nil {
			return err
		}
	}
	return nil
}
