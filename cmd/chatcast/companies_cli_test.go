package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestCompanyCommandLine makes a company beside a running server, whose owner accepts
// over HTTP.
func TestCompanyCommandLine(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	command := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = run(t.Context(), append(args, "--database.url="+cfg.Database.URL, "--server.public_url=https://chat.example.com"), nil, &out, &errs)
		return code, out.String(), errs.String()
	}
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"company"}, exitUsage, "usage: chatcast company COMMAND\n\n  company create"},
		{[]string{"company", "create", "--name", "Second"}, exitUsage, "usage: chatcast company create --name N --email OWNER"},
		{[]string{"company", "create", "--email", "a@example.com"}, exitUsage, "usage: chatcast company create"},
		{[]string{"company", "create", "--name", "Second", "--email", "a", "extra"}, exitUsage, `unexpected argument "extra"`},
		{[]string{"company", "create", "--name", "Second", "--email", "a"}, exitFailed, "chatcast: ownerEmail must be an e-mail address"},
		{[]string{"company", "create", "--name", "Second", "--password", "x"}, exitUsage, "password"},
		{[]string{"company", "invite", "--email", "a@example.com"}, exitUsage, "usage: chatcast company invite ID"},
		{[]string{"company", "invite", "x", "--email", "a@example.com"}, exitUsage, "usage: chatcast company invite ID"},
		{[]string{"company", "invite", "4711", "--email", "a@example.com"}, exitFailed, "chatcast: company not found"},
	} {
		code, stdout, stderr := command(c.args...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.stderr) {
			t.Errorf("chatcast %s: exit %d\nstdout: %s\nstderr: %s\nwant exit %d, %q", strings.Join(c.args, " "), code, stdout, stderr, c.code, c.stderr)
		}
	}
	code, stdout, stderr := command("company", "create", "--name", "Second", "--email", "ann@example.com")
	made := regexp.MustCompile(`^id       (\d+)\ncode     ([0-9a-f]{64})\nlink     https://chat\.example\.com/#/invitation/([0-9a-f]{64})\nexpires  \d{4}-`).FindStringSubmatch(stdout)
	if code != exitOK || stderr != "" || made == nil || made[2] != made[3] {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = command("company", "invite", made[1], "--email", "ann@example.com")
	again := regexp.MustCompile(`^code     ([0-9a-f]{64})\nlink     `).FindStringSubmatch(stdout)
	if code != exitOK || stderr != "" || again == nil || again[1] == made[2] {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	nobody := &e2e.Client{T: t, Base: p.Base}
	if status, answer := nobody.Call("POST", "/v1/invitations/open", map[string]any{"code": made[2]}); status != 404 {
		t.Errorf("the replaced code: %d %s", status, answer)
	}
	nobody.Must("POST", "/v1/invitations/accept", map[string]any{"code": again[1], "name": "Ann", "password": e2e.OwnerPassword}, nil)
	var me struct {
		Companies []struct{ Name, Role string }
	}
	p.SignInAs(t, "ann@example.com", e2e.OwnerPassword).Must("GET", "/v1/me", nil, &me)
	if len(me.Companies) != 1 || me.Companies[0].Name != "Second" || me.Companies[0].Role != "owner" {
		t.Errorf("%+v", me)
	}
	code, stdout, _ = command("company", "list")
	if code != exitOK || !regexp.MustCompile(made[1]+`\s+1\s+1\s+0\s+\S+\s+"Second"\n$`).MatchString(stdout) || strings.Count(stdout, "\n") != 3 {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}
