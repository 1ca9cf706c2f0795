package browser

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/e2e"
)

// TestPusherJSSignsIn signs in with pusher-js itself, a user of the CRM and users of an
// application, one of whom has the same id: the user's own channel, watchlist events,
// presence without channel_data, cache channels, subscription counts, and the end of the
// user's connections. The user of the CRM has no part in it.
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
	tab.Sees("online", `["online",["685"]]`) // the application's user
	tab.Wait("the channel of the application's user", func(_ []json.RawMessage, frames []string) bool {
		n := 0
		for _, f := range frames {
			if f == `{"event":"pusher_internal:subscription_succeeded","channel":"#server-to-user-685","data":"{}"}` {
				n++
			}
		}
		return n == 2
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
	if got := e2e.Lines(tab.Logs()); strings.Contains(got, "CRM") {
		t.Errorf("the user of the CRM got what was for the application's:\n%s", got)
	}
}
