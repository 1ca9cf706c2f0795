package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// apps calls the routes of the Pusher apps.
func (w *walker) apps() {
	w.SetConfigApps([]apps.App{{ID: "configured", Key: "k"}})
	const shop = "/v1/apps/shop"
	w.steps(
		step{w.Admin, "POST /v1/apps", `{"id":"shop","name":"Shop","limits":{"sockets":5},"webhooks":[{"url":"https://h.example","events":["cache_miss"],"headers":{"X-A":"b"}}]}`, 0, "", nil},
		step{w.Owner, "POST /v1/apps", "", 0, "generated=data.id", nil},
		step{w.Owner, "POST /v1/apps", `{"id":"shop"}`, 409, "", nil},
		step{w.Owner, "POST /v1/apps", `{"limits":{"socket":5}}`, 422, "", nil},
		step{w.Owner, "GET /v1/apps", "", 0, "", nil},
		step{w.Owner, "GET " + shop, "", 0, "", nil},
		step{w.Owner, "GET /v1/apps/configured", "", 0, "", nil},
		step{w.Owner, "PATCH " + shop, `{"enabled":false,"allowedOrigins":["https://a.example"],"clientEvents":false,"subscriptionCount":true,"userAuthentication":true}`, 0, "", nil},
		step{w.Owner, "POST " + shop + "/rotate", "", 0, "", nil},
		step{w.Owner, "POST " + shop + "/rotate", `{"keepOld":0}`, 0, "", nil},
		step{w.Owner, "POST " + shop + "/rotate", `{"keepOld":2592001}`, 422, "", nil},
		step{w.Owner, "GET " + shop + "/webhooks", "", 0, "", nil},
	)
	w.webhooks(shop)
	w.steps(
		step{w.Owner, "DELETE /v1/apps/{generated}", "", 0, "", nil},
		step{w.Operator, "GET /v1/apps", "", 403, "", nil},
	)
	for _, request := range []string{
		"GET /v1/apps/%/webhooks", "GET /v1/apps/%/webhooks/x/deliveries", "POST /v1/apps/%/webhooks/x/redeliver", "POST /v1/apps/%/webhooks/x/resume",
	} {
		for _, id := range []string{"shop", "configured", "none"} {
			w.steps(step{w.Stranger, strings.Replace(request, "%", id, 1), `{"deliveryId":"x"`, 403, "", nil})
		}
		w.steps(step{w.Owner, strings.Replace(request, "%", "none", 1), `{"deliveryId":1}`, 404, "", nil})
	}
	for _, request := range []string{"GET /v1/apps/%", "PATCH /v1/apps/%", "DELETE /v1/apps/%", "POST /v1/apps/%/rotate"} {
		for id, want := range map[string]int{"shop": 403, "configured": 403, "none": 403} {
			w.steps(step{w.Stranger, strings.Replace(request, "%", id, 1), `{"enabled":1`, want, "", nil})
		}
		w.steps(step{w.Owner, strings.Replace(request, "%", "none", 1), "{}", 404, "", nil})
		if !strings.HasPrefix(request, "GET") {
			w.steps(step{w.Owner, strings.Replace(request, "%", "configured", 1), "{}", 409, "", nil})
		}
	}
}

