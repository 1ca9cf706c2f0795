package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/server/api/apitest"
)

// client calls the CRM's API as one user.
type client struct {
	t     testing.TB
	base  string
	token string
}

// signIn is the owner's client.
func (r *running) signIn(t testing.TB) *client {
	t.Helper()
	return r.signInAs(t, ownerEmail, ownerPassword)
}

func (r *running) signInAs(t testing.TB, email, password string) *client {
	t.Helper()
	c := &client{t: t, base: r.base}
	var pair struct{ AccessToken string }
	c.must("POST", "/v1/tokens", map[string]any{"email": email, "password": password}, &pair)
	c.token = pair.AccessToken
	return c
}

// call sends body as JSON (none when nil) and returns the answer.
func (c *client) call(method, path string, body any) (status int, answer []byte) {
	c.t.Helper()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.base+path, content)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, answer
}

// must is call for what has to succeed; the answer's data goes to out, unless nil.
func (c *client) must(method, path string, body, out any) {
	c.t.Helper()
	status, answer := c.call(method, path, body)
	if status != http.StatusOK {
		c.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if out == nil {
		return
	}
	wrapped := struct{ Data any }{out}
	if err := json.Unmarshal(answer, &wrapped); err != nil {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
}

// inbound is the body with which a bridge brings one text.
func inbound(id, chat, text string) map[string]any {
	return map[string]any{"messages": []any{map[string]any{
		"id": id, "chat": map[string]any{"id": chat}, "type": "text", "message": map[string]any{"text": text},
		"fromUser": map[string]any{"id": chat, "name": "Ann"}, "time": time.Now().Unix(),
	}}}
}

// get asks for a page that anybody may see.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// goroutines is the stacks of all goroutines.
func goroutines() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// socket is a connection whose frames are held against the schemas of the events.
type socket struct {
	*websocket.Conn
	t testing.TB
}

// checked are the frames that were looked at: many sockets receive the same one.
var checked sync.Map

func (s *socket) ReadMessage() (int, []byte, error) {
	kind, frame, err := s.Conn.ReadMessage()
	if _, measured := s.t.(*testing.B); err != nil || measured {
		return kind, frame, err
	}
	if _, again := checked.LoadOrStore(string(frame), true); !again {
		if err := apitest.CheckFrame(frame); err != nil {
			s.t.Errorf("a socket received %s: %v", frame, err)
		}
	}
	return kind, frame, nil
}

func (s *socket) ReadJSON(v any) error {
	_, frame, err := s.ReadMessage()
	if err != nil {
		return err
	}
	return json.Unmarshal(frame, v)
}

// connectSocket opens a socket, which is closed at the end of the test, and returns
// its id.
func connectSocket(t testing.TB, base string) (*socket, string) {
	t.Helper()
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/app/ChatsAppApiProdKey?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	ws := &socket{conn, t}
	t.Cleanup(func() { ws.Close() })
	if err := ws.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	var hello struct{ Data string }
	var established struct {
		SocketID string `json:"socket_id"`
	}
	if err := errors.Join(ws.ReadJSON(&hello), json.Unmarshal([]byte(hello.Data), &established)); err != nil {
		t.Fatal(err)
	}
	return ws, established.SocketID
}

// subscribe opens a socket and enters a channel as the client's user. The socket
// is closed at the end of the test.
func (c *client) subscribe(channel string) *socket {
	c.t.Helper()
	ws, socketID := connectSocket(c.t, c.base)
	status, answer := c.call("POST", "/broadcasting/auth", map[string]string{"socket_id": socketID, "channel_name": channel})
	var signed struct{ Auth string }
	if err := json.Unmarshal(answer, &signed); err != nil || status != http.StatusOK {
		c.t.Fatalf("/broadcasting/auth for %s: %d %s", channel, status, answer)
	}
	err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": channel, "auth": signed.Auth}})
	var succeeded struct{ Event string }
	if err := errors.Join(err, ws.ReadJSON(&succeeded)); err != nil || succeeded.Event != "pusher_internal:subscription_succeeded" {
		c.t.Fatalf("subscribing to %s: %v %v", channel, succeeded, err)
	}
	return ws
}

// goOnline brings the client's user online, and returns when everybody was told.
func (c *client) goOnline(userID int64) {
	c.t.Helper()
	c.subscribe(fmt.Sprintf("private-v1.users.%d", userID))
	for after := int64(0); ; {
		var page struct {
			Items []struct {
				Event string
				Data  json.RawMessage
			}
			NextAfter int64
		}
		c.must("GET", fmt.Sprintf("/v1/events?channel=%s&after=%d&wait=60", companyChannel, after), nil, &page)
		for _, it := range page.Items {
			if it.Event == "employeeStatus" && strings.Contains(string(it.Data), fmt.Sprintf(`"type":"online","employee":{"id":%d}`, userID)) {
				return
			}
		}
		if len(page.Items) == 0 {
			c.t.Fatalf("user %d did not come online", userID)
		}
		after = page.NextAfter
	}
}

// hire invites Bea, an operator who may write on the licence.
func (c *client) hire(p *running) (bea *client, id int64) {
	c.t.Helper()
	c.must("POST", "/v1/companies/2224/employees", map[string]any{
		"email": "bea@example.com", "name": "Bea", "password": ownerPassword, "role": "operator",
		"licenses": []any{map[string]any{"licenseId": 1229, "write": true}},
	}, nil)
	bea = p.signInAs(c.t, "bea@example.com", ownerPassword)
	var me struct{ ID int64 }
	bea.must("GET", "/v1/me", nil, &me)
	return bea, me.ID
}

// journalled is one item of GET /v1/events.
type journalled struct {
	ID    int64
	Event string
	Data  payload
}

// events reads all events of a channel, page by page.
func (c *client) events(channel string) (list []journalled) {
	c.t.Helper()
	for after := int64(0); ; {
		var page struct {
			Items     []journalled
			NextAfter int64
		}
		c.must("GET", fmt.Sprintf("/v1/events?channel=%s&after=%d&limit=100", channel, after), nil, &page)
		list = append(list, page.Items...)
		if len(page.Items) < 100 {
			return list
		}
		after = page.NextAfter
	}
}

// payload is the data of any event, as far as the tests look into it.
type payload struct {
	Payload struct {
		Data []json.RawMessage
		Meta struct {
			Type          string
			MessengerType string
			EventID       int64
		}
	}
}
