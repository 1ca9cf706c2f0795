package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestKeyCommandsOnARunningServer makes a key in another process, uses it, and revokes it
// there: the socket of the program ends.
func TestKeyCommandsOnARunningServer(t *testing.T) {
	testwait.LeaveOut(t, "it runs the built program")
	binary := e2e.BuildBinary(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := e2e.Config(t)
		cfg.Database.URL = url
		server := e2e.StartProcess(t, binary, cfg)
		command := func(args ...string) string {
			t.Helper()
			return runCommand(t, binary, cfg, "", args...)
		}
		key := strings.TrimSuffix(command("key", "create", "--company", "2224", "--license", "1229", "--messenger", "grWhatsApp", "--rights", "read, send", "--name", "Shop sync"), "\n")
		if !regexp.MustCompile(`^cck_[0-9a-f]{64}$`).MatchString(key) {
			t.Fatalf("create says %q", key)
		}
		program := &e2e.Client{T: t, Base: server.Base, Token: "Bearer " + key}
		var licenses []struct{ Messenger []struct{ Type string } }
		program.Must("GET", "/v1/licenses", nil, &licenses)
		if len(licenses) != 1 || len(licenses[0].Messenger) != 1 || licenses[0].Messenger[0].Type != "grWhatsApp" {
			t.Errorf("the key sees %+v", licenses)
		}
		ws, first := e2e.OnApp(t, server.Base, "1", cfg.Apps[0].Key).Socket()
		_, id, _ := strings.Cut(first, `socket_id\":\"`)
		id, _, _ = strings.Cut(id, `\"`)
		if status, answer := program.Call("POST", "/broadcasting/auth", map[string]string{"socket_id": id, "channel_name": "private-v1.licenses.1229.messengers.grWhatsApp"}); status != http.StatusOK {
			t.Fatalf("auth for the socket %q: %d %s", id, status, answer)
		}
		made := regexp.MustCompile(`(?m)^(\d+)\s+2224\s+1229/grWhatsApp\s+read,send\s+\d{4}-\d\d-\d\d\s+\d{4}\S+Z\s+"Shop sync"$`).FindStringSubmatch(command("key", "list", "--company", "2224"))
		if made == nil {
			t.Fatalf("list says\n%s", command("key", "list"))
		}
		if said := command("key", "revoke", made[1]); said != "key "+made[1]+" is revoked, and its sockets end within seconds\n" {
			t.Errorf("revoke says %q", said)
		}
		if status, answer := program.Call("GET", "/v1/licenses", nil); status != http.StatusForbidden || !strings.Contains(string(answer), "ApiInvalidTokenError") {
			t.Errorf("the revoked key is answered %d %s", status, answer)
		}
		e2e.Ends(t, ws, 4009)
		if err := server.Cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = server.Cmd.Wait() // it was killed
		if strings.Contains(server.Errs.String(), key) {
			t.Error("the key is in the log")
		}
	})
}

func TestKeyCommandLine(t *testing.T) {
	dir := t.TempDir()
	if code, stdout, stderr := cli(t, dir, "key", "create", "--company", "2224"); code != exitUsage || stdout != "" || !strings.Contains(stderr, "there is no database at ") {
		t.Errorf("without a database: %d %s%s", code, stdout, stderr)
	}
	if code, _, stderr := cli(t, dir, "migrate"); code != exitOK {
		t.Fatal(stderr)
	}
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"key"}, exitUsage, "usage: chatcast key COMMAND\n\n  key create"},
		{[]string{"key", "create"}, exitUsage, "usage: chatcast key create --company ID"},
		{[]string{"key", "create", "--company", "x"}, exitUsage, "company"},
		{[]string{"key", "create", "--company", "2224", "--license", "1229"}, exitUsage, "usage: chatcast key create --company ID"},
		{[]string{"key", "create", "--company", "2224", "--messenger", "telegram"}, exitUsage, "usage: chatcast key create --company ID"},
		{[]string{"key", "create", "--company", "2224", "extra"}, exitUsage, `unexpected argument "extra"`},
		{[]string{"key", "create", "--company", "2224", "--rights", "read,own"}, exitFailed, "chatcast: rights[1] must be one of read, send, manage, inbound"},
		{[]string{"key", "create", "--company", "2224"}, exitFailed, "chatcast: company not found"},
		{[]string{"key", "list", "--company", "2224"}, exitFailed, "chatcast: company not found"},
		{[]string{"key", "revoke"}, exitUsage, "usage: chatcast key revoke ID"},
		{[]string{"key", "revoke", "x"}, exitUsage, "usage: chatcast key revoke ID"},
		{[]string{"key", "revoke", "7"}, exitFailed, "chatcast: key not found"},
	} {
		code, stdout, stderr := cli(t, dir, c.args...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.stderr) {
			t.Errorf("chatcast %s: exit %d\nstdout: %s\nstderr: %s\nwant exit %d, %q", strings.Join(c.args, " "), code, stdout, stderr, c.code, c.stderr)
		}
	}
}
