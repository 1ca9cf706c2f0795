package program_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models/testdb"
)

// A change over the API is in force when its answer arrives.
func TestAppsOverTheAPI(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := e2e.Config(t)
		cfg.Database.URL = url
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		var app crm.AppWithSecret
		owner.Must("POST", "/v1/apps", map[string]any{"name": "Shop"}, &app)
		shop := e2e.OnApp(t, p.Base, app.ID, app.Key)
		shop.Expect("made", app.Secret, 0, 200)

		var rotated crm.AppWithSecret
		owner.Must("POST", "/v1/apps/"+app.ID+"/rotate", nil, &rotated)
		shop.Expect("rotated, the old secret", app.Secret, 0, 200)
		shop.Expect("rotated, the new secret", rotated.Secret, 0, 200)
		owner.Must("POST", "/v1/apps/"+app.ID+"/rotate", map[string]any{"keepOld": 0}, &app)
		shop.Expect("rotated at once, the old secret", rotated.Secret, 0, 401)
		shop.Expect("rotated at once, the new secret", app.Secret, 0, 200)

		open, _ := shop.Socket()
		owner.Must("PATCH", "/v1/apps/"+app.ID, map[string]any{"enabled": false}, nil)
		e2e.Ends(t, open, 4003)
		shop.Expect("disabled", app.Secret, 4003, 403)
		owner.Must("PATCH", "/v1/apps/"+app.ID, map[string]any{"enabled": true, "limits": map[string]any{"sockets": 1}}, nil)
		open, _ = shop.Socket()
		shop.Expect("enabled, and full", app.Secret, 4004, 200)
		owner.Must("DELETE", "/v1/apps/"+app.ID, nil, nil)
		e2e.Ends(t, open, 4001)
		shop.Expect("deleted", app.Secret, 4001, 401)

		// The configuration's app is listed and cannot be changed.
		status, answer := owner.Call("PATCH", "/v1/apps/1", map[string]any{"enabled": false})
		if status != http.StatusConflict || !strings.Contains(string(answer), "configuration file") {
			t.Errorf("disabling the configuration's app: %d %s", status, answer)
		}
		var list []crm.AppData
		owner.Must("GET", "/v1/apps", nil, &list)
		if len(list) != 1 || list[0].ID != "1" || list[0].Source != crm.AppOfConfig || !list[0].Enabled {
			t.Errorf("the apps: %+v", list)
		}
		e2e.OnApp(t, p.Base, "1", cfg.Apps[0].Key).Expect("the configuration's app", p.Components().Apps.First().Secret, 0, 200)
	})
}

// An app of the configuration wins over one of the database with its id or key.
func TestConfigurationWinsOverTheDatabase(t *testing.T) {
	cfg := e2e.Config(t)
	err := withStoredApps(t, cfg, "same-id:k1", "other:same-key", "alone:k3")
	if err != nil {
		t.Fatal(err)
	}
	more := apps.Default()
	more.ID, more.Key, more.Secret = "same-id", "same-key", "the secret of the configuration"
	cfg.Apps = append(cfg.Apps, more)
	p := e2e.Start(t, cfg)
	if app := p.Components().Apps.ByID("same-id"); app.Key != "same-key" || app.Secret != more.Secret {
		t.Errorf("the database's app is served: %v", app)
	}
	if p.Components().Apps.ByKey("k1") != nil || p.Components().Apps.ByID("other") != nil || p.Components().Apps.ByID("alone") == nil {
		t.Error("the wrong apps are served")
	}
	var list []crm.AppData
	p.SignIn(t).Must("GET", "/v1/apps", nil, &list)
	var ids []string
	for _, a := range list {
		ids = append(ids, a.Source+" "+a.ID)
	}
	if want := []string{"config 1", "config same-id", "database alone", "database other"}; !slices.Equal(ids, want) {
		t.Errorf("listed: %v, want %v", ids, want)
	}
}

// withStoredApps stores apps, given as id:key, before a server starts.
func withStoredApps(t *testing.T, cfg config.Config, apps ...string) error {
	store, err := app.OpenStore(t.Context(), cfg) // commands make no database
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	return app.WithRules(t.Context(), cfg, func(rules *crm.Service) error {
		var errs []error
		for _, app := range apps {
			id, key, _ := strings.Cut(app, ":")
			_, err := rules.HostApps().Create(t.Context(), crm.AppInput{ID: crm.Value(id), Key: crm.Value(key)})
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}
