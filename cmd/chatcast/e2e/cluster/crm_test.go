package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

const telegramChannel = "private-v1.licenses.1229.messengers.telegram"

// ids waits until the journal has the event with this text, and returns the ids of the
// events of the Telegram line after one.
func ids(c *e2e.Client, after int64, text string) (list []int64) {
	c.T.Helper()
	c.Eventually("the journal has "+text, func() bool {
		list = nil
		there := false
		for _, ev := range c.Events(telegramChannel) {
			if ev.ID > after {
				list = append(list, ev.ID)
			}
			there = there || strings.Contains(ev.Item(), text)
		}
		return there
	})
	return list
}

// write brings a message to the Telegram line.
func write(c *e2e.Client, text string) {
	c.T.Helper()
	c.Must("POST", e2e.TelegramPath+"/inbound", e2e.Inbound(strings.ReplaceAll(text, " ", "-"), "42", text), nil)
}

// until reads events of a socket up to the one with this text, and returns their ids.
func until(t *testing.T, ws *e2e.Socket, text string) (got []int64) {
	t.Helper()
	for {
		var frame struct{ Event, Data string }
		var data e2e.Payload
		if err := ws.ReadJSON(&frame); err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		if json.Unmarshal([]byte(frame.Data), &data) != nil || data.Payload.Meta.EventID == 0 {
			continue // a position or a ping
		}
		got = append(got, data.Payload.Meta.EventID)
		if strings.Contains(frame.Data, text) {
			return got
		}
	}
}

// same expects that what came is what the journal has.
func same(t *testing.T, what string, got, want []int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\n%v, want\n%v", what, got, want)
	}
}

// journal posts messages to two nodes at a time. They come to the sockets of all nodes once,
// and in the order of their ids.
func journal(t *testing.T, c *nodes) {
	var sockets []*e2e.Socket
	for _, n := range c.all() {
		sockets = append(sockets, c.owner(n).Subscribe(telegramChannel))
	}
	var posting sync.WaitGroup
	for i, n := range c.all()[1:] {
		owner := c.owner(n)
		posting.Go(func() {
			for n := range 30 {
				write(owner, fmt.Sprintf("from %d number %d", i, n))
			}
		})
	}
	posting.Wait()
	write(c.owner(c.b), "the end of it")
	first := until(t, sockets[0], "the end of it")
	if len(first) < 61 {
		t.Errorf("%d events for 61 messages", len(first))
	}
	same(t, "the first node", first, ids(c.owner(c.a), first[0]-1, "the end of it"))
	same(t, "the second node", until(t, sockets[1], "the end of it"), first)
	same(t, "the third node", until(t, sockets[2], "the end of it"), first)
}

// resume comes back to another node, with the last event id, and with nothing but the socket
// before.
func resume(t *testing.T, c *nodes) {
	ws, id := e2e.ConnectSocket(t, c.a.Base)
	auth, data := c.owner(c.a).Authorize(id, telegramChannel, map[string]any{"last_event_ids": map[string]any{}})
	ws.Enter(telegramChannel, auth, data)
	write(c.owner(c.b), "before the cut")
	before := until(t, ws, "before the cut")
	last := before[len(before)-1]
	ws.Close()
	for n := range 20 {
		write(c.owner(c.d), fmt.Sprintf("missed %d", n))
	}
	write(c.owner(c.d), "the last that was missed")
	want := ids(c.owner(c.d), last, "the last that was missed")
	for _, n := range c.all() {
		again := c.owner(n).Resume(telegramChannel, map[string]any{"last_event_id": last})
		same(t, "by the last event id", until(t, again, "the last that was missed"), want)
	}
	again := c.owner(c.b).Resume(telegramChannel, map[string]any{"previous_socket_id": id})
	write(c.owner(c.a), "live after it")
	got := until(t, again, "live after it")
	if at := slices.Index(got, want[0]); at < 0 {
		t.Errorf("by the socket before: %v, want all of %v", got, want)
	} else {
		same(t, "by the socket before", got[at:], ids(c.owner(c.a), last, "live after it"))
	}
}

// streams are opened on one node with the ticket of another, and come back to a third.
func streams(t *testing.T, c *nodes) {
	path := c.owner(c.a).Ticket(telegramChannel)
	s := (&e2e.Client{T: t, Base: c.b.Base}).MustStream(path, "")
	write(c.owner(c.d), "for the stream")
	if e := s.Next(); e == nil || !strings.Contains(e.Data, "for the stream") {
		t.Errorf("the stream gets %v", e)
	}
	write(c.owner(c.d), "while it is cut")
	last := s.LastID
	s.Cut()
	s = (&e2e.Client{T: t, Base: c.d.Base}).MustStream(path, last)
	if e := s.Next(); e == nil || !strings.Contains(e.Data, "while it is cut") {
		t.Errorf("the stream that came back gets %v", e)
	}
}

