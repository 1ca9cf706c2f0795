package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatcast/broadcasting/redis/redistest"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestClusterOnRedis connects two nodes by Redis and takes it away: events of the CRM still
// arrive on both, what is not in the journal fails as an error, nobody leaves, and all of it
// heals without a restart.
func TestClusterOnRedis(t *testing.T) {
	server := redistest.Start(t)
	w := newWorld(t, testdb.PostgresURL(t), fmt.Sprintf(`
apps:
- {id: "1", key: ChatsAppApiProdKey}
- {id: shop, key: shop-key, secret: %s}
`, shopSecret))
	a, b := w.start("--bus.url="+server.URL()), w.start("--bus.url="+server.URL())
	e2e.AwaitReady(t, b.Base, http.StatusOK, `"bus":"ok"`)
	owner := w.owner(a)
	line := w.owner(b).Subscribe(telegramChannel)
	write(owner, "before")
	first := until(t, line, "before")
	room, other := b.open(t), a.open(t)
	room.enter("presence-room", "bob")
	a.knows("presence-room", 1)
	other.enter("presence-room", "ann")
	room.gets("pusher_internal:member_added", "presence-room", `"ann"`)
	room.enter("orders", "")
	a.publish("orders", "e", "x", "")
	room.gets("e", "orders", "x")

	server.Kill()
	for _, n := range []*node{a, b} {
		e2e.AwaitReady(t, n.Base, http.StatusServiceUnavailable, `"bus":"failed"`)
		if status, answer := n.api("POST", "events", nil, `{"name":"e","channel":"orders","data":"lost"}`); status != http.StatusServiceUnavailable {
			t.Errorf("a publisher is answered %d %s", status, answer)
		}
	}
	write(owner, "meanwhile")
	got := until(t, line, "meanwhile")
	same(t, "without Redis", append(first, got...), ids(owner, first[0]-1, "meanwhile"))

	server.Launch()
	for _, n := range []*node{a, b} {
		e2e.AwaitReady(t, n.Base, http.StatusOK, `"bus":"ok"`)
		n.knows("presence-room", 2)
	}
	a.publish("orders", "again", "x", "")
	room.gets("again", "orders", "x") // and nothing before it: nobody left, no socket ended
	other.silent()
	for _, n := range []*node{a, b} {
		if metrics := n.metrics(); !strings.Contains(metrics, "chatcast_bus_nodes 2\n") || !strings.Contains(metrics, "chatcast_bus_cut_offs_total 0\n") {
			t.Error("the metrics tell of another number of nodes, or of sockets that were disconnected")
		}
	}
}
