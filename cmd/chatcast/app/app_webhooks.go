package app

import (
	"context"
	"errors"

	"chatcast/broadcasting/webhook"
	"chatcast/crm"
	"chatcast/models"
)

// appWebhooks is the crm.AppWebhooks of a server. The rules are there before the webhooks.
type appWebhooks struct{ of *components }

var _ crm.AppWebhooks = appWebhooks{}

// Redeliver implements crm.AppWebhooks.
func (w appWebhooks) Redeliver(ctx context.Context, read func() (crm.AppWebhookBatch, error)) (*models.WebhookAttempt, *models.WebhookBatch, error) {
	went, err := w.of.hooks.Redeliver(ctx, func() (webhook.Redelivery, error) {
		b, err := read()
		return webhook.Redelivery{App: b.App, Index: b.Index, Batch: b.Key, Events: b.Events}, err
	})
	if errors.Is(err, webhook.ErrBusy) {
		err = &crm.Error{Code: crm.CodeThrottled, Message: "too many deliveries are made again at once, and have not been answered yet", RetryAfter: 5}
	}
	if err != nil {
		return nil, nil, err
	}
	return attemptRow(&went), batchRow(&went), nil
}

// Resumed implements crm.AppWebhooks.
func (w appWebhooks) Resumed() { w.of.hooks.Resumed() }
