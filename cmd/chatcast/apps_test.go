package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
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

// Commands change the apps of a server that runs in another process, on both
// databases, and it follows within seconds.
func TestAppCommandsOnARunningServer(t *testing.T) {
	binary := buildBinary(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := testConfig(t)
		cfg.Database.URL = url
		server := startProcess(t, binary, cfg)
		var said []string
		command := func(args ...string) string {
			t.Helper()
			var errs bytes.Buffer
			cmd := exec.Command(binary, append(args, "--database.url="+url, "--files.dir="+cfg.Files.Dir)...)
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil || errs.Len() > 0 {
				t.Fatalf("%v: %v %s%s", args, err, out, &errs)
			}
			return strings.TrimSpace(string(out))
		}
		lines := strings.Fields(command("app", "create", "--id", "shop", "--name", "The shop"))
		if len(lines) != 6 || lines[1] != "shop" || lines[4] != "secret" || len(lines[5]) != 64 {
			t.Fatalf("create says %q", lines)
		}
		shop, first := place{t, server.base, "shop", lines[3]}, lines[5]
		follows := func(what, secret string, code, status int) {
			t.Helper()
			asked := time.Now()
			for shop.code() != code || shop.publish(secret) != status {
				if time.Since(asked) > patience {
					t.Fatalf("the server does not follow: %s", what)
				}
			}
			said = append(said, fmt.Sprintf("%s %.1f s", what, time.Since(asked).Seconds()))
		}
		follows("create", first, 0, 200)
		second := command("app", "rotate", "shop", "--keep-old", "1h")
		follows("rotate", second, 0, 200)
		if got := shop.publish(first); got != 200 {
			t.Errorf("the old secret is answered %d", got)
		}
		if got := command("secret", "--app", "shop"); got != second {
			t.Errorf("secret says %q", got)
		}
		list := command("app", "list")
		for _, want := range []string{"shop", shop.key, "database", "config", "ChatsAppApiProdKey", `"The shop"`} {
			if !strings.Contains(list, want) {
				t.Errorf("list has no %s:\n%s", want, list)
			}
		}
		open, _ := shop.socket()
		command("app", "disable", "shop")
		ends(t, open, 4003)
		follows("disable", second, 4003, 403)
		command("app", "enable", "shop")
		follows("enable", second, 0, 200)
		third := command("app", "rotate", "--keep-old=0", "shop")
		follows("rotate at once", second, 0, 401)
		open, _ = shop.socket()
		command("app", "delete", "shop")
		ends(t, open, 4001)
		follows("delete", third, 4001, 401)
		t.Log(said)
		if err := server.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = server.cmd.Wait() // it was killed
		for _, secret := range []string{first, second, third} {
			if strings.Contains(list, secret) || strings.Contains(server.errs.String(), secret) {
				t.Error("a secret is in the list or in the log")
			}
		}
	})
}

func TestAppCommandLine(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"app"}, exitUsage, "", `unknown command "app"`},
		{[]string{"app", "fly"}, exitUsage, "", `unknown command "app"`},
		{[]string{"app", "create", "extra"}, exitUsage, "", `does not know what to do with "extra"`},
		{[]string{"app", "create", "--id", "shop", "--key", "k"}, exitOK, "id      shop\nkey     k\nsecret  ", ""},
		{[]string{"app", "create", "--id", "shop"}, exitFailed, "", `chatcast: there is an app with the id "shop" already`},
		{[]string{"app", "create", "--key", "k"}, exitFailed, "", `chatcast: there is an app with the key "k" already`},
		{[]string{"app", "create", "--id", "1"}, exitFailed, "", `chatcast: there is an app with the id "1" already`},
		{[]string{"app", "create", "--id", "a/b"}, exitFailed, "", "chatcast: id must be 1 to 64 letters"},
		{[]string{"app", "create", "--id="}, exitFailed, "", "chatcast: id must be 1 to 64 letters"},
		{[]string{"app", "rotate"}, exitUsage, "", "usage: chatcast app rotate ID [--keep-old 24h]"},
		{[]string{"app", "rotate", "shop", "other"}, exitUsage, "", `does not know what to do with "other"`},
		{[]string{"app", "rotate", "shop", "--keep-old", "soon"}, exitUsage, "", "keep-old"},
		{[]string{"app", "rotate", "shop", "--keep-old", "-1s"}, exitUsage, "", "from 0s to 720h"},
		{[]string{"app", "rotate", "shop", "--keep-old", "721h"}, exitUsage, "", "from 0s to 720h"},
		{[]string{"app", "rotate", "shop", "--keep-old", "1ms"}, exitUsage, "", "whole seconds"},
		{[]string{"app", "rotate", "none"}, exitFailed, "", "chatcast: app not found"},
		{[]string{"app", "rotate", "1"}, exitFailed, "", `chatcast: the app "1" is of the configuration file, which alone can change it`},
		{[]string{"app", "disable", "1"}, exitFailed, "", "configuration file"},
		{[]string{"app", "disable", "shop"}, exitOK, "the app shop is disabled\n", ""},
		{[]string{"app", "list"}, exitOK, "shop  k                   no       database  -                 \"\"\n", ""},
		{[]string{"app", "enable", "shop"}, exitOK, "the app shop is enabled\n", ""},
		{[]string{"app", "delete"}, exitUsage, "", "usage: chatcast app delete ID"},
		{[]string{"app", "delete", "shop"}, exitOK, "the app shop is deleted\n", ""},
		{[]string{"app", "delete", "shop"}, exitFailed, "", "chatcast: app not found"},
		{[]string{"app", "delete", "--help"}, exitOK, "usage: chatcast app delete ID", ""},
		{[]string{"secret", "--app", "shop"}, exitUsage, "", `no app with the id "shop"`},
	} {
		code, stdout, stderr := cli(t, dir, c.args...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) ||
			c.stdout == "" && stdout != "" || c.stderr == "" && stderr != "" {
			t.Errorf("chatcast %s: exit %d\nstdout: %s\nstderr: %s\nwant exit %d, %q and %q", strings.Join(c.args, " "), code, stdout, stderr, c.code, c.stdout, c.stderr)
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "c.db")); err != nil || len(files) != 1 {
		t.Errorf("the database: %v, %v", files, err)
	}
}
