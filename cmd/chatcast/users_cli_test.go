package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// Commands change the accounts of a server in another process, on both databases: the
// tokens end with the command, and the sockets within seconds.
func TestUserCommandsOnARunningServer(t *testing.T) {
	testwait.LeaveOut(t, "it runs the built program")
	binary := e2e.BuildBinary(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := e2e.Config(t)
		cfg.Database.URL = url
		server := e2e.StartProcess(t, binary, cfg)
		command := func(stdin string, args ...string) string {
			t.Helper()
			return runCommand(t, binary, cfg, stdin, args...)
		}
		nobody := &e2e.Client{T: t, Base: server.Base}
		signIn := func(password string) (status int, client *e2e.Client) {
			t.Helper()
			body := map[string]string{"email": e2e.OwnerEmail, "password": password}
			status, _ = nobody.Call("POST", "/v1/tokens", body)
			client = &e2e.Client{T: t, Base: server.Base}
			if status == http.StatusOK {
				var pair struct{ AccessToken string }
				nobody.Must("POST", "/v1/tokens", body, &pair)
				client.Token = pair.AccessToken
			}
			return status, client
		}
		// ended opens a socket of the owner, runs the command, and expects the end of both
		// the socket and the token.
		ended := func(password, stdin string, args ...string) (said string) {
			t.Helper()
			_, client := signIn(password)
			ws, first := e2e.OnApp(t, server.Base, "1", cfg.Apps[0].Key).Socket()
			_, id, _ := strings.Cut(first, `socket_id\":\"`)
			id, _, _ = strings.Cut(id, `\"`)
			if status, answer := client.Call("POST", "/broadcasting/auth", map[string]string{"socket_id": id, "channel_name": "private-v1.users.685"}); status != http.StatusOK {
				t.Fatalf("auth for the socket %q: %d %s", id, status, answer)
			}
			said = command(stdin, args...)
			if status, answer := client.Call("GET", "/v1/me", nil); status != http.StatusForbidden {
				t.Errorf("%v: the token is answered %d %s", args, status, answer)
			}
			e2e.Ends(t, ws, 4009)
			return said
		}
		said := ended(e2e.OwnerPassword, "", "user", "disable", e2e.OwnerEmail)
		if !strings.Contains(said, "company 2224 has no owner now who may sign in; chatcast company invite 2224 --email OWNER") {
			t.Errorf("disable says %q", said)
		}
		if status, _ := signIn(e2e.OwnerPassword); status != http.StatusForbidden {
			t.Errorf("a disabled user's sign-in is answered %d", status)
		}
		if list := command("", "user", "list"); !strings.Contains(list, "685  "+e2e.OwnerEmail+"  no ") {
			t.Errorf("list says\n%s", list)
		}
		if said := command("", "user", "enable", e2e.OwnerEmail); strings.Contains(said, "no owner") {
			t.Errorf("enable says %q", said)
		}
		ended(e2e.OwnerPassword, "the second password\nmore\n", "user", "reset-password", e2e.OwnerEmail, "--stdin")
		if status, _ := signIn(e2e.OwnerPassword); status != http.StatusForbidden {
			t.Errorf("the old password is answered %d", status)
		}
		if status, _ := signIn("the second password"); status != http.StatusOK {
			t.Errorf("the second password is answered %d", status)
		}
		code := strings.Fields(command("", "user", "reset-password", e2e.OwnerEmail))
		if len(code) != 6 || len(code[1]) != 64 || code[3] != "/#/reset/"+code[1] {
			t.Fatalf("reset-password says %q", code)
		}
		nobody.Must("POST", "/v1/password/reset", map[string]string{"code": code[1], "password": "the third password"}, nil)
		if status, _ := signIn("the third password"); status != http.StatusOK {
			t.Errorf("the third password is answered %d", status)
		}
		_, client := signIn("the third password")
		var made struct{ Secret string }
		client.Must("POST", "/v1/me/totp", map[string]string{"currentPassword": "the third password"}, &made)
		otp, err := totp.GenerateCode(made.Secret, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		client.Must("POST", "/v1/me/totp/confirm", map[string]string{"code": otp}, nil)
		if status, _ := signIn("the third password"); status != http.StatusUnprocessableEntity {
			t.Errorf("a sign-in without a code is answered %d", status)
		}
		command("", "user", "remove-totp", e2e.OwnerEmail)
		if status, _ := signIn("the third password"); status != http.StatusOK {
			t.Errorf("a sign-in without a second factor is answered %d", status)
		}
		if err := server.Cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = server.Cmd.Wait() // it was killed
		for _, secret := range []string{code[1], "second password", "third password", made.Secret} {
			if strings.Contains(server.Errs.String(), secret) {
				t.Error("a secret is in the log")
			}
		}
	})
}

func TestUserCommandLine(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := cli(t, dir, "migrate"); code != exitOK {
		t.Fatal(stderr)
	}
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"user"}, exitUsage, "", "usage: chatcast user COMMAND\n\n  user list"},
		{[]string{"user", "disable"}, exitUsage, "", "usage: chatcast user disable EMAIL"},
		{[]string{"user", "disable", "nobody@example.com"}, exitFailed, "", "chatcast: user not found"},
		{[]string{"user", "enable", "nobody@example.com"}, exitFailed, "", "chatcast: user not found"},
		{[]string{"user", "reset-password"}, exitUsage, "", "usage: chatcast user reset-password EMAIL [--stdin]"},
		{[]string{"user", "reset-password", "nobody@example.com"}, exitFailed, "", "chatcast: user not found"},
		{[]string{"user", "reset-password", "nobody@example.com", "password"}, exitUsage, "", "unexpected argument"},
		{[]string{"user", "reset-password", "nobody@example.com", "--password=x"}, exitUsage, "", "unknown flag --password; "},
		{[]string{"user", "list"}, exitOK, "ID  EMAIL  ENABLED", ""},
	} {
		code, stdout, stderr := cli(t, dir, c.args...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Error(fmt.Sprint(c.args), code, stdout, stderr)
		}
	}
}
