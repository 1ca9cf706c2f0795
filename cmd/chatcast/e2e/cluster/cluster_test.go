package cluster_test

import (
	"encoding/json"

	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models/testdb"
)

// TestCluster starts the program three times on one PostgreSQL, on an empty database and
// all at once. What clients see is what they would see of one program, also when a node is
// killed.
func TestCluster(t *testing.T) {
	hooks := receive(t)
	w := newWorld(t, testdb.EmptyPostgresURL(t), fmt.Sprintf(`
webhooks: {allow_private_targets: true}
apps:
- {id: "1", key: ChatsAppApiProdKey}
- {id: shop, key: shop-key, secret: %[1]s, webhooks: [{url: %[2]q}]}
- {id: counted, key: counted-key, secret: %[1]s, subscription_count: true}
`, shopSecret, hooks.url))
	var starting sync.WaitGroup
	list := make([]*node, 3)
	for i := range list {
		starting.Go(func() { list[i] = w.start() })
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	c := &nodes{w, hooks, list[0], list[1], list[2]}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, c *nodes)
	}{
		{"publish", publishElsewhere}, {"presence", presence}, {"counts", counts}, {"client events", clientEvents}, {"cache channels", cacheChannels},
		{"users", users}, {"journal", journal}, {"resume", resume}, {"streams", streams}, {"rights", rights}, {"sessions", sessions}, {"keys", keys},
		{"apps", appChanges}, {"employees", employees}, {"callback URL", callbackURL}, {"metrics", busMetrics}, {"kill", killed}, {"stop", stopped},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c) })
	}
}

// nodes is a cluster of three.
type nodes struct {
	*world
	hooks   *receiver
	a, b, d *node
}

func (c *nodes) all() []*node { return []*node{c.a, c.b, c.d} }

// publishElsewhere publishes over HTTP on one node for the sockets of the others.
func publishElsewhere(t *testing.T, c *nodes) {
	a, b := c.a.open(t), c.b.open(t)
	a.enter("orders", "")
	b.enter("orders", "")
	for i := range 20 {
		from := c.all()[i%3]
		from.publish("orders", "shipped", fmt.Sprint(i), "")
		a.gets("shipped", "orders", fmt.Sprint(i))
		b.gets("shipped", "orders", fmt.Sprint(i))
	}
	c.d.publish("orders", "not-for-a", "x", a.id)
	b.gets("not-for-a", "orders")
	large := strings.Repeat("ä", 4500) // more than one notification
	c.d.publish("orders", "large", large, "")
	if data := a.gets("large", "orders"); data != large {
		t.Errorf("%d of %d bytes arrive", len(data), len(large))
	}
	a.silent()
}

// presence has members on all nodes, one of them twice.
func presence(t *testing.T, c *nodes) {
	const room = "presence-room"
	a, b, b2 := c.a.open(t), c.b.open(t), c.b.open(t)
	if data := a.enter(room, "ann"); !strings.Contains(data, `"count":1`) {
		t.Errorf("the first member is told %s", data)
	}
	c.b.knows(room, 1)
	if data := b.enter(room, "bob"); !strings.Contains(data, `"count":2`) || !strings.Contains(data, `"ann":{"name":"Nann"}`) {
		t.Errorf("the second member is told %s", data)
	}
	a.gets("pusher_internal:member_added", room, `"user_id":"bob"`)
	b2.enter(room, "ann") // is there already, on another node
	c.d.knows(room, 2)
	d := c.d.open(t)
	d.enter(room, "dan")
	for _, p := range []*page{a, b, b2} {
		p.gets("pusher_internal:member_added", room, `"user_id":"dan"`)
	}
	for _, n := range c.all() {
		query := map[string]string{"filter_by_prefix": "presence-ro", "info": "user_count"}
		if _, answer := n.api("GET", "channels", query, ""); answer != `{"channels":{"presence-room":{"user_count":3}}}` {
			t.Errorf("the channels are %s", answer)
		}
		_, answer := n.api("GET", "channels/"+room+"/users", nil, "")
		for _, id := range []string{"ann", "bob", "dan"} {
			if strings.Count(answer, `"`+id+`"`) != 1 {
				t.Errorf("the users are %s", answer)
			}
		}
	}
	c.b.publish(room, "mark", "1", "") // comes to every node behind what node b has told of b2
	for _, p := range []*page{a, b, b2, d} {
		p.gets("mark", room, "1")
	}
	a.send("pusher:unsubscribe", map[string]string{"channel": room}) // ann is still there by b2
	a.silent()
	c.a.publish(room, "mark", "2", "")
	for _, p := range []*page{b, b2, d} {
		p.gets("mark", room, "2")
	}
	d.ws.Close()
	for _, p := range []*page{b, b2} {
		p.gets("pusher_internal:member_removed", room, `"user_id":"dan"`)
	}
	b2.ws.Close()
	b.gets("pusher_internal:member_removed", room, `"user_id":"ann"`)
	b.ws.Close()
	c.hooks.await(t, "channel_vacated "+room)
	c.hooks.check(t, room, "channel_occupied", "member_added ann", "member_added bob", "member_added dan",
		"member_removed ann", "member_removed bob", "member_removed dan", "channel_vacated")
}

