package main

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestFallbackInChromium is a page of somebody behind a proxy that refuses
// WebSockets: pusher-js falls back by itself, with no transport named.
func TestFallbackInChromium(t *testing.T) {
	p := start(t, testConfig(t))
	owner := p.signIn(t)
	proxy := breakProxy(t, p.base)
	values := p.site(owner.token)
	values.Host, values.Port, _ = net.SplitHostPort(strings.TrimPrefix(proxy.base, "http://"))
	tab := openPage(t, "fallback.html", values)
	tab.sees("connected", `"xhr_streaming"`)
	tab.sees("in", "")
	if proxy.refused.Load() == 0 || proxy.sent.Load() == 0 {
		t.Errorf("%d upgrades were refused, %d requests came instead", proxy.refused.Load(), proxy.sent.Load())
	}

	// More than one answer holds, so that the page comes again in between.
	const events = 300
	text := strings.Repeat("ü😀x", 300)
	for i := range events {
		data, _ := json.Marshal(map[string]any{"i": i, "text": text})
		p.publish(t, "private-v1.users.685", "e", string(data))
	}
	tab.sees("event", fmt.Sprintf(`["event",%d]`, events-1))
	next := 0
	for _, l := range tab.logs() {
		if strings.HasPrefix(string(l), `["event"`) {
			if string(l) != fmt.Sprintf(`["event",%d]`, next) {
				t.Fatalf("event %d came as %s", next, l)
			}
			next++
		}
		if next > 0 && strings.HasPrefix(string(l), `["connected"`) {
			t.Error("the connection did not last")
		}
	}

	other := owner.subscribe("private-v1.users.685")
	if err := other.WriteJSON(map[string]any{"event": "client-wave", "channel": "private-v1.users.685", "data": 1}); err != nil {
		t.Fatal(err)
	}
	tab.sees("wave", "1")
	if _, frame, err := other.ReadMessage(); err != nil || !strings.Contains(string(frame), `"client-back"`) {
		t.Errorf("the other socket got %s, %v", frame, err)
	}
	tab.close()
	p.untilCount(t, "private-v1.users.685", 1)
}