// rights that end on one node end on the sockets of all others.
func rights(t *testing.T, c *nodes) {
	bea, id := c.owner(c.d).Hire(&e2e.Running{Base: c.d.Base})
	c.tokens["bea@example.com"] = bea.Token
	var sockets []*e2e.Socket
	for _, n := range c.all() {
		sockets = append(sockets, n.as(bea.Token).Subscribe(telegramChannel))
	}
	// The socket is on one node, and its permission comes from another.
	ws, socketID := e2e.ConnectSocket(t, c.a.Base)
	auth, data := c.b.as(bea.Token).Authorize(socketID, telegramChannel, nil)
	ws.Enter(telegramChannel, auth, data)
	sockets = append(sockets, ws)

	employee := fmt.Sprintf("/v1/companies/2224/employees/%d", id)
	c.owner(c.d).Must("PATCH", employee, map[string]any{"licenses": []any{}}, nil)
	for i, ws := range sockets {
		for event := ""; event != "pusher:subscription_error"; {
			var frame struct{ Event string }
			if err := ws.ReadJSON(&frame); err != nil {
				t.Fatalf("socket %d: %v", i, err)
			}
			event = frame.Event
		}
	}
	write(c.owner(c.a), "not for Bea")
	for _, ws := range sockets {
		ws.Silence()
	}
	c.owner(c.a).Must("PATCH", employee, map[string]any{"licenses": []any{map[string]any{"licenseId": 1229, "write": true}}}, nil)
	again := c.b.as(bea.Token).Subscribe(telegramChannel)
	c.owner(c.d).Must("DELETE", employee, nil, nil)
	for _, ws := range append(sockets, again) {
		expelled(t, ws)
	}
}

// keys that are revoked on one node end on all.
func keys(t *testing.T, c *nodes) {
	var made struct {
		ID  int64
		Key string
	}
	c.owner(c.a).Must("POST", "/v1/keys", map[string]any{"name": "program", "rights": []string{"read"}}, &made)
	var sockets []*e2e.Socket
	for _, n := range c.all() {
		sockets = append(sockets, n.as(made.Key).Subscribe(telegramChannel))
	}
	ws, socketID := e2e.ConnectSocket(t, c.a.Base) // and its permission comes from another node
	auth, data := c.b.as(made.Key).Authorize(socketID, telegramChannel, nil)
	ws.Enter(telegramChannel, auth, data)
	stream := c.b.as(made.Key).MustStream(e2e.StreamPath(telegramChannel, ""), "")
	c.owner(c.d).Must("DELETE", fmt.Sprintf("/v1/keys/%d", made.ID), nil, nil)
	for _, ws := range append(sockets, ws) {
		expelled(t, ws)
	}
	stream.Ends("the stream of a revoked key")
	for _, n := range c.all() {
		if status, answer := n.as(made.Key).Call("GET", "/v1/licenses", nil); status != http.StatusForbidden {
			t.Errorf("a revoked key is answered %d %s", status, answer)
		}
	}
}

// expelled expects that the socket is closed because its user's access has ended.
func expelled(t *testing.T, ws *e2e.Socket) {
	t.Helper()
	for {
		if _, frame, err := ws.ReadMessage(); websocket.IsCloseError(err, 4009) {
			return
		} else if err != nil {
			t.Errorf("%s, %v", frame, err)
			return
		}
	}
}

// sessions that end on one node end on the others.
func sessions(t *testing.T, c *nodes) {
	phone := (&e2e.Running{Base: c.a.Base}).SignIn(t)
	onA, onB := c.a.as(phone.Token).Subscribe(e2e.UserChannel), c.b.as(phone.Token).Subscribe(e2e.UserChannel)
	other := c.owner(c.b).Subscribe(e2e.UserChannel)
	c.d.as(phone.Token).Must("DELETE", "/v1/tokens", nil, nil)
	expelled(t, onA)
	expelled(t, onB)
	for _, n := range c.all() {
		if status, _ := n.as(phone.Token).Call("GET", "/v1/companies/2224/employees", nil); status != http.StatusForbidden {
			t.Errorf("the token is answered %d", status)
		}
	}
	other.Silence()
}

// employees are online while they have a socket on any node, and that is told once.
func employees(t *testing.T, c *nodes) {
	owner := c.owner(c.a)
	before := owner.Events(e2e.CompanyChannel)
	last := int64(0)
	if len(before) > 0 {
		last = before[len(before)-1].ID
	}
	first := c.owner(c.a).Subscribe(e2e.UserChannel)
	second := c.owner(c.b).Subscribe(e2e.UserChannel)
	first.Close()
	write(owner, "she is still there")
	second.Silence()
	changes := 0
	for _, ev := range owner.Events(e2e.CompanyChannel) {
		if ev.ID > last && ev.Event == "employeeStatus" && strings.Contains(ev.Item(), `"id":685`) {
			changes++
		}
	}
	if changes > 1 {
		t.Errorf("%d changes were told for one who came", changes)
	}
}

// callbackURL gets each event of the line once and in order, though three nodes could post
// it.
func callbackURL(t *testing.T, c *nodes) {
	var mu sync.Mutex
	var got []int64 // guarded by mu
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct{ Meta struct{ EventID int64 } }
		if json.NewDecoder(r.Body).Decode(&event) != nil {
			return // the check of the URL
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, event.Meta.EventID)
	}))
	t.Cleanup(srv.Close)
	write(c.owner(c.a), "before the URL")
	before := ids(c.owner(c.a), 0, "before the URL")
	last := before[len(before)-1]
	c.owner(c.a).Must("PUT", e2e.TelegramPath+"/callbackUrl", map[string]any{"url": srv.URL}, nil)
	for n := range 20 {
		write(c.owner(c.all()[n%3]), "posted "+strconv.Itoa(n))
	}
	want := ids(c.owner(c.b), last, "posted 19")
	testwait.Count(t, "posted events", len(want), func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(got)
	})
	mu.Lock()
	same(t, "the URL", got, want)
	mu.Unlock()
	c.owner(c.b).Must("DELETE", e2e.TelegramPath+"/callbackUrl", nil, nil)
}
