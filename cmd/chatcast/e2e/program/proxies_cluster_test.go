package program_test

import (
	"fmt"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestClusterBehindNginx runs the example of a proxy in front of three nodes. What pusher-js
// has instead of a WebSocket stays on the node where it began, and a node that has ended is
// left out.
func TestClusterBehindNginx(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Database.URL, cfg.Bus.URL = testdb.PostgresURL(t), "postgres:"
	cfg.Server.TrustedProxies = []string{"127.0.0.1/32"}
	var nodes []*e2e.Running
	var pairs []string
	for i := range 3 {
		nodes = append(nodes, e2e.Start(t, cfg))
		pairs = append(pairs, fmt.Sprintf("server 10.0.0.%d:6001", i+1), "server "+nodes[i].Address())
	}
	f := startNginxWith(t, "nginx-cluster.conf", pairs...)
	f.serves(t)
	for i, p := range nodes {
		for n := range 4 {
			t.Run("session", f.carriesStream(p, fmt.Sprintf("%d/abcdefgh%d", 100+n, i)))
		}
		t.Run("socket", f.carriesSockets(p))
		t.Run("events", f.carriesEvents(p))
	}
	t.Run("address", f.tellsAddresses())
	nodes[0].Stop()
	for n := range 4 {
		t.Run("session without a node", f.carriesStream(nodes[1], fmt.Sprintf("%d/ijklmnop", 100+n)))
		t.Run("socket without a node", f.carriesSockets(nodes[2]))
	}
}
