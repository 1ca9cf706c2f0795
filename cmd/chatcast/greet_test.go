package main

import (
	"bytes"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestFirstStartOnly(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Bootstrap.User.Password = ""
	p := e2e.Start(t, cfg)
	var out bytes.Buffer
	greet(&out, cfg, p.Program)
	password := p.First().Password
	for _, want := range []string{e2e.OwnerEmail, password, "ChatsAppApiProdKey", p.Base + "/v1/tokens", p.Base + "/\n", "app_685_1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the greeting does not show %q:\n%s", want, &out)
		}
	}
	if password == "" {
		t.Error("no password was generated")
	}
	p.SignInAs(t, e2e.OwnerEmail, password)
	p.Stop()

	again := e2e.Start(t, cfg)
	out.Reset()
	greet(&out, cfg, again.Program)
	if again.First().Created || strings.Contains(out.String(), "password") || !strings.Contains(out.String(), again.Base) {
		t.Errorf("the second start greets with\n%s", &out)
	}
	again.SignInAs(t, e2e.OwnerEmail, password)
}
