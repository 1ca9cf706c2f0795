package crm_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// The API accepts the same values as the configuration file, up to the same limits.
func TestAppsTakeWhatTheFileTakes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _, _ := withApps(t, store)
		app := apps.Default()
		app.Name = strings.Repeat("ü", apps.MaxName)
		for i := range 200 {
			app.AllowedOrigins = append(app.AllowedOrigins, fmt.Sprintf("https://%d.%s.example", i, strings.Repeat("a", 300)))
		}
		hook := apps.Webhook{URL: "https://a.example/" + strings.Repeat("ü", apps.MaxWebhookURL-18), Events: apps.WebhookEvents(), Headers: map[string]string{}}
		for i := range apps.MaxWebhookHeaders {
			hook.Headers[fmt.Sprint("X-", i)] = "ü"
		}
		for i := range apps.MaxWebhookChannels {
			hook.Channels = append(hook.Channels, fmt.Sprintf("%0200d", i))
		}
		app.Webhooks = slices.Repeat([]apps.Webhook{hook}, apps.MaxWebhooks)
		app.History = slices.Repeat([]apps.History{{Channels: fmt.Sprintf("%0199d*", 1), Retention: "2160h", Signed: true}}, apps.MaxHistories)
		if err := app.Limits.Set("presence_user_bytes", 1); err != nil {
			t.Fatal(err)
		}
		made, err := w.HostApps().Create(t.Context(), crm.AppInput{
			Name: crm.Value(app.Name), AllowedOrigins: crm.Value(app.AllowedOrigins), Webhooks: crm.Value(app.Webhooks), History: crm.Value(app.History),
			Limits: crm.Value(crm.LimitChanges{"presence_user_bytes": json.RawMessage("1")}),
		})
		if err != nil {
			t.Fatal(err)
		}
		app.ID, app.Key = made.ID, made.Key
		if err := app.Check().Err(); err != nil {
			t.Errorf("the file refuses it: %v", err)
		}
		got := servedApp(t, w, made.ID)
		app.Secret, app.Made, app.Updated, app.OldSecretUntil = got.Secret, got.Made, got.Updated, got.OldSecretUntil
		if !reflect.DeepEqual(got, app) {
			t.Error("what is served is not what was sent")
		}
	})
}

// An invalid setting of a stored app does not prevent changes of its other settings.
func TestAppsWithAnOldViolationCanBeEdited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _, _ := withApps(t, store)
		w.Tx(t, func(tx *models.Tx) error {
			return tx.CreateApp(&models.App{ID: "old", Key: "old", Secret: "s", Enabled: true, AllowedOrigins: `["null"]`, Limits: `{"sockets":-1}`, Webhooks: "[]", History: "[]"})
		})
		edited, err := w.HostApps().Edit(t.Context(), "old", crm.AppInput{Enabled: crm.Value(false)})
		if err != nil || edited.Enabled {
			t.Errorf("%+v, %v", edited, err)
		}
		_, err = w.HostApps().Edit(t.Context(), "old", input(t, `{"limits":{"event_bytes":-1}}`))
		expectField(t, "a violation of its own", err, "limits.event_bytes")
	})
}
