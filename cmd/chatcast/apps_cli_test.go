package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// Commands change the apps of a server in another process, on both databases, and the
// server follows within seconds.
func TestAppCommandsOnARunningServer(t *testing.T) {
	testwait.LeaveOut(t, "it runs the built program")
	binary := e2e.BuildBinary(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := e2e.Config(t)
		cfg.Database.URL = url
		server := e2e.StartProcess(t, binary, cfg)
		var said []string
		command := func(args ...string) string {
			t.Helper()
			return strings.TrimSpace(runCommand(t, binary, cfg, "", args...))
		}
		lines := strings.Fields(command("app", "create", "--id", "shop", "--name", "The shop"))
		if len(lines) != 6 || lines[1] != "shop" || lines[4] != "secret" || len(lines[5]) != 64 {
			t.Fatalf("create says %q", lines)
		}
		shop, first := e2e.OnApp(t, server.Base, "shop", lines[3]), lines[5]
		follows := func(what, secret string, code, status int) {
			t.Helper()
			asked := time.Now()
			for shop.Code() != code || shop.Publish(secret) != status {
				if time.Since(asked) > testwait.Long {
					t.Fatalf("the server does not follow: %s", what)
				}
			}
			said = append(said, fmt.Sprintf("%s %.1f s", what, time.Since(asked).Seconds()))
		}
		follows("create", first, 0, 200)
		second := command("app", "rotate", "shop", "--keep-old", "1h")
		follows("rotate", second, 0, 200)
		if got := shop.Publish(first); got != 200 {
			t.Errorf("the old secret is answered %d", got)
		}
		if got := command("secret", "--app", "shop"); got != second {
			t.Errorf("secret says %q", got)
		}
		list := command("app", "list")
		for _, want := range []string{"shop", shop.Key, "database", "config", "ChatsAppApiProdKey", `"The shop"`} {
			if !strings.Contains(list, want) {
				t.Errorf("list has no %s:\n%s", want, list)
			}
		}
		open, _ := shop.Socket()
		command("app", "disable", "shop")
		e2e.Ends(t, open, 4003)
		follows("disable", second, 4003, 403)
		command("app", "enable", "shop")
		follows("enable", second, 0, 200)
		third := command("app", "rotate", "--keep-old=0", "shop")
		follows("rotate at once", second, 0, 401)
		open, _ = shop.Socket()
		command("app", "delete", "shop")
		e2e.Ends(t, open, 4001)
		follows("delete", third, 4001, 401)
		t.Log(said)
		if err := server.Cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = server.Cmd.Wait() // it was killed
		for _, secret := range []string{first, second, third} {
			if strings.Contains(list, secret) || strings.Contains(server.Errs.String(), secret) {
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
		{[]string{"migrate"}, exitOK, "the database is up to date", ""}, // the commands make no database
		{[]string{"app"}, exitUsage, "", "usage: chatcast app COMMAND\n\n  app create"},
		{[]string{"app", "fly"}, exitUsage, "", `unknown command "app fly"`},
		{[]string{"app", "create", "extra"}, exitUsage, "", `unexpected argument "extra"`},
		{[]string{"app", "create", "--id", "shop", "--key", "k"}, exitOK, "id      shop\nkey     k\nsecret  ", ""},
		{[]string{"app", "create", "--id", "shop"}, exitFailed, "", `chatcast: there is an app with the id "shop" already`},
		{[]string{"app", "create", "--key", "k"}, exitFailed, "", `chatcast: there is an app with the key "k" already`},
		{[]string{"app", "create", "--id", "1"}, exitFailed, "", `chatcast: there is an app with the id "1" already`},
		{[]string{"app", "create", "--id", "a/b"}, exitFailed, "", "chatcast: id must be 1 to 64 letters"},
		{[]string{"app", "create", "--id="}, exitFailed, "", "chatcast: id must be 1 to 64 letters"},
		{[]string{"app", "rotate"}, exitUsage, "", "usage: chatcast app rotate ID [--keep-old 24h]"},
		{[]string{"app", "rotate", "shop", "other"}, exitUsage, "", `unexpected argument "other"`},
		{[]string{"app", "rotate", "shop", "--keep-old", "soon"}, exitUsage, "", "keep-old"},
		{[]string{"app", "rotate", "shop", "--keep-old", "-1s"}, exitUsage, "", "from 0s to 720h"},
		{[]string{"app", "rotate", "shop", "--keep-old", "721h"}, exitUsage, "", "from 0s to 720h"},
		{[]string{"app", "rotate", "shop", "--keep-old", "1ms"}, exitUsage, "", "whole seconds"},
		{[]string{"app", "rotate", "none"}, exitFailed, "", "chatcast: app not found"},
		{[]string{"app", "rotate", "1"}, exitFailed, "", `chatcast: the app "1" is defined in the configuration file, and can only be changed there`},
		{[]string{"app", "disable", "1"}, exitFailed, "", "configuration file"},
		{[]string{"app", "disable", "shop"}, exitOK, "the app shop is disabled\n", ""},
		{[]string{"app", "list"}, exitOK, "shop  k                   no       database  -                 \"\"\n", ""},
		{[]string{"app", "enable", "shop"}, exitOK, "the app shop is enabled\n", ""},
		{[]string{"app", "webhooks"}, exitUsage, "", "usage: chatcast app webhooks ID [--resume WEBHOOK]"},
		{[]string{"app", "webhooks", "none"}, exitFailed, "", "chatcast: app not found"},
		{[]string{"app", "webhooks", "shop"}, exitOK, "ID  STATE  SINCE", ""},
		{[]string{"app", "webhooks", "shop", "--resume", "none"}, exitFailed, "", "chatcast: webhook of this app not found"},
		{[]string{"app", "webhooks", "shop", "--resume", ""}, exitFailed, "", "chatcast: webhook of this app not found"},
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