// webhooks tests the routes of the one webhook of an app, which has failed.
func (w *walker) webhooks(app string) {
	list, err := w.Apps(w.Owner).Webhooks(context.Background(), "shop")
	if err != nil {
		w.t.Fatal(err)
	}
	rows := []*models.WebhookAttempt{
		{AppID: "shop", Endpoint: list[0].ID, Kind: "delivery", Batch: "b", Names: "cache_miss", Count: 1, Attempt: 1, Status: 500, Reason: "status", Error: "answered 500"},
		{AppID: "shop", Endpoint: list[0].ID, Kind: "givenUp", Batch: "gone", Names: "cache_miss,channel_occupied", Count: 2, Reason: "status", Error: "answered 500"},
	}
	w.Tx(w.t, func(tx *models.Tx) error {
		return errors.Join(
			tx.LogWebhooks(rows, []*models.WebhookBatch{{Key: "b", AppID: "shop", Endpoint: list[0].ID, Events: "{}", Size: 2}}),
			tx.SaveWebhookStates([]*models.WebhookState{{AppID: "shop", Endpoint: list[0].ID, Failures: 9, SinceMS: 1637319282000, SuspendedAtMS: 1637319300000}}),
		)
	})
	hook := app + "/webhooks/" + list[0].ID
	w.steps(
		step{w.Owner, "GET " + app + "/webhooks", "", 0, "", nil},
		step{w.Owner, "GET " + hook + "/deliveries", "", 0, "", nil},
		step{w.Owner, "GET " + hook + "/deliveries?failed=false&limit=1", "", 0, "", nil},
		step{w.Owner, "GET " + hook + "/deliveries?failed=maybe", "", 422, "", nil},
		step{w.Owner, "GET " + app + "/webhooks/x/deliveries", "", 404, "", nil},
		step{w.Owner, "POST " + hook + "/redeliver", fmt.Sprintf(`{"deliveryId":%d}`, rows[0].ID), 0, "", nil},
		step{w.Owner, "POST " + hook + "/redeliver", fmt.Sprintf(`{"deliveryId":%d}`, rows[1].ID), 409, "", nil},
		step{w.Owner, "POST " + hook + "/redeliver", `{"deliveryId":4711000}`, 404, "", nil},
		step{w.Owner, "POST " + hook + "/redeliver", `{}`, 422, "", nil},
		step{w.Admin, "POST " + hook + "/resume", "", 0, "", nil},
		step{w.Admin, "POST " + hook + "/resume", "", 0, "", nil},
	)
}

// A secret is in two answers only, which must not be cached.
func TestAppSecretsAreShownOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		ask := func(method, path, body string) (string, http.Header) {
			t.Helper()
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
			r.Header.Set("Authorization", o.Token(o.Owner))
			rec := httptest.NewRecorder()
			o.ServeHTTP(rec, r)
			if rec.Code != http.StatusOK {
				t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
			}
			return rec.Body.String(), rec.Header()
		}
		var secrets []string
		for _, path := range []string{"/v1/apps", "/v1/apps/shop/rotate", "/v1/apps/shop/rotate"} {
			var answer struct{ Data crm.AppWithSecret }
			text, header := ask("POST", path, `{"id":"shop"}`)
			if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Data.Secret) != 64 || slices.Contains(secrets, answer.Data.Secret) {
				t.Errorf("%s: %s, %v", path, text, err)
			}
			for _, old := range secrets {
				if strings.Contains(text, old) {
					t.Errorf("%s tells an old secret: %s", path, text)
				}
			}
			if header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be cached", path)
			}
			secrets = append(secrets, answer.Data.Secret)
		}
		for _, request := range [][3]string{
			{"GET", "/v1/apps", ""}, {"GET", "/v1/apps/shop", ""}, {"PATCH", "/v1/apps/shop", `{"enabled":false}`}, {"DELETE", "/v1/apps/shop", ""},
		} {
			text, _ := ask(request[0], request[1], request[2])
			for _, secret := range append(secrets, `"secret"`) {
				if strings.Contains(text, secret) {
					t.Errorf("%v: %s", request, text)
				}
			}
		}
	})
}

// Errors of wrong types name the field, as everywhere.
func TestAppBodies(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		for body, field := range map[string]string{
			`[]`: "body", `{`: "body", `"x"`: "body", `{"id":5}`: "id", `{"name":[]}`: "name", `{"enabled":"yes"}`: "enabled",
			`{"allowedOrigins":"https://a.example"}`: "allowedOrigins", `{"limits":[]}`: "limits", `{"limits":{"sockets":{}}}`: "limits.sockets",
			`{"webhooks":{}}`: "webhooks", `{"webhooks":[{"url":1}]}`: "webhooks.url",
		} {
			a := o.as(t, o.Owner, "POST", "/v1/apps", body)
			a.want(t, body, 422, "ApiValidationError")
			if a.Error.Fields[field] == "" {
				t.Errorf("%s: %s, want a violation of %s", body, a.Body, field)
			}
		}
		for _, body := range []string{`{"keepOld":"1h"}`, `{"keepOld":1.5}`} {
			a := o.as(t, o.Owner, "POST", "/v1/apps/none/rotate", body)
			a.want(t, body, 422, "ApiValidationError")
			if a.Error.Fields["keepOld"] == "" {
				t.Errorf("%s: %s", body, a.Body)
			}
		}
	})
}
