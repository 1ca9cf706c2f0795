package models

import (
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Limits of one statement.
const (
	webhookRows       = 500
	webhookRowsInsert = 200
)

// QueuedWebhooks lists the queued deliveries of the apps, each app's in the order in
// which they were queued, without those that an earlier version gave up.
func (tx *Tx) QueuedWebhooks(apps []string) ([]QueuedWebhook, error) {
	return ofApps[QueuedWebhook](tx.db.Where("NOT given_up").Order("id"), apps)
}

// ofApps runs the query for the apps, as many at a time as one statement takes.
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

// QueueWebhooks inserts deliveries and sets their IDs, which rise.
func (tx *Tx) QueueWebhooks(rows []*QueuedWebhook) error {
	for part := range slices.Chunk(rows, webhookRowsInsert) {
		if err := tx.create(part); err != nil {
			return err
		}
	}
	return nil
}

// WebhookTried is the result of an attempt at several deliveries.
type WebhookTried struct {
	Attempts int // attempts so far
	Error    string
	AtMS     int64 // unix milliseconds
}

// TriedWebhooks records a failed attempt.
func (tx *Tx) TriedWebhooks(ids []int64, t WebhookTried) error {
	for part := range slices.Chunk(ids, webhookRows) {
		err := tx.db.Exec("UPDATE app_webhook_queue SET attempts = ?, last_error = ?, tried_at_ms = ? WHERE id IN ?", t.Attempts, t.Error, t.AtMS, part).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// DequeueWebhooks deletes deliveries that were made, or are not to be made any more.
func (tx *Tx) DequeueWebhooks(ids []int64) error {
	for part := range slices.Chunk(ids, webhookRows) {
		if err := tx.db.Where("id IN ?", part).Delete(&QueuedWebhook{}).Error; err != nil {
			return err
		}
	}
	return nil
}

// AnnouncedWebhooks lists what was announced to receivers of the apps, without what was
// announced as ended.
func (tx *Tx) AnnouncedWebhooks(apps []string) ([]AnnouncedWebhook, error) {
	return ofApps[AnnouncedWebhook](tx.db.Order("id"), apps)
}

// KeepAnnounced inserts the rows that do not exist yet.
func (tx *Tx) KeepAnnounced(rows []*AnnouncedWebhook) error {
	for part := range slices.Chunk(rows, webhookRowsInsert) {
		if err := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(part).Error; err != nil {
			return err
		}
	}
	return nil
}

// ClearAnnounced deletes the rows with these ids that exist.
func (tx *Tx) ClearAnnounced(ids []string) error {
	for part := range slices.Chunk(ids, webhookRows) {
		if err := tx.db.Where("id IN ?", part).Delete(&AnnouncedWebhook{}).Error; err != nil {
			return err
		}
	}
	return nil
}
