package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/server/pusher"
)

// AppClient uses an app from outside.
type AppClient struct {
	t    testing.TB
	base string
	id   string
	Key  string
}

// OnApp returns a client of the app with this id and key.
func OnApp(t testing.TB, base, id, key string) AppClient { return AppClient{t, base, id, key} }

// Socket opens a socket and returns it with the first frame.
func (p AppClient) Socket() (*websocket.Conn, string) {
	p.t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(p.base, "http")+"/app/"+p.Key+"?protocol=7", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	p.t.Cleanup(func() { ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	_, first, err := ws.ReadMessage()
	if err != nil {
		p.t.Fatal(err)
	}
	return ws, string(first)
}

// Code opens a socket and returns the error code it gets, 0 if it is accepted.
func (p AppClient) Code() int {
	p.t.Helper()
	ws, first := p.Socket()
	ws.Close()
	if strings.Contains(first, "pusher:connection_established") {
		return 0
	}
	var frame struct{ Data struct{ Code int } }
	if err := json.Unmarshal([]byte(first), &frame); err != nil || frame.Data.Code == 0 {
		p.t.Fatalf("%v in %s", err, first)
	}
	return frame.Data.Code
}

// Publish returns the status of a publish request signed with the secret.
func (p AppClient) Publish(secret string) int {
	p.t.Helper()
	const body = `{"name":"e","channel":"c","data":"d"}`
	path := "/apps/" + p.id + "/events"
	query := pusher.SignRequest(p.Key, secret, "POST", path, nil, []byte(body), time.Now())
	res, err := http.Post(p.base+path+"?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// Expect checks the code that a new socket gets and the status of a publish.
func (p AppClient) Expect(when, secret string, code, status int) {
	p.t.Helper()
	if got := p.Code(); got != code {
		p.t.Errorf("%s: a socket is told %d, want %d", when, got, code)
	}
	if got := p.Publish(secret); got != status {
		p.t.Errorf("%s: publishing is answered %d, want %d", when, got, status)
	}
}

// Ends reads a socket up to its close frame, which must have the code.
func Ends(t testing.TB, ws *websocket.Conn, code int) {
	t.Helper()
	for {
		if _, text, err := ws.ReadMessage(); websocket.IsCloseError(err, code) {
			return
		} else if err != nil {
			t.Fatalf("the socket ends with %v after %s, want %d", err, text, code)
		}
	}
}
