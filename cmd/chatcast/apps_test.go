package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/crm"
	"chatcast/models/testdb"
	"chatcast/server/pusher"
)

// place is an app as it is seen from outside.
type place struct {
	t    testing.TB
	base string
	id   string
	key  string
}

// socket opens a socket and returns it with the first frame.
func (p place) socket() (*websocket.Conn, string) {
	p.t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(p.base, "http")+"/app/"+p.key+"?protocol=7", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	p.t.Cleanup(func() { ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	_, first, err := ws.ReadMessage()
	if err != nil {
		p.t.Fatal(err)
	}
	return ws, string(first)
}

// code is what a new socket is told: 0 when it is welcome.
func (p place) code() int {
	p.t.Helper()
	ws, first := p.socket()
	ws.Close()
	if strings.Contains(first, "pusher:connection_established") {
		return 0
	}
	var frame struct{ Data struct{ Code int } }
	if err := json.Unmarshal([]byte(first), &frame); err != nil || frame.Data.Code == 0 {
		p.t.Fatalf("%v in %s", err, first)
	}
	return frame.Data.Code
}

// publish is the status of a publish that is signed with the secret.
func (p place) publish(secret string) int {
	p.t.Helper()
	const body = `{"name":"e","channel":"c","data":"d"}`
	path := "/apps/" + p.id + "/events"
	query := pusher.SignRequest(p.key, secret, "POST", path, nil, []byte(body), time.Now())
	res, err := http.Post(p.base+path+"?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func (p place) expect(when, secret string, code, status int) {
	p.t.Helper()
	if got := p.code(); got != code {
		p.t.Errorf("%s: a socket is told %d, want %d", when, got, code)
	}
	if got := p.publish(secret); got != status {
		p.t.Errorf("%s: publishing is answered %d, want %d", when, got, status)
	}
}

// ends reads a socket to its close frame.
func ends(t testing.TB, ws *websocket.Conn, code int) {
	t.Helper()
	for {
		if _, text, err := ws.ReadMessage(); websocket.IsCloseError(err, code) {
			return
		} else if err != nil {
			t.Fatalf("the socket ends with %v after %s, want %d", err, text, code)
		}
	}
}

// What is done over the API is in force when the answer is there.
func TestAppsOverTheAPI(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := testConfig(t)
		cfg.Database.URL = url
		p := start(t, cfg)
		owner := p.signIn(t)
		var app crm.AppWithSecret
		owner.must("POST", "/v1/apps", map[string]any{"name": "Shop"}, &app)
		shop := place{t, p.base, app.ID, app.Key}
		shop.expect("made", app.Secret, 0, 200)

		var rotated crm.AppWithSecret
		owner.must("POST", "/v1/apps/"+app.ID+"/rotate", nil, &rotated)
		shop.expect("rotated, the old secret", app.Secret, 0, 200)
		shop.expect("rotated, the new secret", rotated.Secret, 0, 200)
		owner.must("POST", "/v1/apps/"+app.ID+"/rotate", map[string]any{"keepOld": 0}, &app)
		shop.expect("rotated at once, the old secret", rotated.Secret, 0, 401)
		shop.expect("rotated at once, the new secret", app.Secret, 0, 200)

		open, _ := shop.socket()
		owner.must("PATCH", "/v1/apps/"+app.ID, map[string]any{"enabled": false}, nil)
		ends(t, open, 4003)
		shop.expect("disabled", app.Secret, 4003, 403)
		owner.must("PATCH", "/v1/apps/"+app.ID, map[string]any{"enabled": true, "limits": map[string]any{"sockets": 1}}, nil)
		open, _ = shop.socket()
		shop.expect("enabled, and full", app.Secret, 4004, 200)
		owner.must("DELETE", "/v1/apps/"+app.ID, nil, nil)
		ends(t, open, 4001)
		shop.expect("deleted", app.Secret, 4001, 401)

		// The configuration's app is shown and stays as it is.
		status, answer := owner.call("PATCH", "/v1/apps/1", map[string]any{"enabled": false})
		if status != http.StatusConflict || !strings.Contains(string(answer), "configuration file") {
			t.Errorf("disabling the configuration's app: %d %s", status, answer)
		}
		var list []crm.AppData
		owner.must("GET", "/v1/apps", nil, &list)
		if len(list) != 1 || list[0].ID != "1" || list[0].Source != crm.AppOfConfig || !list[0].Enabled {
			t.Errorf("the apps: %+v", list)
		}
		place{t, p.base, "1", cfg.Apps[0].Key}.expect("the configuration's app", p.rooms.apps.First().Secret, 0, 200)
	})
}

// An app of the configuration wins over one of the database with its id or key.
func TestConfigurationWinsOverTheDatabase(t *testing.T) {
	cfg := testConfig(t)
	err := withStoredApps(t, cfg, "same-id:k1", "other:same-key", "alone:k3")
	if err != nil {
		t.Fatal(err)
	}
	more := defaultApp()
	more.ID, more.Key, more.Secret = "same-id", "same-key", "the secret of the configuration"
	cfg.Apps = append(cfg.Apps, more)
	p := start(t, cfg)
	if app := p.rooms.apps.ByID("same-id"); app.Key != "same-key" || app.Secret != more.Secret {
		t.Errorf("the database's app is served: %v", app)
	}
	if p.rooms.apps.ByKey("k1") != nil || p.rooms.apps.ByID("other") != nil || p.rooms.apps.ByID("alone") == nil {
		t.Error("the wrong apps are served")
	}
	var list []crm.AppData
	p.signIn(t).must("GET", "/v1/apps", nil, &list)
	var ids []string
	for _, a := range list {
		ids = append(ids, a.Source+" "+a.ID)
	}
	if want := []string{"config 1", "config same-id", "database alone", "database other"}; !slices.Equal(ids, want) {
		t.Errorf("listed: %v, want %v", ids, want)
	}
}

// withStoredApps makes apps, id:key, before a server knows of them.
func withStoredApps(t *testing.T, cfg Config, apps ...string) error {
	return withRules(t.Context(), cfg, func(rules *crm.Service) error {
		var errs []error
		for _, app := range apps {
			id, key, _ := strings.Cut(app, ":")
			_, err := rules.HostApps().Create(t.Context(), crm.AppInput{ID: crm.Value(id), Key: crm.Value(key)})
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// Each limit of an app reaches those who serve it, and the common one where it has
// none of its own.
func TestEveryLimitOfAnAppIsServed(t *testing.T) {
	var own crm.AppLimits
	for i := range reflect.TypeOf(own).NumField() {
		reflect.ValueOf(&own).Elem().Field(i).SetInt(int64(1000 + i))
	}
	var common LimitsConfig
	for i := range reflect.TypeOf(common).NumField() {
		reflect.ValueOf(&common).Elem().Field(i).SetInt(7)
	}
	served, byDefault := reflect.ValueOf(pusherLimits(own, common)), reflect.ValueOf(pusherLimits(crm.AppLimits{}, common))
	if served.NumField() != reflect.TypeOf(own).NumField() {
		t.Errorf("%d limits are served, an app has %d", served.NumField(), reflect.TypeOf(own).NumField())
	}
	for i := range served.NumField() {
		name := served.Type().Field(i).Name
		if want := reflect.ValueOf(own).FieldByName(name); !want.IsValid() || served.Field(i).Int() != want.Int() {
			t.Errorf("%s is served as %v, the app says %v", name, served.Field(i), want)
		}
		if byDefault.Field(i).Int() != 7 {
			t.Errorf("%s has no common limit", name)
		}
	}
}
