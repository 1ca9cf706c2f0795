package program_test

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// Backends can publish with Pusher's own server libraries; this is the one for Node.
func TestPusherLibraryPublishes(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	ws := e2e.OnOrders(t, p)
	host, port, err := net.SplitHostPort(p.Address())
	if err != nil {
		t.Fatal(err)
	}
	publish := func(secret string) (string, error) {
		out, err := exec.Command("node", "../testdata/browser/publish.cjs", host, port, secret, "orders").CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := publish("not the secret"); err == nil {
		t.Errorf("a wrong secret published: %s", out)
	}
	if out, err := publish(p.Components().Apps.First().Secret); err != nil || out != "{}" {
		t.Errorf("publishing: %s, %v", out, err)
	}
	ws.Shipped()
}
