package crm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
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

// input decodes an AppInput from JSON, as a client sends it.
func input(t testing.TB, text string) (in crm.AppInput) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// withApps returns a world with an app in its configuration, its log, and the number
// of changes that came into force.
func withApps(t *testing.T, store *models.Store) (w *crmtest.World, log *bytes.Buffer, notified *int) {
	w = crmtest.New(t, store)
	log, notified = &bytes.Buffer{}, new(int)
	w.Log = slog.New(slog.NewTextHandler(log, nil))
	w.SetConfigApps([]apps.App{{ID: "1", Key: "configured", Enabled: true}})
	w.OnAppsChanged(func(context.Context) { *notified++ })
	return w, log, notified
}

func TestAppsLife(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, log, notified := withApps(t, store)
		apps, ctx := w.Apps(w.Admin), t.Context()
		made, err := apps.Create(ctx, input(t, `{"name":"Shop","limits":{"sockets":5},"allowedOrigins":["https://a.example","https://a.example"]}`))
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[1-9]\d{9}$`).MatchString(made.ID) || !regexp.MustCompile(`^[0-9a-f]{20}$`).MatchString(made.Key) ||
			!regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(made.Secret) || !made.Enabled || !made.ClientEvents || made.Limits.Sockets != 5 ||
			!slices.Equal(made.AllowedOrigins, []string{"https://a.example"}) || *made.CreatedAt != crmtest.Start {
			t.Errorf("made: %+v", made.AppData)
		}
		w.Clock.Advance(time.Hour)
		edited, err := apps.Edit(ctx, made.ID, input(t, `{"enabled":false,"limits":{"event_bytes":7},"webhooks":[{"url":"https://h.example/x","headers":{"X-Key":"hidden-value"}}]}`))
		if err != nil || edited.Enabled || edited.Name != "Shop" || edited.Limits.Sockets != 5 || edited.Limits.EventBytes != 7 || *edited.UpdatedAt != crmtest.Start+3600 {
			t.Errorf("edited: %+v, %v", edited, err)
		}
		if h := edited.Webhooks[0]; h.URL != "https://h.example/x" || h.Headers["X-Key"] != crm.HiddenHeader || len(h.Events) != 0 {
			t.Errorf("the webhook: %+v", h)
		}
		// A hidden header that is sent back keeps its value.
		if _, err := apps.Edit(ctx, made.ID, input(t, `{"webhooks":[{"url":"https://h.example/x","events":["cache_miss","cache_miss"],"channels":["private-"],"single":true,"headers":{"X-Key":"********","X-New":"n"}}]}`)); err != nil {
			t.Error(err)
		}
		rotated, err := apps.Rotate(ctx, made.ID, crm.RotateInput{})
		if err != nil || rotated.Secret == made.Secret || *rotated.OldSecretUntil != crmtest.Start+3600+86400 {
			t.Errorf("rotated: %+v, %v", rotated.AppData, err)
		}
		stored := servedApp(t, w, made.ID)
		if stored.Secret != rotated.Secret || stored.OldSecret != made.Secret || stored.OldSecretUntil.Unix() != *rotated.OldSecretUntil ||
			stored.Webhooks[0].Headers["X-Key"] != "hidden-value" || stored.Webhooks[0].Headers["X-New"] != "n" ||
			len(stored.Webhooks[0].Events) != 1 || !slices.Equal(stored.Webhooks[0].Channels, []string{"private-"}) || !stored.Webhooks[0].Single {
			t.Errorf("served: %+v, old until %v", stored, stored.OldSecretUntil)
		}
		list, err := apps.List(ctx)
		if err != nil || len(list) != 2 || list[0].ID != "1" || list[1].ID != made.ID {
			t.Errorf("list: %+v, %v", list, err)
		}
		// When its time is over, the old secret is no longer shown, and then deleted.
		w.Clock.Advance(24 * time.Hour)
		if got, err := apps.Get(ctx, made.ID); err != nil || got.OldSecretUntil != nil {
			t.Errorf("later: %+v, %v", got, err)
		}
		if err := w.Sweep(ctx); err != nil || servedApp(t, w, made.ID).OldSecret != "" {
			t.Errorf("swept: %v", err)
		}
		again, err := apps.Rotate(ctx, made.ID, crm.RotateInput{KeepOld: crm.Value[int64](0)})
		if err != nil || again.OldSecretUntil != nil || servedApp(t, w, made.ID).OldSecret != "" {
			t.Errorf("rotated at once: %+v, %v", again.AppData, err)
		}
		if err := apps.Delete(ctx, made.ID); err != nil {
			t.Error(err)
		}
		_, err = apps.Get(ctx, made.ID)
		expectCode(t, "a deleted app", err, crm.CodeNotFound)
		if *notified != 6 {
			t.Errorf("told of %d changes, want 6", *notified)
		}
		for _, s := range []string{made.Secret, rotated.Secret, again.Secret, "hidden-value", "h.example"} {
			if text := fmt.Sprintf("%s %v %+v %#v", log, made, []any{rotated, stored, list}, again); strings.Contains(text, s) {
				t.Errorf("%s is in the log or printed: %s", s, text)
			}
		}
		if !strings.Contains(log.String(), made.ID) || !strings.Contains(log.String(), "user 686") {
			t.Errorf("the log does not say what was done: %s", log)
		}
	})
}

func servedApp(t *testing.T, w *crmtest.World, id string) apps.App {
	t.Helper()
	list, _, err := w.LoadApps(t.Context())
	i := slices.IndexFunc(list, func(a apps.App) bool { return a.ID == id })
	if err != nil || i < 0 {
		t.Fatalf("%s is not served: %v", id, err)
	}
	return list[i]
}

// All users who do not run the server get the same error, whether or not an app exists
// or is from the configuration, and whatever is wrong with the request.
func TestAppsAreTheOperatingCompanysAffair(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _, notified := withApps(t, store)
		made, err := w.Apps(w.Owner).Create(t.Context(), input(t, `{"id":"shop"}`))
		if err != nil {
			t.Fatal(err)
		}
		before := *notified
		for what, who := range map[string]crm.Actor{
			"an operator": w.Operator, "another company's owner": w.Stranger, "nobody": {}, "a user who is gone": {UserID: 4711},
		} {
			apps, ctx := w.Apps(who), t.Context()
			texts := map[string]bool{}
			refused := func(err error) {
				t.Helper()
				expectCode(t, what, err, crm.CodeDenied)
				texts[err.Error()] = true
			}
			refused(apps.Allowed(ctx))
			_, err := apps.List(ctx)
			refused(err)
			_, err = apps.Create(ctx, input(t, `{"id":"/"}`))
			refused(err)
			for _, id := range []string{"shop", "1", "none", ""} {
				_, err = apps.Get(ctx, id)
				refused(err)
				_, err = apps.Edit(ctx, id, input(t, `{"enabled":false}`))
				refused(err)
				_, err = apps.Rotate(ctx, id, crm.RotateInput{KeepOld: crm.Value[int64](-1)})
				refused(err)
				refused(apps.Delete(ctx, id))
			}
			if len(texts) != 1 {
				t.Errorf("%s learns something: %v", what, texts)
			}
		}
		if got := servedApp(t, w, "shop"); !got.Enabled || got.Secret != made.Secret || *notified != before {
			t.Errorf("something was changed: %+v", got)
		}
	})
}

func TestAppsRefuse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _, _ := withApps(t, store)
		apps, ctx := w.Apps(w.Owner), t.Context()
		if _, err := apps.Create(ctx, input(t, `{"id":"shop","key":"shopkey","webhooks":[{"url":"https://h.example"}]}`)); err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("x", 301)
		for body, field := range map[string]string{
			`{"id":""}`: "id", `{"id":null}`: "id", `{"id":"a/b"}`: "id", `{"id":"` + long[:65] + `"}`: "id", `{"id":"ü"}`: "id", `{"id":"a\n"}`: "id",
			`{"key":"a:b"}`: "key", `{"key":""}`: "key", `{"name":null}`: "name", `{"name":"` + long + `"}`: "name", `{"name":"a\u0000"}`: "name",
			`{"enabled":null}`: "enabled", `{"clientEvents":null}`: "clientEvents", `{"subscriptionCount":null}`: "subscriptionCount",
			`{"userAuthentication":null}`: "userAuthentication", `{"limits":null}`: "limits", `{"allowedOrigins":null}`: "allowedOrigins",
			`{"history":null}`: "history", `{"history":[{"channels":"a b","retention":"1h"}]}`: "history[0].channels", `{"history":[{"channels":"a","retention":"1h"},{"channels":"a"}]}`: "history[1].retention",
			`{"webhooks":null}`: "webhooks", `{"limits":{"socket":1}}`: "limits.socket", `{"limits":{"Sockets":1}}`: "limits.Sockets",
			`{"limits":{"":1}}`: "limits.", `{"limits":{"sockets":-1}}`: "limits.sockets", `{"limits":{"sockets":1.5}}`: "limits.sockets",
			`{"limits":{"sockets":"1"}}`: "limits.sockets", `{"limits":{"sockets":null}}`: "limits.sockets", `{"limits":{"sockets":1e99}}`: "limits.sockets",
			`{"limits":{"sockets":1073741825}}`: "limits.sockets", `{"limits":{"event_bytes":16777217}}`: "limits.event_bytes",
			`{"limits":{"channels_per_event":10001}}`: "limits.channels_per_event", `{"limits":{"presence_user_bytes":1048577}}`: "limits.presence_user_bytes",
			`{"allowedOrigins":["https://a.example/x"]}`: "allowedOrigins[0]", `{"allowedOrigins":["https://a.example",""]}`: "allowedOrigins[1]",
			`{"allowedOrigins":["https://a.example","https://a.example","x"]}`:  "allowedOrigins[2]",
			`{"webhooks":[{"url":"https://a.example","channels":["a\u0000"]}]}`: "webhooks[0].channels[0]",
			`{"webhooks":[{}]}`: "webhooks[0].url", `{"webhooks":[{"url":"ftp://a"}]}`: "webhooks[0].url", `{"webhooks":[{"url":"https://"}]}`: "webhooks[0].url",
			`{"webhooks":[{"url":"https://u:p@a.example"}]}`: "webhooks[0].url", `{"webhooks":[{"url":"https://a.example/` + strings.Repeat("x", 2048) + `"}]}`: "webhooks[0].url",
			`{"webhooks":[{"url":"https://a.example:0"}]}`: "webhooks[0].url", `{"webhooks":[{"url":"https://a.example:65536"}]}`: "webhooks[0].url",
			`{"webhooks":[{"url":"https://a.example:"}]}`: "webhooks[0].url", `{"webhooks":[{"url":"https://a.example#"}]}`: "webhooks[0].url",
			`{"webhooks":[{"url":"https://a.example","channels":["a",""]}]}`:                                 "webhooks[0].channels[1]",
			`{"webhooks":[{"url":"https://a.example","channels":["` + long[:201] + `"]}]}`:                   "webhooks[0].channels[0]",
			`{"webhooks":[{"url":"https://a.example","channels":[` + strings.Repeat(`"x",`, 100) + `"x"]}]}`: "webhooks[0].channels",
			`{"webhooks":[{"url":"https://a.example","events":["channel_vacated","none"]}]}`:                 "webhooks[0].events[1]",
			`{"webhooks":[{"url":"https://a.example","headers":{"a b":"c"}}]}`:                               "webhooks[0].headers",
			`{"webhooks":[{"url":"https://a.example","headers":{"x":"a\r\nHost: b"}}]}`:                      "webhooks[0].headers",
			`{"webhooks":[{"url":"https://a.example","headers":{"x-pusher-key":"b"}}]}`:                      "webhooks[0].headers",
			`{"webhooks":[{"url":"https://a.example","headers":{"host":"b"}}]}`:                              "webhooks[0].headers",
			`{"webhooks":[{"url":"https://a.example","headers":{"x":"********"}}]}`:                          "webhooks[0].headers",
			`{"webhooks":[` + strings.Repeat(`{"url":"https://a.example"},`, 32) + `{"url":"https://a"}]}`:   "webhooks",
		} {
			_, err := apps.Create(ctx, input(t, body))
			expectField(t, "create "+body, err, field)
			if field != "id" && field != "key" {
				_, err = apps.Edit(ctx, "shop", input(t, body))
				expectField(t, "edit "+body, err, field)
			}
		}
		for body, field := range map[string]string{`{"id":"other"}`: "id", `{"key":"other"}`: "key", `{"id":null}`: "id"} {
			_, err := apps.Edit(ctx, "shop", input(t, body))
			expectField(t, "edit "+body, err, field)
		}
		if _, err := apps.Edit(ctx, "shop", input(t, `{"id":"shop","key":"shopkey"}`)); err != nil {
			t.Errorf("what stays may be said: %v", err)
		}
		for _, keep := range []crm.Field[int64]{crm.Value[int64](-1), crm.Value[int64](30*86400 + 1), crm.Null[int64]()} {
			_, err := apps.Rotate(ctx, "shop", crm.RotateInput{KeepOld: keep})
			expectField(t, fmt.Sprint(keep), err, "keepOld")
		}
		for _, body := range []string{`{"id":"shop"}`, `{"key":"shopkey"}`, `{"id":"1"}`, `{"key":"configured"}`} {
			_, err := apps.Create(ctx, input(t, body))
			expectCode(t, body, err, crm.CodeConflict)
		}
		for id, code := range map[string]crm.Code{"1": crm.CodeConflict, "none": crm.CodeNotFound, "": crm.CodeNotFound, "a\x00": crm.CodeNotFound, "\xff": crm.CodeNotFound} {
			what := fmt.Sprintf("%q", id)
			_, err := apps.Edit(ctx, id, crm.AppInput{})
			expectCode(t, what, err, code)
			_, err = w.HostApps().Rotate(ctx, id, crm.RotateInput{})
			expectCode(t, what, err, code)
			expectCode(t, what, apps.Delete(ctx, id), code)
		}
		if got, err := apps.Get(ctx, "1"); err != nil || got.Source != crm.AppOfConfig {
			t.Errorf("the configuration's: %+v, %v", got, err)
		}
	})
}

func expectField(t *testing.T, what string, err error, field string) {
	t.Helper()
	var e *crm.Error
	if !errors.As(err, &e) || e.Code != crm.CodeInvalid || e.Fields[field] == "" {
		t.Errorf("%s: %v, want a violation of %q", what, err, field)
	}
}