// counts are those of all nodes.
func counts(t *testing.T, c *nodes) {
	const channel = "stand"
	a, b := c.a.of(counted), c.b.of(counted)
	first, second := a.open(t), b.open(t)
	first.enter(channel, "")
	second.enter(channel, "")
	for _, p := range []*page{first, second} {
		for data := ""; data != `{"subscription_count":2}`; _, _, data = p.next() {
		}
	}
	for _, n := range []*node{a, b, c.d.of(counted)} {
		n.as("").Eventually("both are counted", func() bool {
			_, answer := n.api("GET", "channels/"+channel, map[string]string{"info": "subscription_count"}, "")
			return answer == `{"occupied":true,"subscription_count":2}`
		})
	}
	second.ws.Close()
	first.gets("pusher_internal:subscription_count", channel, `{"subscription_count":1}`)
}

// clientEvents go to the others of a channel on every node. Their rate is that of a socket.
func clientEvents(t *testing.T, c *nodes) {
	const room = "presence-games"
	a, b := c.a.open(t), c.b.open(t)
	a.enter(room, "ann")
	c.b.knows(room, 1)
	b.enter(room, "bob")
	a.gets("pusher_internal:member_added", room)
	b.send("client-move", map[string]any{}) // without a channel
	b.gets("pusher:error", "")
	move := func(p *page, n int) {
		_ = p.ws.WriteJSON(map[string]any{"event": "client-move", "channel": room, "data": map[string]int{"n": n}})
	}
	for n := range 30 { // at most ten a second
		move(b, n)
	}
	rejected, last := 0, -1
	for b.send("pusher:ping", map[string]any{}); ; rejected++ {
		event, _, data := b.next()
		if event == "pusher:pong" {
			break
		}
		if event != "pusher:error" || !strings.Contains(data, "rate limit") {
			t.Fatalf("the sender gets %s %s", event, data)
		}
	}
	if rejected < 10 || rejected > 20 {
		t.Errorf("of 30 client events %d are rejected", rejected)
	}
	for range 30 - rejected {
		var at struct{ N int }
		if err := json.Unmarshal([]byte(a.gets("client-move", room)), &at); err != nil || at.N <= last {
			t.Fatalf("%d comes after %d: %v", at.N, last, err)
		}
		last = at.N
	}
	a.silent()
	a.ws.Close()
	b.ws.Close()
	c.hooks.await(t, "channel_vacated "+room)
	if n := c.hooks.count("client_event " + room); n != 30-rejected {
		t.Errorf("%d webhooks tell of %d client events", n, 30-rejected)
	}
}

// cacheChannels give a new subscriber the last event, whichever node published it.
func cacheChannels(t *testing.T, c *nodes) {
	const channel = "cache-price"
	a := c.a.open(t)
	a.enter(channel, "")
	a.gets("pusher:cache_miss", channel)
	for i, n := range c.all() {
		n.publish(channel, "price", fmt.Sprint(i), "")
		a.gets("price", channel, fmt.Sprint(i))
	}
	b := c.b.open(t)
	b.enter(channel, "")
	b.gets("price", channel, "2")
	if _, answer := c.a.api("GET", "channels/"+channel, map[string]string{"info": "cache"}, ""); !strings.Contains(answer, `"data":"2"`) {
		t.Errorf("the cache is %s", answer)
	}
	a.silent()
}

// users sign in on one node, are watched on another, and terminated from a third.
func users(t *testing.T, c *nodes) {
	watcher, one, two := c.a.open(t), c.b.open(t), c.d.open(t)
	watcher.signIn(`{"id":"W","watchlist":["U"]}`)
	one.signIn(`{"id":"U"}`)
	watcher.gets("pusher_internal:watchlist_events", "", `"online"`, `"U"`)
	two.signIn(`{"id":"U"}`)
	late := c.d.open(t)
	late.signIn(`{"id":"L","watchlist":["U"]}`)
	late.gets("pusher_internal:watchlist_events", "", `"online"`, `"U"`)
	one.enter("#server-to-user-U", "")
	c.a.publish("#server-to-user-U", "hello", "x", "")
	one.gets("hello", "#server-to-user-U")
	if status, answer := c.a.api("POST", "users/U/terminate_connections", nil, ""); status != http.StatusOK {
		t.Errorf("terminating: %d %s", status, answer)
	}
	one.ends(4009)
	two.ends(4009)
	watcher.gets("pusher_internal:watchlist_events", "", `"offline"`, `"U"`)
	late.gets("pusher_internal:watchlist_events", "", `"offline"`, `"U"`)
	watcher.silent()
}

