package program_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// TestReload changes everything that can change while the program runs, and checks that
// open sockets and new ones follow.
func TestReload(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	open := e2e.Dial(t, p.Base)
	if _, _, err := open.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	second := e2e.OnApp(t, p.Base, "2", "key2")
	second.Expect("before", "secret2", 4001, http.StatusUnauthorized)

	next := cfg
	app := apps.Default()
	app.ID, app.Key, app.Secret = "2", "key2", "secret2"
	next.Apps = append(next.Apps[:1:1], app)
	next.Server.AllowedOrigins = []string{"https://a.example"}
	next.Limits.Apps.ChannelsPerSocket = 1
	next.Limits.MessageBytes = 512
	next.Limits.MessagesBurst = 3
	if err := p.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}

	second.Expect("after", "secret2", 0, http.StatusOK)
	var listed []struct{ ID, Source string }
	owner.Must("GET", "/v1/apps", nil, &listed)
	if fmt.Sprint(listed) != "[{1 config} {2 config}]" {
		t.Errorf("the apps are %v", listed)
	}
	if _, _, err := websocket.DefaultDialer.Dial("ws://"+p.Address()+"/app/key2?protocol=7", http.Header{"Origin": {"https://b.example"}}); err != nil {
		t.Errorf("a page of another origin is not told: %v", err)
	}
	for i, want := range []string{"subscription_succeeded", "At most 1 channels"} {
		if err := open.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": fmt.Sprint("c", i)}}); err != nil {
			t.Fatal(err)
		}
		if _, frame, err := open.ReadMessage(); err != nil || !strings.Contains(string(frame), want) {
			t.Errorf("subscription %d is answered %s, %v", i, frame, err)
		}
	}
	for {
		if err := open.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte(" "), 513)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := open.ReadMessage(); websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
			break
		} else if err != nil {
			t.Fatalf("a message over the limit ends the socket with %v", err)
		}
	}

	if err := p.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	second.Expect("when it is gone again", "secret2", 4001, http.StatusUnauthorized)
}

// TestReloadKeepsTheFirstApp checks that the app of the CRM's channels stays what it is
// until a restart.
func TestReloadKeepsTheFirstApp(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	first := e2e.OnApp(t, p.Base, "1", "ChatsAppApiProdKey")
	next := config.Default()
	next.Apps[0].Key, next.Apps[0].Enabled = "another", false
	if err := p.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if code := first.Code(); code != 0 {
		t.Errorf("a socket is told %d", code)
	}
}
