package main

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"chatcast/broadcasting"
)

// TestPusherJSSignsIn is what pusher-js itself makes of a sign-in: the user's own
// channel, watchlist events, presence without channel_data, cache channels and
// subscription counts; and of the end of the user's connections.
func TestPusherJSSignsIn(t *testing.T) {
	cfg := testConfig(t)
	cfg.Apps[0].Secret = rand.Text()
	cfg.Apps[0].SubscriptionCount, cfg.Apps[0].UserAuthentication = true, true
	p := start(t, cfg)
	owner := p.signIn(t)
	tab := openPage(t, "signin.html", struct {
		site
		Secret string
	}{p.site(owner.token), cfg.Apps[0].Secret})
	tab.sees("signed in", `["signed in",{"id":"685","user_info":{"id":685,"name":"Owner"}}]`)
	tab.sees("online", `["online",["685"]]`)
	tab.sees("room", `["room",{"id":"W","info":{"name":"NW"}},1]`)
	tab.sees("cache miss", `["cache miss"]`)
	tab.sees("count", `["count",1,1]`)

	publish := func(channel, name, data string) {
		t.Helper()
		if err := p.rooms.engine.Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Name: name, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	tab.wait("the user's own channel", func(_ []json.RawMessage, frames []string) bool {
		return slices.Contains(frames, `{"event":"pusher_internal:subscription_succeeded","channel":"#server-to-user-685","data":"{}"}`)
	})
	publish("#server-to-user-685", "hello", `{"n":1}`)
	tab.sees("hello", `["hello",{"n":1}]`)
	publish("cache-news", "headline", `{"n":2}`)
	tab.sees("headline", `["headline",{"n":2}]`)
	tab.sees("late headline", `["late headline",{"n":2}]`)
	tab.sees("count", `["count",2,2]`)

	if n := p.rooms.engine.Terminate("1", "685"); n != 1 {
		t.Errorf("%d connections", n)
	}
	tab.sees("gone", `["gone"]`)
	tab.sees("offline", `["offline",["685"]]`)
}

// Who may no longer be here is gone from everywhere: also sockets that a backend
// has signed in as the user, who never showed a token.
func TestSignedInSocketsGoWithTheUser(t *testing.T) {
	cfg := testConfig(t)
	cfg.Apps[0].Secret = rand.Text()
	p := start(t, cfg)
	owner := p.signIn(t)
	bea, beaID := owner.hire(p)
	app := p.rooms.apps.First()
	ws, id := connectSocket(t, p.base)
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
	bea.must("DELETE", "/v1/tokens", nil, nil) // the only one
	if err := ws.ReadJSON(&frame); err != nil || frame.Event != "pusher:error" {
		t.Fatalf("%+v, %v", frame, err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := ws.ReadMessage(); err == nil {
		t.Error("the socket goes on")
	}
}
