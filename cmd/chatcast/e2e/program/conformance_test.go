package program_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/pusher/conformance"
)

// TestConformanceOfTheProgram runs the conformance table, which fits any Pusher server,
// against the whole program with everything on.
func TestConformanceOfTheProgram(t *testing.T) {
	has := func(f conformance.Feature) bool { return slices.Contains(conformance.Chatcast, f) }
	hooks, err := conformance.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hooks.Close)
	webhooks := "[]"
	if has(conformance.Webhooks) {
		webhooks = fmt.Sprintf("[{url: %s}]", hooks.URL())
	}
	cfg := e2e.Config(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	err = os.WriteFile(path, fmt.Appendf(nil, `
apps:
  - {id: "1", key: main, secret: a secret, client_events: true, subscription_count: %v, webhooks: %s}
  - {id: "2", key: other, secret: another secret, client_events: true}
  - {id: "3", key: disabled, secret: s, enabled: false}
  - {id: "4", key: small, secret: s, limits: {sockets: 1}}
  - {id: "5", key: quiet, secret: s, client_events: false}
  - {id: "6", key: timeout, secret: s, client_events: true, user_authentication: %v}
webhooks: {allow_private_targets: %v}
`, has(conformance.SubscriptionCount), webhooks, has(conformance.AuthTimeout), has(conformance.Webhooks)), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	read, err := config.Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Apps, cfg.Webhooks = read.Apps, read.Webhooks
	cfg.Limits.MessagesPerSecond = 5000 // a case sends 10,000 on one socket
	p := e2e.Start(t, cfg)
	app := func(i int) conformance.App {
		return conformance.App{ID: cfg.Apps[i].ID, Key: cfg.Apps[i].Key, Secret: cfg.Apps[i].Secret}
	}
	target := conformance.Target{
		URL: "ws" + strings.TrimPrefix(p.Base, "http"), HTTP: p.Base, App: app(0), Claims: conformance.Chatcast, Patience: testwait.Long,
		Other: app(1), DisabledKey: "disabled", SmallKey: "small", QuietKey: "quiet", Timeout: app(5), Hooks: hooks,
	}
	// One case waits for half a minute, with an app of its own: the others run meanwhile.
	waits := func(c conformance.Case) bool { return c.Feature == conformance.AuthTimeout }
	silent := func(c conformance.Case) bool { return c.Name == "silence" } // its timeout is longer here; server/pusher/conformance has a shorter one
	for name, leftOut := range map[string]func(conformance.Case) bool{
		"waiting": func(c conformance.Case) bool { return !waits(c) },
		"others":  func(c conformance.Case) bool { return waits(c) || silent(c) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Log(conformance.Sum(conformance.Check(t, target, slices.DeleteFunc(conformance.Cases(), leftOut))))
		})
	}
}
