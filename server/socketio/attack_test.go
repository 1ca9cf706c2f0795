package socketio

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/channels/refusals"
)

// A client that tries one name or key after the other is cut, and leaves traces.
func TestGuesses(t *testing.T) {
	counts := refusals.New(slog.New(slog.DiscardHandler))
	h := run(t, func(s *setup) { s.io.Refusals = counts })
	c := h.open(ioPath)
	for i := range maxRefused {
		switch i % 3 {
		case 0:
			c.send(fmt.Sprintf("40/guess%d,%s", i, good))
			c.want(fmt.Sprintf(`44/guess%d,{"message":"Invalid namespace"}`, i))
		case 1:
			c.send(fmt.Sprintf(`40/shop,{"apikey":"guess%d"}`, i))
			c.want(`44/shop,{"message":"Invalid apiKey","data":{"code":401}}`)
		default:
			c.send("40/shop,")
			c.want(`44/shop,{"message":"apiKey is required"}`)
		}
	}
	c.ends()
	until(t, "the end", func() bool { return h.io.Stats().Connections == 0 })
	h.refused(ioPath+transportWebSocket+"&apikey=guess", http.StatusForbidden)
	got := counts.Counts()
	if wrong, none := got[refusals.Kind{What: refusals.Connection, Reason: refusals.BadToken}], got[refusals.Kind{What: refusals.Connection, Reason: refusals.NoToken}]; wrong != 34 || none != 33 {
		t.Errorf("%d wrong keys and %d without were counted", wrong, none)
	}
}

// Rooms learns what a request says of where it comes from, and that it came through a proxy.
func TestWhereClientsComeFrom(t *testing.T) {
	h := run(t)
	for header, forwarded := range map[string]bool{
		"": false, "X-Forwarded-For": true, "X-Forwarded-Proto": true, "Forwarded": true, "Via": true, "X-Real-IP": true, "CF-Connecting-IP": true, "X-Custom": false,
	} {
		head := http.Header{"Origin": {"https://page.example"}}
		if header != "" {
			head.Set(header, "1")
		}
		ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.web.URL, "http")+ioPath+transportWebSocket, head)
		if err != nil {
			t.Fatal(err)
		}
		c := &client{t, ws}
		c.read()
		c.enter("/shop", good)
		_ = ws.Close()
		h.rooms.change(func(l *lobby) {
			r := l.requests[len(l.requests)-1]
			if r.Forwarded != forwarded || r.Origin != "https://page.example" || r.Host != strings.TrimPrefix(h.web.URL, "http://") || !r.Peer.IsLoopback() {
				t.Errorf("%s: %+v", header, r)
			}
		})
	}
}

// A client that enters and leaves, and one that is in as many as it may be, keep nothing.
func TestNamespacesComeAndGo(t *testing.T) {
	h := run(t, func(s *setup) { s.io.PacketsPerSecond, s.io.PacketBurst = 1_000_000, 1_000_000 })
	h.rooms.change(func(l *lobby) {
		for i := range 200 {
			l.instances[fmt.Sprint("n", i)] = true
		}
	})
	c := h.open(ioPath)
	for i := range 120 {
		name := fmt.Sprint("/n", i)
		c.send("40" + name + "," + good)
		if i < 50 {
			c.entered(name)
			continue
		}
		c.want("44" + name + `,{"message":"Too many namespaces"}`)
	}
	for i := range 50 {
		c.send(fmt.Sprint("41/n", i, ","))
	}
	for i := range 10_000 {
		name := fmt.Sprint("/n", i%200)
		c.send("40"+name+","+good, "41"+name+",")
		c.entered(name)
	}
	until(t, "an empty house", func() bool { return h.io.Stats().Namespaces == 0 })
	h.io.mu.Lock()
	defer h.io.mu.Unlock()
	if len(h.io.users) != 0 {
		t.Errorf("counted: %v", h.io.users)
	}
}
