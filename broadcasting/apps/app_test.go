package apps_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
)

func TestSecretsAreNotPrinted(t *testing.T) {
	a := hook(apps.Webhook{URL: "https://a.example/?t=hidden", Headers: map[string]string{"X-A": "hidden"}})
	a.OldSecret = "hidden-too"
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("app", "app", a, "pointer", &a)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("app", "app", a, "pointer", &a)
	asJSON, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s", a, a, a, &a), fmt.Sprintf("%+v", []apps.App{a}), logged.String(), string(asJSON),
		"shop-key" + fmt.Sprintf("%v %+v %#v %s", a.Webhooks, a.Webhooks[0], a.Webhooks[0], &a.Webhooks[0]),
	} {
		if strings.Contains(text, "hidden") || !strings.Contains(text, "shop-key") {
			t.Errorf("printed: %s", text)
		}
	}
}

// A copy shares nothing with the app, and lists everything once.
func TestClone(t *testing.T) {
	a := hook(apps.Webhook{URL: "https://x", Events: []string{"cache_miss", "cache_miss"}, Channels: []string{"a"}, Headers: map[string]string{"X-A": "b"}, Single: true})
	a.AllowedOrigins = []string{" https://a.example", "https://a.example", "*"}
	got := a.Clone()
	if !slices.Equal(got.AllowedOrigins, []string{"https://a.example", "*"}) || !slices.Equal(got.Webhooks[0].Events, []string{"cache_miss"}) {
		t.Errorf("origins %v, events %v", got.AllowedOrigins, got.Webhooks[0].Events)
	}
	again := got.Clone()
	got.AllowedOrigins[0], got.Webhooks[0].Channels[0], got.Webhooks[0].Headers["X-A"] = "changed", "changed", "changed"
	got.Webhooks[0].URL = "changed"
	if w := again.Webhooks[0]; again.AllowedOrigins[0] == "changed" || w.Channels[0] != "a" || w.Headers["X-A"] != "b" || w.URL != "https://x" || !w.Single {
		t.Errorf("the copy was changed with the app: %v, %v", again.AllowedOrigins, w.URL)
	}
	empty := hook(apps.Webhook{}).Clone()
	if w := empty.Webhooks[0]; empty.AllowedOrigins == nil || w.Events == nil || w.Channels == nil || w.Headers == nil || apps.Default().Webhooks == nil {
		t.Error("a list of a copy is nil")
	}
}

// Each field of Limits has a row under its name in JSON, and each row has a field of
// its own.
func TestTableHasEveryLimit(t *testing.T) {
	typ := reflect.TypeFor[apps.Limits]()
	table := apps.Table()
	if len(table) != typ.NumField() {
		t.Fatalf("the table has %d rows, Limits has %d fields", len(table), typ.NumField())
	}
	commons := map[string]bool{}
	for i, limit := range table {
		var l apps.Limits
		if err := l.Set(limit.Name, 7); err != nil {
			t.Error(err)
		}
		if got := reflect.ValueOf(l).Field(i).Int(); got != 7 || typ.Field(i).Tag.Get("json") != limit.Name {
			t.Errorf("row %d, %s, is not of the field %s", i, limit.Name, typ.Field(i).Name)
		}
		if limit.Default < limit.Min || limit.Default > limit.Max || limit.Min < 0 || limit.Max > 1<<30 {
			t.Errorf("%s: the default %d is not from %d to %d", limit.Name, limit.Default, limit.Min, limit.Max)
		}
		if !strings.HasSuffix(limit.Sentence, ".") || limit.Unit == "" || commons[limit.Common] {
			t.Errorf("%s: sentence %q, unit %q, common name %s", limit.Name, limit.Sentence, limit.Unit, limit.Common)
		}
		commons[limit.Common] = true
	}
	err := (&apps.Limits{}).Set("Sockets", 1)
	if err == nil || !strings.Contains(err.Error(), "channels_per_event, channels_per_socket") {
		t.Errorf("an unknown limit: %v", err)
	}
	apps.Table()[0].Max = 0
	if apps.Table()[0].Max == 0 {
		t.Error("the table was changed")
	}
}

func TestLimitsOr(t *testing.T) {
	own, common := apps.Limits{EventBytes: 5}, apps.DefaultLimits()
	common.ReadsPerSecond = 3
	got := own.Or(common)
	want := common
	want.EventBytes = 5
	if got != want || own != (apps.Limits{EventBytes: 5}) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := common.CheckCommon().Err(); err != nil {
		t.Error(err)
	}
	violations := apps.Limits{PresenceUserBytes: 15, Sockets: -1}.CheckCommon()
	wrong := 1 // counts each limit that must not be 0; sockets is the first
	for _, limit := range apps.Table() {
		if limit.Min > 0 {
			wrong++
		}
	}
	if fields := violations.Error(); len(violations) != wrong || !strings.Contains(fields, "sockets_per_app: must be from 0") || !strings.Contains(fields, "presence_user_bytes: must be from 16") {
		t.Errorf("%v", violations)
	}
}
