package models

import (
	"errors"
	"math/rand/v2"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// What is kept of each endpoint, beside its age. What was delivered, what failed, and what was
// given up have their own room, so that none of them pushes out another.
const (
	webhookLogRows      = 1000 // of each of the three
	webhookBatchBytes   = 2 << 20
	webhookGivenUpBytes = 8 << 20

	webhookTrim = 8 // rows, after which it is time to remove older ones
)

// The three kinds of rows.
const (
	webhookGivenUp   = "attempt = 0"
	webhookFailed    = "attempt > 0 AND reason <> ''"
	webhookDelivered = "attempt > 0 AND reason = ''"
)

func (a *WebhookAttempt) room() string {
	switch {
	case a.Attempt == 0:
		return webhookGivenUp
	case a.Reason != "":
		return webhookFailed
	}
	return webhookDelivered
}

// LogWebhooks adds attempts to the log, and sets their IDs. Batches that are there already are
// left out. Of each endpoint the newest rows are kept.
func (tx *Tx) LogWebhooks(attempts []*WebhookAttempt, batches []*WebhookBatch) error {
	for part := range slices.Chunk(attempts, webhookRowsInsert) {
		if err := tx.create(part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(batches, webhookRowsInsert) {
		if err := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(part).Error; err != nil {
			return err
		}
	}
	type room struct{ app, endpoint, of string }
	grown := map[room]int{}
	for _, row := range attempts {
		grown[room{row.AppID, row.Endpoint, row.room()}]++
	}
	for r, n := range grown {
		// A few rows more do not matter, but hundreds of endpoints that are looked through at
		// each attempt do.
		if rand.N(webhookTrim) >= n {
			continue
		}
		if err := tx.trimWebhookLog(r.app, r.endpoint, r.of); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) trimWebhookLog(app, endpoint, room string) error {
	err := tx.db.Exec(`DELETE FROM app_webhook_log WHERE app_id = ? AND endpoint = ? AND `+room+` AND id <= (
		SELECT id FROM app_webhook_log WHERE app_id = ? AND endpoint = ? AND `+room+` ORDER BY id DESC LIMIT 1 OFFSET ?)`,
		app, endpoint, app, endpoint, webhookLogRows).Error
	if err != nil {
		return err
	}
	bytes, in := webhookBatchBytes, "NOT IN"
	if room == webhookGivenUp {
		bytes, in = webhookGivenUpBytes, "IN"
	}
	return tx.db.Exec(`DELETE FROM app_webhook_batches WHERE id IN (SELECT id FROM (
		SELECT id, SUM(size) OVER (ORDER BY id DESC) AS bytes, ROW_NUMBER() OVER (ORDER BY id DESC) AS place
		FROM app_webhook_batches WHERE app_id = ? AND endpoint = ? AND key `+in+` (
			SELECT batch FROM app_webhook_log WHERE app_id = ? AND endpoint = ? AND `+webhookGivenUp+`)
		) AS newer WHERE bytes > ? OR place > ?)`,
		app, endpoint, app, endpoint, bytes, webhookLogRows).Error
}

// WebhookLogQuery selects attempts at a webhook of an app.
type WebhookLogQuery struct {
	AppID, Endpoint string
	Before          int64 // only attempts with a smaller id; 0: all
	Failed          *bool // only what was not delivered, or only what was; nil: both
}

// WebhookLog lists at most limit attempts, newest first.
func (tx *Tx) WebhookLog(q WebhookLogQuery, limit int) (rows []WebhookAttempt, err error) {
	find := tx.db.Where("app_id = ? AND endpoint = ?", q.AppID, q.Endpoint)
	if q.Before > 0 {
		find = find.Where("id < ?", q.Before)
	}
	if q.Failed != nil {
		find = find.Where("(reason <> '') = ?", *q.Failed)
	}
	return rows, find.Order("id DESC").Limit(limit).Find(&rows).Error
}

// WebhookAttempt returns an attempt at a webhook of an app, or ErrNotFound.
func (tx *Tx) WebhookAttempt(app, endpoint string, id int64) (*WebhookAttempt, error) {
	return first[WebhookAttempt](tx.db.Where("id = ? AND app_id = ? AND endpoint = ?", id, app, endpoint))
}

// LastWebhookAttempts returns the last attempt at each of the endpoints that has one.
func (tx *Tx) LastWebhookAttempts(app string, endpoints []string) (rows []WebhookAttempt, err error) {
	for _, endpoint := range endpoints {
		last, err := first[WebhookAttempt](tx.db.Where("app_id = ? AND endpoint = ? AND attempt > 0", app, endpoint).Order("id DESC"))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, *last)
	}
	return rows, nil
}

// WebhookBatch returns what an attempt has posted, or ErrNotFound.
func (tx *Tx) WebhookBatch(a *WebhookAttempt) (*WebhookBatch, error) {
	return first[WebhookBatch](tx.db.Where("key = ? AND app_id = ? AND endpoint = ?", a.Batch, a.AppID, a.Endpoint))
}

// ForgetWebhookLog removes at most limit attempts from before a time in unix milliseconds, as
// many batches, and as many deliveries that an earlier version has given up. It returns how
// many of that of which there were most.
func (tx *Tx) ForgetWebhookLog(beforeMS int64, limit int) (most int64, err error) {
	for table, old := range map[string]*gorm.DB{
		"app_webhook_log":     tx.oldLog("app_webhook_log", beforeMS, limit),
		"app_webhook_batches": tx.oldLog("app_webhook_batches", beforeMS, limit),
		"app_webhook_queue":   tx.db.Model(&QueuedWebhook{}).Select("id").Where("given_up AND created_at_ms < ?", beforeMS).Order("id").Limit(limit),
	} {
		res := tx.db.Exec("DELETE FROM "+table+" WHERE id IN (?)", old)
		if res.Error != nil {
			return 0, res.Error
		}
		most = max(most, res.RowsAffected)
	}
	return most, nil
}

// oldLog selects the ids of at most limit rows of a log from before a time in unix milliseconds.
func (tx *Tx) oldLog(table string, beforeMS int64, limit int) *gorm.DB {
	return tx.db.Table(table).Select("id").Where("at_ms < ?", beforeMS).Order("at_ms").Limit(limit)
}

// WaitingWebhooks returns how many events wait for each endpoint of an app.
func (tx *Tx) WaitingWebhooks(app string) (map[string]int64, error) {
	var rows []struct {
		Endpoint string
		Events   int64
	}
	err := tx.db.Raw("SELECT endpoint, SUM(count) AS events FROM app_webhook_queue WHERE app_id = ? AND NOT given_up GROUP BY endpoint", app).Scan(&rows).Error
	waiting := make(map[string]int64, len(rows))
	for _, row := range rows {
		waiting[row.Endpoint] = row.Events
	}
	return waiting, err
}

// WebhookStates lists the states of the endpoints of the apps. An endpoint that is missing has
// never failed.
func (tx *Tx) WebhookStates(apps []string) ([]WebhookState, error) {
	return ofApps[WebhookState](tx.db.Order("app_id, endpoint"), apps)
}

// WebhookStatesOf lists the states of the endpoints of the apps that owner leases.
func (tx *Tx) WebhookStatesOf(owner string) (rows []WebhookState, err error) {
	return rows, tx.db.Where("app_id IN (SELECT app_id FROM app_webhook_leases WHERE owner = ?)", owner).Order("app_id, endpoint").Find(&rows).Error
}

// SaveWebhookStates writes the states that are of the generation in the database, or of a
// later one.
func (tx *Tx) SaveWebhookStates(rows []*WebhookState) error {
	for part := range slices.Chunk(rows, webhookRowsInsert) {
		err := tx.db.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "app_id"}, {Name: "endpoint"}},
			DoUpdates: clause.AssignmentColumns([]string{"generation", "failures", "since_ms", "suspended_at_ms"}),
			Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "app_webhook_states.generation <= excluded.generation"}}},
		}).Create(part).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// LockWebhookState returns the state of an endpoint and locks it until the transaction ends,
// or returns ErrNotFound.
func (tx *Tx) LockWebhookState(app, endpoint string) (*WebhookState, error) {
	return first[WebhookState](tx.forUpdate().Where("app_id = ? AND endpoint = ?", app, endpoint))
}

// KeepWebhooks removes what is kept of the endpoints of an app for people, except of these. Their
// states begin anew in a new generation: the process that delivers may see only later that an
// endpoint was removed, or not at all if the same one is there again.
func (tx *Tx) KeepWebhooks(app string, endpoints []string) error {
	others := tx.db.Where("app_id = ?", app)
	if len(endpoints) > 0 {
		others = others.Where("endpoint NOT IN ?", endpoints)
	}
	others = others.Session(&gorm.Session{})
	return errors.Join(
		others.Model(&WebhookState{}).Updates(map[string]any{"generation": gorm.Expr("generation + 1"), "failures": 0, "since_ms": 0, "suspended_at_ms": 0}).Error,
		others.Delete(&WebhookAttempt{}).Error,
		others.Delete(&WebhookBatch{}).Error,
	)
}
