package browser

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// TestPusherJSSignsIn signs in with pusher-js itself: the user's own channel, watchlist
// events, presence without channel_data, cache channels, subscription counts, and the
// end of the user's connections.
func TestPusherJSSignsIn(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].Secret = rand.Text()
	cfg.Apps[0].SubscriptionCount, cfg.Apps[0].UserAuthentication = true, true
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	tab := e2e.OpenPage(t, "signin.html", struct {
		e2e.Site
		Secret string
	}{p.Site(owner.Token), cfg.Apps[0].Secret})
	tab.Sees("signed in", `["signed in",{"id":"685","user_info":{"id":685,"name":"Owner"}}]`)
	tab.Sees("online", `["online",["685"]]`)
	tab.Sees("room", `["room",{"id":"W","info":{"name":"NW"}},1]`)
	tab.Sees("cache miss", `["cache miss"]`)
	tab.Sees("count", `["count",1,1]`)

	publish := func(channel, name, data string) {
		t.Helper()
		if err := p.Components().Engine.Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Name: name, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	tab.Wait("the user's own channel", func(_ []json.RawMessage, frames []string) bool {
		return slices.Contains(frames, `{"event":"pusher_internal:subscription_succeeded","channel":"#server-to-user-685","data":"{}"}`)
	})
	publish("#server-to-user-685", "hello", `{"n":1}`)
	tab.Sees("hello", `["hello",{"n":1}]`)
	publish("cache-news", "headline", `{"n":2}`)
	tab.Sees("headline", `["headline",{"n":2}]`)
	tab.Sees("late headline", `["late headline",{"n":2}]`)
	tab.Sees("count", `["count",2,2]`)

	if n, err := p.Components().Engine.Terminate(t.Context(), "1", "685"); n != 1 || err != nil {
		t.Errorf("%d connections", n)
	}
	tab.Sees("gone", `["gone"]`)
	tab.Sees("offline", `["offline",["685"]]`)
}

// When a user loses access, all their sockets end, also those that a backend has signed
// in as the user and that never showed a token.
func TestSignedInSocketsGoWithTheUser(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].Secret = rand.Text()
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	bea, beaID := owner.Hire(p)
	app := p.Components().Apps.First()
	ws, id := e2e.ConnectSocket(t, p.Base)
	data, _ := json.Marshal(map[string]any{"id": beaID})
	if err := ws.WriteJSON(map[string]any{"event": "pusher:signin", "data": map[string]string{
		"user_data": string(data), "auth": app.AuthUser(id, string(data)),
	}}); err != nil {
		t.Fatal(err)
	}
	var frame struct{ Event string }
	if err := ws.ReadJSON(&frame); err != nil || frame.Event != "pusher:signin_success" {
		t.Fatalf("%+v, %v", frame, err)
	}
	bea.Must("DELETE", "/v1/tokens", nil, nil) // revokes her only token
	if err := ws.ReadJSON(&frame); err != nil || frame.Event != "pusher:error" {
		t.Fatalf("%+v, %v", frame, err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	if _, _, err := ws.ReadMessage(); err == nil {
		t.Error("the socket goes on")
	}
}
