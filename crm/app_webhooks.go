package crm

import (
	"context"
	"slices"
	"strings"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// AppWebhooks posts to the webhooks of apps.
type AppWebhooks interface {
	// Redeliver waits for its turn, and posts once what read returns then. The error is that
	// of read, or CodeThrottled when too many such POSTs are under way.
	Redeliver(ctx context.Context, read func() (AppWebhookBatch, error)) (*models.WebhookAttempt, *models.WebhookBatch, error)
	// Resumed is called after the commit when a person has resumed an endpoint. It does not
	// block.
	Resumed()
}

// AppWebhookBatch is what a delivery of a webhook has posted, and where to.
type AppWebhookBatch struct {
	App    apps.App // with its secret
	Index  int      // of the webhook
	Key    string   // that names the events
	Events string   // JSON objects, joined with commas

	names string // of the events
	count int64
}

// noAppWebhooks is the AppWebhooks of commands and tests, which post nothing.
type noAppWebhooks struct{}

var _ AppWebhooks = noAppWebhooks{}

func (noAppWebhooks) Redeliver(context.Context, func() (AppWebhookBatch, error)) (*models.WebhookAttempt, *models.WebhookBatch, error) {
	return nil, nil, Unavailable("this program posts no webhooks")
}

func (noAppWebhooks) Resumed() {}

// AppWebhookLogAge is for how long the log of a webhook is kept.
const AppWebhookLogAge = CallbackLogAge

// AppWebhookData is how a webhook of an app gets on, as answers show it. Its state is
// CallbackActive, CallbackFailing or CallbackSuspended.
type AppWebhookData struct {
	ID       string              `json:"id"`
	URL      string              `json:"url"` // without a password
	State    string              `json:"state"`
	Since    *int64              `json:"since"`    // it has failed, or is suspended, since then; unix seconds
	Failures int64               `json:"failures"` // in a row
	Waiting  int64               `json:"waiting"`  // events that are not delivered yet
	Last     *AppWebhookDelivery `json:"last"`     // the last attempt in the log; null: there is none
}

// AppWebhookDelivery is an entry of the log of a webhook: an attempt, or what was given up.
type AppWebhookDelivery struct {
	ID       int64    `json:"id"`
	Kind     string   `json:"kind"`    // delivery, redelivery or givenUp
	Batch    string   `json:"batch"`   // the same of all attempts at the same events
	Events   []string `json:"events"`  // their names, each once
	Count    int64    `json:"count"`   // of the events
	Attempt  int64    `json:"attempt"` // 0: of givenUp
	Status   *int64   `json:"status"`  // of the answer; null: none came
	OK       bool     `json:"delivered"`
	Reason   string   `json:"reason"` // why it failed, in one word
	Error    string   `json:"error"`
	Duration int64    `json:"duration"` // milliseconds
	Answer   string   `json:"answer"`   // its first bytes
	Time     int64    `json:"time"`     // unix milliseconds
}

func appWebhookDelivery(r models.WebhookAttempt) AppWebhookDelivery {
	d := AppWebhookDelivery{
		ID: r.ID, Kind: r.Kind, Batch: r.Batch, Events: []string{}, Count: r.Count, Attempt: r.Attempt, OK: r.Reason == "",
		Reason: r.Reason, Error: r.Error, Duration: r.DurationMS, Answer: r.Answer, Time: r.AtMS,
	}
	if r.Names != "" {
		d.Events = strings.Split(r.Names, ",")
	}
	if r.Status != 0 {
		d.Status = &r.Status
	}
	return d
}

// app returns an app, of the configuration or the database. A secret that was generated for
// one of the configuration is not in it.
func (r AppRules) app(tx *models.Tx, id string) (apps.App, error) {
	if app := r.configured(id); app != nil {
		return app.Clone(), nil
	}
	row, err := storedApp(tx, id)
	if err != nil {
		return apps.App{}, err
	}
	return readApp(row)
}

// webhook returns an app and the place of one of its webhooks, for somebody who may see it.
func (r AppRules) webhook(tx *models.Tx, id, webhookID string) (app apps.App, index int, err error) {
	if err := r.may(tx); err != nil {
		return app, 0, err
	}
	return r.find(tx, id, webhookID)
}

// find is webhook for anybody.
func (r AppRules) find(tx *models.Tx, id, webhookID string) (app apps.App, index int, err error) {
	if app, err = r.app(tx, id); err != nil {
		return app, 0, err
	}
	if index = slices.Index(app.WebhookIDs(), webhookID); index < 0 {
		return app, 0, notFound("webhook of this app")
	}
	return app, index, nil
}

// Webhooks lists the webhooks of an app, in its order, with how each gets on.
func (r AppRules) Webhooks(ctx context.Context, id string) ([]AppWebhookData, error) {
	tx := r.s.Store.Read(ctx)
	if err := r.may(tx); err != nil {
		return nil, err
	}
	app, err := r.app(tx, id)
	if err != nil {
		return nil, err
	}
	return appWebhookData(tx, app)
}

func appWebhookData(tx *models.Tx, app apps.App) ([]AppWebhookData, error) {
	states, err := tx.WebhookStates([]string{app.ID})
	if err != nil {
		return nil, err
	}
	waiting, err := tx.WaitingWebhooks(app.ID)
	if err != nil {
		return nil, err
	}
	ids := app.WebhookIDs()
	attempts, err := tx.LastWebhookAttempts(app.ID, ids)
	if err != nil {
		return nil, err
	}
	list := []AppWebhookData{}
	for i, hook := range hideSecrets(app.Clone().Webhooks) {
		data := AppWebhookData{ID: ids[i], URL: hook.URL, State: CallbackActive, Waiting: waiting[ids[i]]}
		for _, st := range states {
			if st.Endpoint == ids[i] {
				data.put(st)
			}
		}
		for _, a := range attempts {
			if a.Endpoint == ids[i] {
				data.Last = new(appWebhookDelivery(a))
			}
		}
		list = append(list, data)
	}
	return list, nil
}

// put writes a state into the data.
func (d *AppWebhookData) put(st models.WebhookState) {
	d.Failures = st.Failures
	switch {
	case st.SuspendedAtMS != 0:
		d.State, d.Since = CallbackSuspended, new(st.SuspendedAtMS/1000)
	case st.Failures > 0:
		d.State, d.Since = CallbackFailing, new(st.SinceMS/1000)
	}
}

// AppWebhookLogQuery asks for one page of the log of a webhook, newest first.
type AppWebhookLogQuery struct {
	PageQuery
	Failed *bool // only what was not delivered, or only what was; nil: both
}

// WebhookDeliveries lists the log of a webhook.
func (r AppRules) WebhookDeliveries(ctx context.Context, id, webhookID string, q AppWebhookLogQuery) (page Page[AppWebhookDelivery], err error) {
	tx := r.s.Store.Read(ctx)
	if err := r.may(tx); err != nil {
		return page, err
	}
	start, limit, err := q.start("webhookDeliveries", 1)
	if err != nil {
		return page, err
	}
	app, _, err := r.webhook(tx, id, webhookID)
	if err != nil {
		return page, err
	}
	find := models.WebhookLogQuery{AppID: app.ID, Endpoint: webhookID, Failed: q.Failed}
	if start != nil {
		find.Before = start[0]
	}
	rows, err := tx.WebhookLog(find, limit+1)
	if err != nil {
		return page, err
	}
	return pageOf("webhookDeliveries", rows, limit, func(r models.WebhookAttempt) []int64 { return []int64{r.ID} }, appWebhookDelivery), nil
}
