package crm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// appPoster records what is delivered again.
type appPoster struct {
	events  []string
	meet    func() // called when the turn of a redelivery has come
	posted  func() // called when it has been posted
	resumed int
}

func (p *appPoster) Resumed() { p.resumed++ }

func (p *appPoster) Redeliver(_ context.Context, read func() (crm.AppWebhookBatch, error)) (*models.WebhookAttempt, *models.WebhookBatch, error) {
	if p.meet != nil {
		p.meet()
	}
	b, err := read()
	if err != nil {
		return nil, nil, err
	}
	p.events = append(p.events, b.Events)
	if p.posted != nil {
		p.posted()
	}
	app, endpoint := b.App.ID, b.App.WebhookIDs()[b.Index]
	return &models.WebhookAttempt{AppID: app, Endpoint: endpoint, Kind: "redelivery", Batch: b.Key, Attempt: 1, Status: 500, Reason: "status", Error: "answered 500", Answer: "no", AtMS: 9},
		&models.WebhookBatch{Key: b.Key, AppID: app, Endpoint: endpoint, Events: b.Events}, nil
}

// hooked is an app with a suspended webhook, which has a log.
type hooked struct {
	*crmtest.World
	poster *appPoster
	id     string // of the webhook
	log    []*models.WebhookAttempt
}

