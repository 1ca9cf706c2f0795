package program_test

import (
	"encoding/json"
	"net"
	"os/exec"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// call is a call of one of the library's methods, and its expected result.
type call struct {
	args   []any
	status int
	body   string
}

// nodeCalls calls the methods of Pusher's library for Node against the address.
func nodeCalls(t *testing.T, address, secret string, calls []call) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	args := make([][]any, len(calls))
	for i, c := range calls {
		args[i] = c.args
	}
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "../testdata/browser/backend.cjs", host, port, secret, string(text))
	cmd.Env = append(cmd.Environ(), "NODE_OPTIONS=--no-deprecation")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got []struct {
		Status int
		Body   string
	}
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(calls) {
		t.Fatalf("%v: %s", err, out)
	}
	for i, c := range calls {
		if got[i].Status != c.status || got[i].Body != c.body {
			t.Errorf("%v: %d %s\nwant %d %s", c.args, got[i].Status, got[i].Body, c.status, c.body)
		}
	}
}

type object = map[string]any

// enterPresence subscribes a socket to a presence channel, and returns it with its id.
func enterPresence(t *testing.T, p *e2e.Running, channel, user string) (ws *e2e.Socket, socketID string) {
	t.Helper()
	ws = e2e.Dial(t, p.Base)
	var hello struct{ Data string }
	var id struct {
		SocketID string `json:"socket_id"`
	}
	if err := ws.ReadJSON(&hello); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(hello.Data), &id); err != nil {
		t.Fatal(err)
	}
	data := `{"user_id":"` + user + `"}`
	auth := p.Components().Apps.First().AuthChannel(id.SocketID, channel, data)
	if err := ws.WriteJSON(object{"event": "pusher:subscribe", "data": object{"channel": channel, "auth": auth, "channel_data": data}}); err != nil {
		t.Fatal(err)
	}
	if _, text, err := ws.ReadMessage(); err != nil || !strings.Contains(string(text), "subscription_succeeded") {
		t.Fatalf("%s, %v", text, err)
	}
	return ws, id.SocketID
}

// TestPusherLibraryForNode calls the methods of Pusher's unmodified library for Node.
func TestPusherLibraryForNode(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	orders := e2e.OnOrders(t, p)
	for _, user := range []string{"B", "A", "B"} {
		enterPresence(t, p, "presence-room", user)
	}
	get := func(path string, params object) []any { return []any{"get", object{"path": path, "params": params}} }
	event := func(channel string, more object) object {
		e := object{"channel": channel, "name": "shipped", "data": object{"order": 7}}
		for k, v := range more {
			e[k] = v
		}
		return e
	}
	pusherError := func(text string, status int) string {
		out, _ := json.Marshal(struct {
			Error  string `json:"error"`
			Status int    `json:"status"`
		}{text, status})
		return string(out)
	}
	nodeCalls(t, p.Address(), p.Components().Apps.First().Secret, []call{
		{[]any{"trigger", "orders", "shipped", object{"order": 7}}, 200, `{}`},
		{[]any{"trigger", []string{"presence-room", "a;b,c=d@e.f"}, "ü + &", "text", object{"info": "user_count", "socket_id": "1.2"}}, 200,
			`{"channels":{"a;b,c=d@e.f":{},"presence-room":{"user_count":2}}}`},
		{[]any{"trigger", "private-encrypted-x", "e", "x"}, 200, `{}`},
		{[]any{"triggerBatch", []object{event("orders", nil), event("private-encrypted-x", nil)}}, 200, `{}`},
		{[]any{"triggerBatch", []object{event("presence-room", object{"info": "user_count"}), event("other", nil)}}, 200, `{"batch":[{"user_count":2},{}]}`},
		{[]any{"triggerBatch", []object{event("orders", nil), event("a b", nil)}}, 400,
			pusherError("batch[1]: channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;", 400)},
		{[]any{"trigger", "orders", "shipped", strings.Repeat("x", 10_001)}, 413, pusherError("data: the content of this event is over 10000 bytes", 413)},
		{get("/channels", nil), 200, `{"channels":{"orders":{},"presence-room":{}}}`},
		{get("/channels", object{"filter_by_prefix": "presence-", "info": "user_count"}), 200, `{"channels":{"presence-room":{"user_count":2}}}`},
		{get("/channels", object{"filter_by_prefix": "a;b"}), 200, `{"channels":{}}`},
		{get("/channels", object{"info": "user_count"}), 400, pusherError("info may ask for user_count only with a filter_by_prefix that begins with presence-", 400)},
		{get("/channels/presence-room", object{"info": "user_count,subscription_count"}), 200, `{"occupied":true,"user_count":2}`},
		{get("/channels/a;b,c=d@e.f", nil), 200, `{"occupied":false}`},
		{get("/channels/orders", object{"info": "user_count"}), 400, pusherError("info may ask for user_count only on presence channels", 400)},
		{get("/channels/presence-room/users", nil), 200, `{"users":[{"id":"B"},{"id":"A"}]}`},
		{get("/channels/orders/users", nil), 400, pusherError("only presence channels have users", 400)},
		{get("/channels/presence-room/stats", nil), 200, `{"occupied":true}`},
		{[]any{"sendToUser", "685", "e", "x"}, 200, `{}`},
		{[]any{"terminateUserConnections", "a;b,c=d@e.f ü+50"}, 200, `{}`},
		{get("/channels/cache-never", object{"info": "cache"}), 200, `{"occupied":false,"cache":null}`},
		{[]any{"post", object{"path": "/channels/orders/events", "params": object{"name": "shipped"}, "body": object{"order": 7}}}, 202, ``},
	})
	for range 3 { // trigger, triggerBatch, and the old way
		orders.Shipped()
	}
	nodeCalls(t, p.Address(), "not the secret", []call{{get("/channels", nil), 401,
		pusherError("auth_signature is not the HMAC-SHA256 of GET, the path and the sorted query with the app's secret", 401)}})
}