// busMetrics are those of the connection between the nodes.
func busMetrics(t *testing.T, c *nodes) {
	for i, n := range c.all() {
		text := n.metrics()
		for _, line := range []string{"chatcast_bus_up 1\n", "chatcast_bus_nodes 3\n", "chatcast_bus_cut_offs_total 0\n", "chatcast_bus_joins_total 0\n"} {
			if !strings.Contains(text, line) {
				t.Errorf("node %d has no metric %s", i, line)
			}
		}
	}
}

// appChanges are in force on every node when the answer arrives.
func appChanges(t *testing.T, c *nodes) {
	owner := c.owner(c.a)
	var app, rotated crm.AppWithSecret
	owner.Must("POST", "/v1/apps", map[string]any{"name": "Made while it runs"}, &app)
	on := func(when, secret string, code, status int) {
		t.Helper()
		for _, n := range c.all() {
			e2e.OnApp(t, n.Base, app.ID, app.Key).Expect(when, secret, code, status)
		}
	}
	on("made", app.Secret, 0, 200)
	c.owner(c.b).Must("POST", "/v1/apps/"+app.ID+"/rotate", map[string]any{"keepOld": 0}, &rotated)
	on("rotated, the old secret", app.Secret, 0, 401)
	on("rotated, the new secret", rotated.Secret, 0, 200)
	open, _ := e2e.OnApp(t, c.a.Base, app.ID, app.Key).Socket()
	c.owner(c.d).Must("PATCH", "/v1/apps/"+app.ID, map[string]any{"enabled": false}, nil)
	e2e.Ends(t, open, 4003)
	on("disabled", rotated.Secret, 4003, 403)
	owner.Must("DELETE", "/v1/apps/"+app.ID, nil, nil)
	on("deleted", rotated.Secret, 4001, 401)
}

// killed kills a node. Its members leave once, after its lease; those who are on another
// node as well stay.
func killed(t *testing.T, c *nodes) {
	const room = "presence-killed"
	a := c.a.open(t)
	a.enter(room, "ann")
	c.b.knows(room, 1)
	for _, id := range []string{"bob", "ann", "bea"} {
		c.b.open(t).enter(room, id)
	}
	a.gets("pusher_internal:member_added", room, `"bob"`)
	a.gets("pusher_internal:member_added", room, `"bea"`)
	watcher := c.d.open(t)
	watcher.signIn(`{"id":"W","watchlist":["U"]}`)
	user := c.b.open(t)
	user.signIn(`{"id":"U"}`)
	watcher.gets("pusher_internal:watchlist_events", "", `"online"`)
	c.b.kill()
	gone := map[string]bool{}
	for range 2 {
		data := a.gets("pusher_internal:member_removed", room)
		gone[data] = true
	}
	if len(gone) != 2 || !gone[`{"user_id":"bob"}`] || !gone[`{"user_id":"bea"}`] {
		t.Errorf("those who leave are %v", gone)
	}
	watcher.gets("pusher_internal:watchlist_events", "", `"offline"`)
	a.silent()
	if _, answer := c.a.api("GET", "channels/"+room+"/users", nil, ""); answer != `{"users":[{"id":"ann"}]}` {
		t.Errorf("the users are %s", answer)
	}
	c.b = c.startOn(c.t)
	if data := c.b.open(t).enter(room, "cid"); !strings.Contains(data, `"count":2`) {
		t.Errorf("the node that was started again says %s", data)
	}
	a.gets("pusher_internal:member_added", room, `"cid"`)
	c.owner(c.b).Must("POST", e2e.TelegramPath+"/inbound", e2e.Inbound("after-kill", "43", "still there"), nil)
	c.owner(c.a).Eventually("the journal goes on", func() bool {
		for _, ev := range c.owner(c.a).Events(telegramChannel) {
			if strings.Contains(ev.Item(), "still there") {
				return true
			}
		}
		return false
	})
}

// stopped stops a node in order: its members leave at once, and its sockets are told to
// come back.
func stopped(t *testing.T, c *nodes) {
	const room = "presence-stopped"
	a, d := c.a.open(t), c.d.open(t)
	a.enter(room, "ann")
	c.d.knows(room, 1)
	d.enter(room, "dan")
	a.gets("pusher_internal:member_added", room)
	if err := c.d.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.ends(4200) // at once: the others serve
	a.gets("pusher_internal:member_removed", room, `"dan"`)
	if err := c.d.Cmd.Wait(); err != nil {
		t.Errorf("the node ended with %v: %s", err, c.d.Errs)
	}
	if log := errorLines(c.d.Errs.String()); log != "" {
		t.Errorf("the node that was stopped says\n%s", log)
	}
	testwait.Count(t, "nodes", 1, func() int {
		if strings.Contains(c.a.metrics(), "chatcast_bus_nodes 2\n") {
			return 1
		}
		return 0
	})
}
