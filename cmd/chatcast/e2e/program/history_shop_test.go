package program_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/pusher"
)

const orders = "private-orders.7"

// shop is a backend of an app with a history.
type shop struct {
	t *testing.T
	p *e2e.Running
}

func shopOf(t *testing.T, url string, change ...func(*apps.App)) (shop, config.Config) {
	t.Helper()
	cfg := e2e.Config(t)
	cfg.Database.URL = url
	sold := apps.Default()
	sold.ID, sold.Key, sold.Secret = "shop", "shop-key", "shop-secret"
	sold.History = []apps.History{
		{Channels: "private-signed.*", Retention: "1h", Signed: true},
		{Channels: "*orders.*", Retention: "1h"},
	}
	for _, f := range change {
		f(&sold)
	}
	cfg.Apps = append(cfg.Apps, sold)
	return shop{t, e2e.Start(t, cfg)}, cfg
}

// call sends a signed request.
func (s shop) call(method, path string, params map[string]string, body string) (status int, answer string) {
	s.t.Helper()
	path = "/apps/shop" + path
	query := pusher.SignRequest("shop-key", "shop-secret", method, path, params, []byte(body), time.Now())
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.p.Base+path+"?"+query, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// publish publishes an event to channels.
func (s shop) publish(name, socketID string, channels ...string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "data": name, "channels": channels, "socket_id": socketID})
	if err != nil {
		s.t.Fatal(err)
	}
	if status, answer := s.call("POST", "/events", nil, string(body)); status != 200 {
		s.t.Fatal(status, answer)
	}
}

// awaitPosition waits until a page that subscribes now is told the position id. The program
// notes that an event was delivered a moment after a page has got it.
func (s shop) awaitPosition(id int) {
	s.t.Helper()
	const channel = "private-orders.0"
	ws, ctx, tick := s.socket(), testwait.Context(s.t), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		ws.enter(channel, `{"cursor":"now"}`)
		got := ws.next()
		if got == numberOf("position", id) {
			return
		}
		ws.send("pusher:unsubscribe", map[string]string{"channel": channel})
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("got %s, want position %d", got, id)
		}
	}
}

// shopSocket is a page of the shop.
type shopSocket struct {
	*websocket.Conn
	t  *testing.T
	id string
}

func (s shop) socket() *shopSocket {
	s.t.Helper()
	ws, first := e2e.OnApp(s.t, s.p.Base, "shop", "shop-key").Socket()
	_, rest, _ := strings.Cut(first, `socket_id\":\"`)
	id, _, _ := strings.Cut(rest, `\"`)
	return &shopSocket{ws, s.t, id}
}

func (w *shopSocket) send(event string, data any) {
	w.t.Helper()
	if err := w.WriteJSON(map[string]any{"event": event, "data": data}); err != nil {
		w.t.Fatal(err)
	}
}

// enter subscribes with channel_data that the backend has signed; empty: none.
func (w *shopSocket) enter(channel, data string) {
	w.t.Helper()
	auth := "shop-key:" + pusher.SignChannel("shop-secret", w.id, channel, data)
	fields := map[string]string{"channel": channel, "auth": auth}
	if data != "" {
		fields["channel_data"] = data
	}
	w.send("pusher:subscribe", fields)
	w.expect("pusher_internal:subscription_succeeded")
}

// resume subscribes with what the client itself says.
func (w *shopSocket) resume(channel string, ids map[string]any, previous string) {
	w.t.Helper()
	w.send("chatcast:resume", map[string]any{"last_event_ids": ids, "previous_socket_id": previous})
	w.enter(channel, "")
}

// next returns the next frame, as its event and, of ours, the data.
func (w *shopSocket) next() string {
	w.t.Helper()
	_ = w.SetReadDeadline(time.Now().Add(testwait.Long))
	for {
		var frame struct{ Event, Channel, Data string }
		_, text, err := w.ReadMessage()
		if err != nil {
			w.t.Fatal(err)
		}
		_ = json.Unmarshal(text, &frame) // what does not fit is in the failure
		switch {
		case frame.Event == "pusher:ping":
			w.send("pusher:pong", map[string]any{})
		case strings.HasPrefix(frame.Event, "chatcast:"):
			return frame.Event + " " + frame.Data
		case frame.Event == "pusher:error":
			return string(text)
		default:
			return frame.Event
		}
	}
}

func (w *shopSocket) expect(frames ...string) {
	w.t.Helper()
	for _, want := range frames {
		if got := w.next(); got != want {
			w.t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// silence checks that no frame is on its way.
func (w *shopSocket) silence() {
	w.t.Helper()
	w.send("pusher:ping", map[string]any{})
	w.expect("pusher:pong")
}

func numberOf(kind string, id int) string { return fmt.Sprintf(`chatcast:%s {"eventId":%d}`, kind, id) }
