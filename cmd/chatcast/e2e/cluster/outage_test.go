package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestClusterOutage takes the database away from one node of two. That one says that it is
// deaf, its publishers get errors, and it comes back without a restart: the journal is then
// delivered without a gap, and who has lost a right meanwhile has lost it there too.
func TestClusterOutage(t *testing.T) {
	url := testdb.PostgresURL(t)
	between := testdb.Between(t, url)
	w := newWorld(t, url, fmt.Sprintf(`
apps:
- {id: "1", key: ChatsAppApiProdKey}
- {id: shop, key: shop-key, secret: %s}
`, shopSecret))
	a, b := w.start(), w.start("--database.url="+between.URL)
	e2e.AwaitReady(t, b.Base, http.StatusOK, `"bus":"ok"`)
	owner := w.owner(a)
	bea, beaID := owner.Hire(&e2e.Running{Base: a.Base})
	w.tokens["bea@example.com"] = bea.Token
	line := w.owner(b).Subscribe(telegramChannel)
	write(owner, "before")
	first := until(t, line, "before")
	room, other := b.open(t), a.open(t)
	room.enter("presence-room", "bob")
	a.knows("presence-room", 1)
	other.enter("presence-room", "ann")
	room.gets("pusher_internal:member_added", "presence-room", `"ann"`)

	between.Cut()
	e2e.AwaitReady(t, b.Base, http.StatusServiceUnavailable, `"bus":"unavailable"`)
	e2e.AwaitReady(t, a.Base, http.StatusOK, `"bus":"ok"`)
	if !strings.Contains(b.metrics(), "chatcast_bus_up 0\n") {
		t.Error("the metrics say that the node hears the others")
	}
	if status, answer := b.api("POST", "events", nil, `{"name":"e","channel":"orders","data":"x"}`); status != http.StatusServiceUnavailable {
		t.Errorf("a publisher on the deaf node is answered %d %s", status, answer)
	}
	if status, answer := b.api("GET", "channels", nil, ""); status != http.StatusServiceUnavailable {
		t.Errorf("who asks the deaf node for the channels is answered %d %s", status, answer)
	}
	if status, answer := w.owner(b).Call("POST", "/broadcasting/auth", map[string]string{"socket_id": room.id, "channel_name": telegramChannel}); status != http.StatusServiceUnavailable || !strings.Contains(string(answer), "try again later") {
		t.Errorf("who asks the deaf node to be let in is answered %d %s", status, answer)
	}
	room.send("client-move", map[string]any{})
	_ = room.ws.WriteJSON(map[string]any{"event": "client-move", "channel": "presence-room", "data": map[string]any{}})
	room.gets("pusher:error", "")
	room.gets("pusher:error", "", "could not be published")
	a.publish("orders", "e", "x", "") // the other one works
	other.gets("pusher_internal:member_removed", "presence-room", `"bob"`)
	write(owner, "meanwhile")

	between.Heal()
	e2e.AwaitReady(t, b.Base, http.StatusOK, `"tail":"ok"`)
	got := until(t, line, "meanwhile") // no right was taken away, so the socket is still there
	same(t, "after the outage", append(first, got...), ids(owner, first[0]-1, "meanwhile"))
	other.gets("pusher_internal:member_added", "presence-room", `"bob"`)
	room.enter("orders", "")
	a.publish("orders", "again", "x", "")
	room.gets("again", "orders")

	theirs := b.as(bea.Token).Subscribe(telegramChannel)
	between.Cut()
	e2e.AwaitReady(t, b.Base, http.StatusServiceUnavailable, `"bus":"unavailable"`)
	owner.Must("PATCH", fmt.Sprintf("/v1/companies/2224/employees/%d", beaID), map[string]any{"licenses": []any{}}, nil)
	write(owner, "not for Bea")
	between.Heal()
	e2e.Ends(t, theirs.Conn, 4200)
	room.ends(4200)
	e2e.AwaitReady(t, b.Base, http.StatusOK, `"bus":"ok"`)
	ws, id := e2e.ConnectSocket(t, b.Base)
	if status, answer := b.as(bea.Token).Call("POST", "/broadcasting/auth", map[string]string{"socket_id": id, "channel_name": telegramChannel}); status != http.StatusForbidden {
		t.Errorf("Bea is answered %d %s", status, answer)
	}
	ws.Close()
	testwait.Count(t, "cut offs", 1, func() int { return strings.Count(b.metrics(), "chatcast_bus_cut_offs_total 1\n") })
}

// TestClusterStarts checks what may run together: nodes of a cluster, and no program that
// believes to be alone.
func TestClusterStarts(t *testing.T) {
	w := newWorld(t, testdb.PostgresURL(t), "")
	a := w.start()
	for what, flags := range map[string][]string{
		"another chatcast is running on this database": {"--bus.url=memory:"},
	} {
		out, err := w.command(append([]string{"serve"}, flags...)...)
		if err == nil || !strings.Contains(out, what) {
			t.Errorf("%q ends with %v: %s", flags, err, out)
		}
	}
	a.kill()
	alone := w.start("--bus.url=memory:")
	out, err := w.command("serve")
	if err == nil || !strings.Contains(out, "with bus.url memory:") {
		t.Errorf("a node beside a program that is alone ends with %v: %s", err, out)
	}
	alone.kill()
	w.start()
}
