package app

import (
	"context"
	"strings"
	"time"

	"chatcast/broadcasting/webhook"
	"chatcast/models"
)

// Report implements webhook.Store.
func (s webhookStore) Report(ctx context.Context, owner string, r *webhook.Report) error {
	return s.store.Tx(ctx, func(tx *models.Tx) error {
		if err := tx.LogWebhooks(logRows(r.Attempts)); err != nil || len(r.States) == 0 {
			return err
		}
		return saveStates(tx, owner, r.States)
	})
}

func logRows(list []webhook.Attempt) (attempts []*models.WebhookAttempt, batches []*models.WebhookBatch) {
	seen := map[string]bool{}
	for i := range list {
		a := &list[i]
		attempts = append(attempts, attemptRow(a))
		if !seen[a.Batch] {
			seen[a.Batch], batches = true, append(batches, batchRow(a))
		}
	}
	return attempts, batches
}

// saveStates stores the states of the apps that owner leases.
func saveStates(tx *models.Tx, owner string, list []webhook.State) error {
	apps := make([]string, len(list))
	for i, st := range list {
		apps[i] = st.App
	}
	owners, err := tx.LockWebhookLeases(apps)
	if err != nil {
		return err
	}
	var rows []*models.WebhookState
	for _, st := range list {
		if owners[st.App] == owner {
			rows = append(rows, &models.WebhookState{
				AppID: st.App, Endpoint: st.Endpoint, Generation: st.Generation, Failures: int64(st.Failures), SinceMS: unixMS(st.Since), SuspendedAtMS: unixMS(st.Suspended),
			})
		}
	}
	return tx.SaveWebhookStates(rows)
}

// States implements webhook.Store.
func (s webhookStore) States(ctx context.Context, owner string) ([]webhook.State, error) {
	rows, err := s.store.Read(ctx).WebhookStatesOf(owner)
	return webhookStates(rows), err
}

func webhookStates(rows []models.WebhookState) (list []webhook.State) {
	for _, row := range rows {
		list = append(list, webhook.State{
			App: row.AppID, Endpoint: row.Endpoint, Generation: row.Generation, Failures: int(row.Failures), Since: timeOf(row.SinceMS), Suspended: timeOf(row.SuspendedAtMS),
		})
	}
	return list
}

// unixMS returns t in unix milliseconds; of the zero time 0.
func unixMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf is the reverse of unixMS.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func attemptRow(a *webhook.Attempt) *models.WebhookAttempt {
	return &models.WebhookAttempt{
		AppID: a.App, Endpoint: a.Endpoint, Kind: a.Kind, Batch: a.Batch, Names: strings.Join(a.Names(), ","), Count: int64(a.Count), Attempt: int64(a.Nth),
		Status: int64(a.Status), Reason: a.Reason, Error: a.Error, DurationMS: a.Duration.Milliseconds(), Answer: a.Answer, AtMS: a.Began.UnixMilli(),
	}
}

func batchRow(a *webhook.Attempt) *models.WebhookBatch {
	return &models.WebhookBatch{
		Key: a.Batch, AppID: a.App, Endpoint: a.Endpoint, Events: a.Events, Size: int64(len(a.Events)), AtMS: a.Began.UnixMilli(),
	}
}
