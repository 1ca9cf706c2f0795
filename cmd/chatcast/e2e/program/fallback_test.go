package program_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

var fallbacks = []string{"xhr_streaming", "xhr_polling"}

// TestFallbacks uses pusher-js as applications do, over each fallback transport.
func TestFallbacks(t *testing.T) {
	for _, transport := range fallbacks {
		t.Run(transport, func(t *testing.T) {
			p := e2e.Start(t, e2e.Config(t))
			owner := p.SignIn(t)
			bea, beaID := owner.Hire(p)
			const private, presence = "private-v1.users.685", "presence-v1.companies.2224"
			f := startFallback(t, p.Base, transport, owner.Token)
			f.next(`["state","connected"`)
			for _, c := range p.Components().Sockets.Connz() {
				if c.Transport != transport || c.App != "1" {
					t.Errorf("/debug/connz has %+v", c)
				}
			}

			for _, channel := range []string{"news", private, presence} {
				f.do("subscribe", channel)
				f.next(`["in","` + channel + `"`)
			}
			f.do("subscribe", "private-v1.users.1")
			f.next(`["refused","private-v1.users.1",403]`)

			// Events arrive in order, on every channel.
			for i := range 30 {
				p.Publish(t, []string{"news", private, presence}[i%3], fmt.Sprintf("e%d", i), `{"i":1}`)
			}
			for i := range 30 {
				if got := f.next(`["event"`); got != fmt.Sprintf(`["event","e%d",{"i":1}]`, i) {
					t.Fatalf("event %d is %s", i, got)
				}
			}

			// Client events work both ways.
			other := owner.Subscribe(private)
			f.do("trigger", private, "client-typing", map[string]int{"hands": 2})
			f.next(`["triggered",true]`)
			if _, frame, err := other.ReadMessage(); err != nil || !strings.Contains(string(frame), `"hands":2`) {
				t.Fatalf("the other socket got %s, %v", frame, err)
			}
			wave := map[string]any{"event": "client-typing", "channel": private, "data": map[string]string{"back": "ü😀"}}
			if err := other.WriteJSON(wave); err != nil {
				t.Fatal(err)
			}
			f.next(`["client-typing","` + private + `",{"back":"ü😀"}]`)

			// Another user comes and goes.
			b := startFallback(t, p.Base, transport, bea.Token)
			b.do("subscribe", presence)
			b.next(`["in","` + presence + `",2]`)
			b.do("disconnect")
			f.next(fmt.Sprintf(`["left","%s","%d"]`, presence, beaID))

			// After an unsubscribe, the event comes on the other channel alone.
			f.do("unsubscribe", "news")
			p.UntilCount(t, "news", 0)
			p.Publish(t, "news", "e-late", `{}`)
			p.Publish(t, private, "e-end", `{}`)
			if got := f.next(`["event"`); got != `["event","e-end",{}]` {
				t.Errorf("after leaving news there came %s", got)
			}
			f.do("disconnect")
			f.next(`["state","disconnected"`)
			p.UntilCount(t, private, 1) // the other socket
			p.UntilCount(t, presence, 0)
		})
	}
}

// TestFallbackLosesNothing publishes more than one answer holds, and checks that no event
// is lost between answers.
func TestFallbackLosesNothing(t *testing.T) {
	for _, transport := range fallbacks {
		t.Run(transport, func(t *testing.T) {
			cfg := e2e.Config(t)
			cfg.Limits.QueueBytes = 8 << 20 // everything is published at once
			p := e2e.Start(t, cfg)
			f := startFallback(t, p.Base, transport, "")
			connected := f.next(`["state","connected"`)
			f.do("subscribe", "news")
			f.next(`["in","news"`)
			const events = 1000
			text := strings.Repeat(`üñ😀"\`, 120) // characters of 2, 4 and 1 bytes, and those that JSON escapes
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range events {
					data, _ := json.Marshal(map[string]any{"i": i, "text": text})
					p.Publish(t, "news", "e", string(data))
				}
			}()
			for i := range events {
				var got []any
				line := f.next(`["event"`)
				if err := json.Unmarshal([]byte(line), &got); err != nil {
					t.Fatal(err)
				}
				if data := got[2].(map[string]any); data["i"] != float64(i) || data["text"] != text {
					t.Fatalf("event %d is %.200s", i, line)
				}
			}
			<-done
			for _, line := range f.heard {
				if strings.HasPrefix(line, `["state"`) && line != connected {
					t.Errorf("the connection did not last: %s", line)
				}
			}
		})
	}
}

// TestFallbackComesBack checks that pusher-js notices a restart of the program and a lost
// session, and subscribes to its channels again.
func TestFallbackComesBack(t *testing.T) {
	for _, transport := range fallbacks {
		t.Run(transport, func(t *testing.T) {
			cfg := e2e.Config(t)
			p := e2e.Start(t, cfg)
			proxy := e2e.BreakProxy(t, p.Base)
			f := startFallback(t, proxy.Base, transport, "")
			first := f.next(`["state","connected"`)
			f.do("subscribe", "news")
			f.next(`["in","news"`)

			proxy.Lose()
			p.Publish(t, "news", "e-much", `"`+strings.Repeat("x", 300<<10)+`"`) // ends the answer
			if again := f.next(`["state","connected"`); again == first {
				t.Errorf("the lost session goes on: %s", again)
			}
			f.next(`["in","news"`)

			release := proxy.Hold()
			p.Stop()
			f.next(`["state","connecting"`)
			cfg.Server.Address = p.Address()
			p = e2e.Start(t, cfg)
			release()
			f.next(`["state","connected"`)
			f.next(`["in","news"`)
			p.Publish(t, "news", "e-again", `{}`)
			f.next(`["event","e-again"`)
		})
	}
}