func newHooked(t *testing.T, store *models.Store) *hooked {
	t.Helper()
	w, _, _ := withApps(t, store)
	h := &hooked{World: w, poster: &appPoster{}}
	w.AppWebhooks = h.poster
	made, err := w.Apps(w.Admin).Create(t.Context(), input(t, `{"id":"shop","name":"Shop","webhooks":[{"url":"https://h.example/first"},{"url":"https://h.example/x?key=URLSECRET"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	app := servedApp(t, w, made.ID)
	h.id = app.WebhookIDs()[1]
	w.Tx(t, func(tx *models.Tx) error {
		h.log = []*models.WebhookAttempt{
			{AppID: "shop", Endpoint: h.id, Kind: "delivery", Batch: "b1", Names: "cache_miss,channel_occupied", Count: 2, Attempt: 1, Status: 200, Answer: "fine", AtMS: 5},
			{AppID: "shop", Endpoint: h.id, Kind: "delivery", Batch: "b2", Names: "cache_miss", Count: 1, Attempt: 4, Status: 0, Reason: "timeout", Error: "no answer within 5s", DurationMS: 5000, AtMS: 6},
			{AppID: "shop", Endpoint: h.id, Kind: "givenUp", Batch: "b3", Names: "cache_miss", Count: 7, Reason: "timeout", Error: "no answer within 5s", AtMS: 7},
		}
		return errors.Join(
			tx.LogWebhooks(h.log, []*models.WebhookBatch{{Key: "b1", AppID: "shop", Endpoint: h.id, Events: `{"name":"channel_occupied","channel":"a"},{"name":"cache_miss","channel":"b"}`}}),
			tx.SaveWebhookStates([]*models.WebhookState{{AppID: "shop", Endpoint: h.id, Generation: 1, Failures: 90, SinceMS: 5_000, SuspendedAtMS: 90_000}}),
			tx.QueueWebhooks([]*models.QueuedWebhook{{AppID: "shop", Endpoint: h.id, Events: "{}", Count: 3}, {AppID: "shop", Endpoint: h.id, Events: "{}", Count: 4}}),
		)
	})
	return h
}

// Owners and admins of the company that runs the server see how webhooks get on, also those of
// the configuration; nobody else does, whether an app exists or not.
func TestWebhooksOfApps(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHooked(t, store)
		ctx, mine := t.Context(), h.Apps(h.Admin)
		list, err := mine.Webhooks(ctx, "shop")
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		if first := list[0]; first.State != crm.CallbackActive || first.Since != nil || first.Last != nil || first.Waiting != 0 || first.URL != "https://h.example/first" {
			t.Errorf("the first one is %+v", first)
		}
		if second := list[1]; second.ID != h.id || second.State != crm.CallbackSuspended || *second.Since != 90 || second.Failures != 90 || second.Waiting != 7 ||
			second.Last == nil || second.Last.ID != h.log[1].ID || second.Last.Status != nil || second.Last.Error != "no answer within 5s" {
			t.Errorf("the second one is %+v", second)
		}
		log := func(q crm.AppWebhookLogQuery) (ids []int64, next *string) {
			t.Helper()
			page, err := mine.WebhookDeliveries(ctx, "shop", h.id, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page.Items {
				ids = append(ids, d.ID)
			}
			return ids, page.NextPage
		}
		newest, next := log(crm.AppWebhookLogQuery{PageQuery: crm.PageQuery{Limit: 2}})
		rest, _ := log(crm.AppWebhookLogQuery{PageQuery: crm.PageQuery{Limit: 2, NextPage: *next}})
		failed, _ := log(crm.AppWebhookLogQuery{Failed: new(true)})
		if !slices.Equal(newest, []int64{h.log[2].ID, h.log[1].ID}) || !slices.Equal(rest, []int64{h.log[0].ID}) || !slices.Equal(failed, newest) {
			t.Errorf("the log has %v, then %v; failed are %v", newest, rest, failed)
		}
		h.SetConfigApps([]apps.App{{ID: "1", Key: "configured", Webhooks: []apps.Webhook{{URL: "https://me:PASSWORD@h.example/"}}}})
		if list, err := mine.Webhooks(ctx, "1"); err != nil || len(list) != 1 || strings.Contains(list[0].URL, "PASSWORD") {
			t.Errorf("those of the configuration are %+v, %v", list, err)
		}
		for _, id := range []string{"shop", "1", "none", "a/b"} {
			rules := h.Apps(h.Operator)
			_, list := rules.Webhooks(ctx, id)
			_, log := rules.WebhookDeliveries(ctx, id, h.id, crm.AppWebhookLogQuery{})
			_, again := rules.RedeliverWebhook(ctx, id, h.id, h.log[0].ID)
			_, resume := rules.ResumeWebhook(ctx, id, h.id)
			for _, err := range []error{list, log, again, resume} {
				expectCode(t, id+" by an operator", err, crm.CodeDenied)
			}
		}
		_, err = mine.Webhooks(ctx, "none")
		expectCode(t, "an app that is not there", err, crm.CodeNotFound)
		_, err = mine.WebhookDeliveries(ctx, "1", h.id, crm.AppWebhookLogQuery{})
		expectCode(t, "a webhook of another app", err, crm.CodeNotFound)
	})
}

func TestRedeliverWebhook(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHooked(t, store)
		ctx, seen, mine := from(t, "203.0.113.7"), 0, h.Apps(h.Admin)
		audited(t, h.World, &seen)
		d, err := mine.RedeliverWebhook(ctx, "shop", h.id, h.log[0].ID)
		if err != nil || d.Kind != "redelivery" || d.OK || *d.Status != 500 || d.Answer != "no" || d.Batch != h.log[0].Batch || d.Count != 2 || !slices.Equal(d.Events, []string{"cache_miss", "channel_occupied"}) {
			t.Errorf("%+v, %v", d, err)
		}
		if len(h.poster.events) != 1 || !strings.HasPrefix(h.poster.events[0], `{"name":"channel_occupied","channel":"a"},{`) {
			t.Errorf("posted is %q", h.poster.events)
		}
		got := audited(t, h.World, &seen)
		if len(got) != 1 || !strings.HasPrefix(got[0], "webhook.redelivered by user admin@test.test, app Shop, from 203.0.113.7, delivered:false deliveryId:") ||
			!strings.HasSuffix(got[0], " webhook:h.example") || strings.Contains(got[0], "URLSECRET") {
			t.Errorf("the log says %q", got)
		}
		page, err := mine.WebhookDeliveries(ctx, "shop", h.id, crm.AppWebhookLogQuery{})
		if err != nil || len(page.Items) != 4 || page.Items[0].ID != d.ID {
			t.Errorf("the log of the webhook is %+v, %v", page, err)
		}
		if _, err := mine.RedeliverWebhook(ctx, "shop", h.id, d.ID); err != nil { // a redelivery again
			t.Error(err)
		}
		_, err = mine.RedeliverWebhook(ctx, "shop", h.id, h.log[1].ID)
		expectCode(t, "what is no longer kept", err, crm.CodeConflict)
		_, err = mine.RedeliverWebhook(ctx, "shop", h.id, 4711)
		expectCode(t, "what was never there", err, crm.CodeNotFound)
		// What changes while it waits for its turn counts.
		h.poster.meet = func() {
			if _, err := mine.Edit(ctx, "shop", input(t, `{"webhooks":[]}`)); err != nil {
				t.Error(err)
			}
		}
		posted := len(h.poster.events)
		_, err = mine.RedeliverWebhook(ctx, "shop", h.id, h.log[0].ID)
		expectCode(t, "to a webhook that is removed meanwhile", err, crm.CodeNotFound)
		if len(h.poster.events) != posted {
			t.Error("it was posted to a webhook that is gone")
		}
	})
}

// Who has posted is told so also while the database does not take that, and the server's log is.
func TestRedeliveryThatIsNotNoted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHooked(t, store)
		var log bytes.Buffer
		h.Log = slog.New(slog.NewTextHandler(&log, nil))
		db, _, err := store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		h.poster.posted = func() {
			if _, err := db.ExecContext(t.Context(), "ALTER TABLE app_webhook_log RENAME TO away"); err != nil {
				t.Error(err)
			}
		}
		_, err = h.Apps(h.Admin).RedeliverWebhook(t.Context(), "shop", h.id, h.log[0].ID)
		expectCode(t, "a redelivery that is not noted", err, crm.CodeUnavailable)
		if err == nil || !strings.Contains(err.Error(), "it was posted, and was not taken (answered 500), but") {
			t.Errorf("the person is told: %v", err)
		}
		if text := log.String(); !strings.Contains(text, "by=") || !strings.Contains(text, "to=h.example") || strings.Contains(text, "URLSECRET") {
			t.Errorf("the server's log says %s", text)
		}
	})
}

// A webhook that is removed while it is posted to has no log any more. Who has posted is still
// told, and in the audit log.
func TestRedeliveryToWhatIsRemoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHooked(t, store)
		ctx, seen, mine := from(t, "203.0.113.7"), 0, h.Apps(h.Admin)
		audited(t, h.World, &seen)
		h.poster.posted = func() {
			if err := mine.Delete(ctx, "shop"); err != nil {
				t.Error(err)
			}
		}
		d, err := mine.RedeliverWebhook(ctx, "shop", h.id, h.log[0].ID)
		if err != nil || d.Kind != "redelivery" || *d.Status != 500 {
			t.Errorf("%+v, %v", d, err)
		}
		if got := audited(t, h.World, &seen); len(got) != 2 || !strings.HasPrefix(got[1], "webhook.redelivered by user admin@test.test, app Shop, ") {
			t.Errorf("the audit log says %q", got)
		}
		if rows, err := store.Read(ctx).WebhookLog(models.WebhookLogQuery{AppID: "shop", Endpoint: h.id}, 10); err != nil || len(rows) > 0 {
			t.Errorf("the log of the app that is gone is %+v: %v", rows, err)
		}
	})
}

func TestResumeWebhook(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHooked(t, store)
		ctx, seen, mine := from(t, "203.0.113.7"), 0, h.Apps(h.Admin)
		audited(t, h.World, &seen)
		for range 2 { // the second time it is active
			data, err := mine.ResumeWebhook(ctx, "shop", h.id)
			if err != nil || data.ID != h.id || data.State != crm.CallbackActive || data.Failures != 0 || data.Since != nil || data.Waiting != 7 {
				t.Errorf("%+v, %v", data, err)
			}
		}
		if got := audited(t, h.World, &seen); len(got) != 1 || got[0] != "webhook.resumed by user admin@test.test, app Shop, from 203.0.113.7, stateBefore:suspended webhook:h.example" {
			t.Errorf("the log says %q", got)
		}
		if h.poster.resumed != 1 {
			t.Errorf("it was told %d times", h.poster.resumed)
		}
		// A state from before does not suspend it again.
		h.Tx(t, func(tx *models.Tx) error {
			return tx.SaveWebhookStates([]*models.WebhookState{{AppID: "shop", Endpoint: h.id, Generation: 1, Failures: 91, SuspendedAtMS: 91_000}})
		})
		if list, err := mine.Webhooks(ctx, "shop"); err != nil || list[1].State != crm.CallbackActive {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// A webhook whose URL is changed is another one. Old entries go with the sweeper.
func TestWebhookLogsAreForgotten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHooked(t, store)
		ctx, mine := t.Context(), h.Apps(h.Admin)
		size := func() int {
			t.Helper()
			page, err := mine.WebhookDeliveries(ctx, "shop", h.id, crm.AppWebhookLogQuery{})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Items)
		}
		h.Tx(t, func(tx *models.Tx) error {
			return tx.LogWebhooks([]*models.WebhookAttempt{{AppID: "shop", Endpoint: h.id, Kind: "delivery", Batch: "new", AtMS: time.Now().UnixMilli()}}, nil)
		})
		if _, err := mine.Edit(ctx, "shop", input(t, `{"name":"Other","webhooks":[{"url":"https://h.example/x?key=URLSECRET","single":true}]}`)); err != nil || size() != 4 {
			t.Errorf("%d entries after other changes: %v", size(), err)
		}
		if err := h.Sweep(ctx); err != nil || size() != 1 {
			t.Errorf("%d entries after a week: %v", size(), err)
		}
		for _, list := range []string{`[]`, `[{"url":"https://h.example/x?key=URLSECRET"}]`} {
			if _, err := mine.Edit(ctx, "shop", input(t, `{"webhooks":`+list+`}`)); err != nil {
				t.Fatal(err)
			}
		}
		// The process that delivers has not seen that it was removed, and reports what it knows.
		h.Tx(t, func(tx *models.Tx) error {
			return tx.SaveWebhookStates([]*models.WebhookState{{AppID: "shop", Endpoint: h.id, Generation: 1, Failures: 91, SuspendedAtMS: 91_000}})
		})
		if list, err := mine.Webhooks(ctx, "shop"); err != nil || list[0].State != crm.CallbackActive || size() != 0 {
			t.Errorf("made anew it has %d entries, and is %+v: %v", size(), list, err)
		}
	})
}
