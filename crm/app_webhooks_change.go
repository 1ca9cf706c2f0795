package crm

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// RedeliverWebhook posts what a delivery has posted, or what was given up, once more, at once
// and whatever waits, and returns how that went.
func (r AppRules) RedeliverWebhook(ctx context.Context, id, webhookID string, deliveryID int64) (d AppWebhookDelivery, err error) {
	if _, err := r.batch(ctx, id, webhookID, deliveryID); err != nil { // before it takes a turn
		return d, err
	}
	var before AppWebhookBatch
	went, batch, err := r.s.AppWebhooks.Redeliver(ctx, func() (AppWebhookBatch, error) {
		before, err = r.batch(ctx, id, webhookID, deliveryID)
		return before, err
	})
	if err != nil {
		return d, err
	}
	err = r.s.change(context.WithoutCancel(ctx), func(c *change) error {
		row, kept := *went, *batch // without the ids of a transaction that was rolled back
		row.Names, row.Count = before.names, before.count
		_, _, err := r.find(c.tx, id, webhookID)
		if err == nil {
			err = c.tx.LogWebhooks([]*models.WebhookAttempt{&row}, []*models.WebhookBatch{&kept})
		}
		if err != nil && !isNotFound(err) { // it may have been removed meanwhile, and its log with it
			return err
		}
		d = appWebhookDelivery(row)
		return r.auditWebhook(c, AuditWebhookRedelivered, before.App, before.Index, map[string]string{
			"deliveryId": strconv.FormatInt(deliveryID, 10), "delivered": strconv.FormatBool(d.OK),
		})
	})
	return d, r.s.unnoted(ctx, err, r.by, before.App.Webhooks[before.Index].URL, went.Error)
}

// unnoted returns what to tell a person whose POST could not be logged because of err: that it
// was made all the same. nil: it is logged.
func (s *Service) unnoted(ctx context.Context, err error, by auditor, url, failure string) error {
	if err == nil {
		return nil
	}
	s.Log.ErrorContext(ctx, "a webhook was posted once more, and no log could take that", "error", err, "by", by.String(), "to", callbackHost(url), "failure", failure)
	how := "was taken"
	if failure != "" {
		how = "was not taken (" + failure + ")"
	}
	return Unavailable("it was posted, and " + how + ", but the database could not note that: look before you post it again")
}

// batch returns what a delivery has posted, for somebody who may post it again.
func (r AppRules) batch(ctx context.Context, id, webhookID string, deliveryID int64) (b AppWebhookBatch, err error) {
	tx := r.s.Store.Read(ctx)
	if b.App, b.Index, err = r.webhook(tx, id, webhookID); err != nil {
		return b, err
	}
	row, err := tx.WebhookAttempt(id, webhookID, deliveryID)
	if err != nil {
		return b, orNotFound(err, "delivery of this webhook")
	}
	kept, err := tx.WebhookBatch(row)
	if errors.Is(err, models.ErrNotFound) {
		return b, conflict("what this delivery posted is no longer kept: many or large ones came after it")
	}
	if err == nil && b.App.Secret == "" { // of the configuration
		b.App.Secret, err = r.s.AppSecret(ctx, id)
	}
	if err != nil {
		return b, err
	}
	b.Key, b.Events, b.names, b.count = kept.Key, kept.Events, row.Names, row.Count
	return b, nil
}

// ResumeWebhook sends again to a webhook that is suspended, or tries a failing one at once.
func (r AppRules) ResumeWebhook(ctx context.Context, id, webhookID string) (data AppWebhookData, err error) {
	var app apps.App
	var index int
	err = r.s.change(ctx, func(c *change) error {
		if app, index, err = r.webhook(c.tx, id, webhookID); err != nil {
			return err
		}
		st, err := c.tx.LockWebhookState(app.ID, webhookID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
		if err == nil && st.Failures > 0 {
			var was AppWebhookData
			was.put(*st)
			next := models.WebhookState{AppID: app.ID, Endpoint: webhookID, Generation: st.Generation + 1}
			details := map[string]string{"stateBefore": was.State}
			if err := errors.Join(c.tx.SaveWebhookStates([]*models.WebhookState{&next}), r.auditWebhook(c, AuditWebhookResumed, app, index, details)); err != nil {
				return err
			}
			c.after = append(c.after, r.s.AppWebhooks.Resumed)
		}
		return nil
	})
	if err != nil {
		return data, err
	}
	list, err := appWebhookData(r.s.Store.Read(ctx), app) // not in the transaction: it looks through the queue
	if err != nil {
		return data, err
	}
	return list[index], nil
}

// auditWebhook writes an entry about a webhook of an app, which it names by its host, because
// the rest of the URL may be secret.
func (r AppRules) auditWebhook(c *change, action string, app apps.App, index int, details map[string]string) error {
	details["webhook"] = callbackHost(app.Webhooks[index].URL)
	return c.auditServer(audited{action: action, by: r.by, on: target{targetApp, app.ID, app.Name}, details: details})
}

// keepWebhooks removes what is kept of the webhooks that an app has no more.
func keepWebhooks(tx *models.Tx, before, after apps.App) error {
	ids := after.WebhookIDs()
	if strings.Join(before.WebhookIDs(), " ") == strings.Join(ids, " ") {
		return nil
	}
	return tx.KeepWebhooks(after.ID, ids)
}

func (s *Service) forgetWebhookLogs(ctx context.Context) (n int64, err error) {
	err = s.change(ctx, func(c *change) error {
		n, err = c.tx.ForgetWebhookLog(time.Now().Add(-AppWebhookLogAge).UnixMilli(), sweepBatch)
		return err
	})
	return n, err
}
