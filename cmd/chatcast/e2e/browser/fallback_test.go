package browser

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestFallbackInChromium opens a page behind a proxy that refuses WebSockets. pusher-js
// falls back by itself, with no transport named.
func TestFallbackInChromium(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	proxy := e2e.BreakProxy(t, p.Base)
	values := p.Site(owner.Token)
	values.Host, values.Port, _ = net.SplitHostPort(strings.TrimPrefix(proxy.Base, "http://"))
	tab := e2e.OpenPage(t, "fallback.html", values)
	tab.Sees("connected", `"xhr_streaming"`)
	tab.Sees("in", "")
	if proxy.Refused.Load() == 0 || proxy.Sent.Load() == 0 {
		t.Errorf("%d upgrades were refused, %d requests came instead", proxy.Refused.Load(), proxy.Sent.Load())
	}

	// The events exceed one answer, so that the page must ask again in between.
	const events = 300
	text := strings.Repeat("ü😀x", 300)
	for i := range events {
		data, _ := json.Marshal(map[string]any{"i": i, "text": text})
		p.Publish(t, "private-v1.users.685", "e", string(data))
	}
	tab.Sees("event", fmt.Sprintf(`["event",%d]`, events-1))
	next := 0
	for _, l := range tab.Logs() {
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

	other := owner.Subscribe("private-v1.users.685")
	if err := other.WriteJSON(map[string]any{"event": "client-typing", "channel": "private-v1.users.685", "data": 1}); err != nil {
		t.Fatal(err)
	}
	tab.Sees("wave", "1")
	if _, frame, err := other.ReadMessage(); err != nil || !strings.Contains(string(frame), `"client-viewing"`) {
		t.Errorf("the other socket got %s, %v", frame, err)
	}
	tab.Close()
	p.UntilCount(t, "private-v1.users.685", 1)
}
