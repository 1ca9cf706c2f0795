package webhook_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
)

func TestSetRefuses(t *testing.T) {
	h, err := webhook.New(t.Context(), webhook.Options{Store: &memory{}})
	if err != nil {
		t.Fatal(err)
	}
	for says, list := range map[string][]apps.App{
		"twice":             {{ID: "1", Key: key}, {ID: "1", Key: key}},
		"at most 32":        app(slices.Repeat([]apps.Webhook{to("http://x")}, 33)...),
		"webhooks[0].url: ": app(to("x")),
	} {
		if err := h.Set(list); err == nil || !strings.Contains(err.Error(), `app "1"`) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want it to say %q", err, says)
		}
	}
	if _, err := webhook.New(t.Context(), webhook.Options{Store: &memory{}, Apps: app(to("x"))}); err == nil {
		t.Error("New takes what Set refuses")
	}
}

// Each event that an app may ask for is sent under its name, and no other is.
func TestEveryEventIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t)
		h := start(t, webhook.Options{Store: &memory{}, Apps: app(apps.Webhook{URL: "http://r/", Events: apps.WebhookEvents()}), Transport: r})
		h.Record(occupied("presence-a"))
		h.Record(added("presence-a", "1"))
		h.Record(missed("presence-a"))
		h.Record(broadcasting.ChannelEvent{Kind: broadcasting.Counted, App: "1", Channel: "presence-a", Count: 1})
		h.Record(broadcasting.ChannelEvent{Kind: broadcasting.ClientSent, App: "1", Channel: "presence-a", Name: "client-a", SocketID: "1.1"})
		time.Sleep(time.Second)
		h.Record(removed("presence-a", "1"))
		h.Record(vacated("presence-a"))
		time.Sleep(time.Minute)
		var names []string
		for _, line := range r.lines() {
			name, _, _ := strings.Cut(line, " ")
			names = append(names, name)
		}
		slices.Sort(names)
		if want := slices.Sorted(slices.Values(apps.WebhookEvents())); !slices.Equal(names, want) {
			t.Errorf("sent: %v, want %v", names, want)
		}
	})
}
