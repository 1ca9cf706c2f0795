package pusher_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/server/pusher"
)

// The app of Pusher's documentation.
const (
	docKey    = "278d425bdf160c739803"
	docSecret = "7ad3773142a6692b25b8"
)

func docApp() apps.App {
	return apps.App{ID: "3", Key: docKey, Secret: docSecret, Enabled: true}
}

func newApps(t testing.TB, list ...apps.App) *pusher.Apps {
	t.Helper()
	served, err := pusher.NewApps(list)
	if err != nil {
		t.Fatal(err)
	}
	return served
}

// The vectors of auth-signatures.md. Its presence digest belongs to an older text, "Mr.
// Pusher"; both are tested.
func TestDocumentedSignatures(t *testing.T) {
	for _, test := range []struct{ channel, data, want string }{
		{"private-foobar", "", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
		{"presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`, "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"},
		{"presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Pusher"}}`, "afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c"},
	} {
		if got := pusher.SignChannel(docSecret, "1234.1234", test.channel, test.data); got != test.want {
			t.Errorf("SignChannel(%s, %s) = %s, want %s", test.channel, test.data, got, test.want)
		}
	}
}

func TestVerifyChannel(t *testing.T) {
	app := newApps(t, docApp()).First()
	const socket, channel, data = "1.2", "private-x", `{"last_event_id":"7"}`
	good := app.AuthChannel(socket, channel, "")
	withData := app.AuthChannel(socket, channel, data)
	for name, test := range map[string]struct {
		auth, socket, channel, data string
		want                        bool
	}{
		"good":                         {good, socket, channel, "", true},
		"data on a private channel":    {withData, socket, channel, data, true},
		"data that was not signed":     {good, socket, channel, data, false},
		"data left out":                {withData, socket, channel, "", false},
		"data changed":                 {withData, socket, channel, data + " ", false},
		"another socket":               {good, "1.3", channel, "", false},
		"another channel":              {good, socket, "private-y", "", false},
		"another key":                  {"x" + good, socket, channel, "", false},
		"no key":                       {strings.TrimPrefix(good, docKey+":"), socket, channel, "", false},
		"key alone":                    {docKey + ":", socket, channel, "", false},
		"empty":                        {"", socket, channel, "", false},
		"a character more":             {good + "0", socket, channel, "", false},
		"upper case is not what we do": {strings.ToUpper(good), socket, channel, "", false},
	} {
		if got := app.VerifyChannel(test.auth, test.socket, test.channel, test.data); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestValidSocketID(t *testing.T) {
	for s, want := range map[string]bool{
		"1.1": true, "372745649.1036915902": true, "12345678901234567890.1": true,
		"": false, "1": false, "1.": false, ".1": false, "1.1.1": false, "a.1": false, "1.1\n": false, "\n1.1": false,
		"1.1:private-x": false, "-1.1": false, " 1.1": false, "123456789012345678901.1": false, "١.١": false,
	} {
		if got := pusher.ValidSocketID(s); got != want {
			t.Errorf("ValidSocketID(%q) = %v", s, got)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	list := docApp()
	list.OldSecret, list.OldSecretUntil = docSecret+"-old", time.Now().Add(time.Hour)
	list.Webhooks = []apps.Webhook{{URL: "https://a.example/?token=" + docSecret, Headers: map[string]string{"Authorization": docSecret}}}
	app := newApps(t, list).First()
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("app", "app", app, "value", *app)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("app", "app", app, "value", *app)
	asJSON, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	if hooks := fmt.Sprintf("%v %+v %#v %s", app.Webhooks, app.Webhooks[0], app.Webhooks[0], &app.Webhooks[0]); strings.Contains(hooks, docSecret) {
		t.Errorf("the secret is in %s", hooks)
	}
	for _, s := range []string{
		fmt.Sprint(app), fmt.Sprint(*app), fmt.Sprintf("%v %+v %#v %s", *app, *app, *app, *app),
		fmt.Sprintf("%v %+v %#v", app, app, app), fmt.Sprintf("%+v", struct{ App pusher.App }{*app}), logged.String(), string(asJSON),
	} {
		if strings.Contains(s, docSecret) {
			t.Errorf("the secret is in %s", s)
		}
		if !strings.Contains(s, docKey) {
			t.Errorf("the key is not in %s", s)
		}
	}
}

func TestNewApps(t *testing.T) {
	second := apps.App{ID: "4", Key: "other", Secret: "s", Limits: apps.Limits{EventBytes: 5}, AllowedOrigins: []string{"https://a.example"}}
	served := newApps(t, docApp(), second)
	if served.First() != served.ByID("3") || served.First() != served.ByKey(docKey) || served.ByID("4") != served.ByKey("other") {
		t.Error("the indexes do not agree")
	}
	if served.ByID("5") != nil || served.ByKey("") != nil {
		t.Error("an app that is not there was found")
	}
	if l := served.First().Limits; l.EventBytes != 10_000 || l.ChannelsPerEvent != 100 || l.ClientEventsPerSecond != 10 || l.Sockets != 0 {
		t.Errorf("default limits: %+v", l)
	}
	other := served.ByID("4")
	if other.Limits.EventBytes != 5 || !other.AllowsOrigin("https://a.example") || other.AllowsOrigin("https://b.example") {
		t.Errorf("the second app's settings are lost")
	}

	change := func(f func(*apps.App)) apps.App { a := docApp(); f(&a); return a }
	for want, list := range map[string][]apps.App{
		"at least one":               {},
		"id":                         {change(func(a *apps.App) { a.ID = "" })},
		"stands in paths":            {change(func(a *apps.App) { a.ID = "a/b" })},
		"key":                        {change(func(a *apps.App) { a.Key = "a:b" })},
		"secret":                     {change(func(a *apps.App) { a.Secret = "" })},
		"allowed_origins":            {change(func(a *apps.App) { a.AllowedOrigins = []string{"a.example"} })},
		"from 0":                     {change(func(a *apps.App) { a.Limits.EventBytes = -1 })},
		`id: "3" is already used by`: {docApp(), change(func(a *apps.App) { a.Key = "k" })},
		"key: \"" + docKey:           {docApp(), change(func(a *apps.App) { a.ID = "4" })},
	} {
		if _, err := pusher.NewApps(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		} else if strings.Contains(err.Error(), docSecret) {
			t.Errorf("the secret is in the error %v", err)
		}
	}
}
