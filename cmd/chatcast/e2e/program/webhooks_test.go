package program_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// posted is a webhook as it arrived.
type posted struct {
	Headers map[string]string `json:"headers"` // names in lower case, as Node gives them
	RawBody string            `json:"rawBody"`
}

// webhookServer starts a backend on loopback that accepts every webhook.
func webhookServer(t *testing.T) (url string, taken chan posted) {
	t.Helper()
	taken = make(chan posted, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p := posted{map[string]string{}, string(body)}
		for name := range r.Header {
			p.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		taken <- p
	}))
	t.Cleanup(s.Close)
	return s.URL, taken
}

// next returns the next webhook.
func next(t *testing.T, taken chan posted) posted {
	t.Helper()
	select {
	case got := <-taken:
		return got
	case <-time.After(testwait.Long):
		t.Fatal("no webhook came")
		return posted{}
	}
}

// events returns the events that Pusher's library for Node reads in the webhook, or an
// error if it finds the webhook invalid.
func (got posted) events(t *testing.T, key, secret string) ([]string, error) {
	t.Helper()
	in, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "../testdata/browser/webhook.cjs", key, secret)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var read struct{ Events []json.RawMessage }
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var list []string
	for _, e := range read.Events {
		list = append(list, string(e))
	}
	return list, nil
}

// The whole program reports what sockets do. Pusher's library for Node finds the webhooks
// valid, but only with the app's own secret.
func TestProgramDeliversWebhooks(t *testing.T) {
	url, taken := webhookServer(t)
	cfg := e2e.Config(t)
	cfg.Webhooks.AllowPrivateTargets = true
	cfg.Apps[0].Webhooks = []apps.Webhook{{URL: url + "/hunter2", Headers: map[string]string{"X-Shop": "7"}}}
	p := e2e.Start(t, cfg)
	key, secret := cfg.Apps[0].Key, p.Components().Apps.First().Secret
	ws, id := enterPresence(t, p, "presence-a", "7")
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"event":"client-a","channel":"presence-a","data":{"b":"ä<&"}}`)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"name":"channel_occupied","channel":"presence-a"}`, `{"name":"member_added","channel":"presence-a","user_id":"7"}`,
		`{"name":"client_event","channel":"presence-a","event":"client-a","data":"{\"b\":\"ä<&\"}","socket_id":"` + id + `","user_id":"7"}`,
	}
	var events []string
	for len(events) < len(want) { // events 50 ms apart may arrive in separate webhooks
		got := next(t, taken)
		if got.Headers["x-shop"] != "7" {
			t.Errorf("the headers are %v", got.Headers)
		}
		if _, err := got.events(t, key, "not the secret"); err == nil {
			t.Error("a wrong secret finds it valid")
		}
		more, err := got.events(t, key, secret)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, more...)
	}
	if !slices.Equal(events, want) {
		t.Errorf("Pusher's library reads %s; want %s", events, want)
	}
	for path, want := range map[string]string{
		"/metrics":     `chatcast_webhook_delivered_total{app="1",endpoint="0"}`,
		"/debug/connz": `"webhooks": {`,
	} {
		_, text := e2e.Get(t, "http://"+p.InternalAddress()+path)
		if !strings.Contains(text, want) || strings.Contains(text, "hunter2") || strings.Contains(text, secret) {
			t.Errorf("%s does not say %s, or too much:\n%s", path, want, text)
		}
	}
}

// An app created while the server runs gets webhooks at once, signed with its current
// secret.
func TestWebhooksOfAnAppMadeLater(t *testing.T) {
	url, taken := webhookServer(t)
	cfg := e2e.Config(t)
	cfg.Webhooks.AllowPrivateTargets = true
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	var app, rotated crm.AppWithSecret
	owner.Must("POST", "/v1/apps", map[string]any{"name": "Shop", "webhooks": []any{map[string]any{"url": url, "events": []string{"channel_occupied"}}}}, &app)
	enter := func(channel, secret string) {
		t.Helper()
		ws, _ := e2e.OnApp(t, p.Base, app.ID, app.Key).Socket()
		if err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]any{"channel": channel}}); err != nil {
			t.Fatal(err)
		}
		events, err := next(t, taken).events(t, app.Key, secret)
		if want := `{"name":"channel_occupied","channel":"` + channel + `"}`; err != nil || len(events) != 1 || events[0] != want {
			t.Errorf("%s: %v, %v", channel, events, err)
		}
	}
	enter("orders", app.Secret)
	owner.Must("POST", "/v1/apps/"+app.ID+"/rotate", nil, &rotated)
	enter("shipments", rotated.Secret)
}

// When an app is disabled, its backend is told that everybody has left: otherwise it
// would count them as present for ever.
func TestWebhooksOfAnAppThatIsDisabled(t *testing.T) {
	url, taken := webhookServer(t)
	cfg := e2e.Config(t)
	cfg.Webhooks.AllowPrivateTargets = true
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	var app crm.AppWithSecret
	owner.Must("POST", "/v1/apps", map[string]any{"name": "Shop", "webhooks": []any{map[string]any{"url": url}}}, &app)
	ws, _ := e2e.OnApp(t, p.Base, app.ID, app.Key).Socket()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"event":"pusher:subscribe","data":{"channel":"a"}}`)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"channel_occupied", "channel_vacated"} {
		if got := next(t, taken).RawBody; !strings.Contains(got, `{"name":"`+want+`","channel":"a"}`) {
			t.Fatalf("told %s, want %s", got, want)
		}
		owner.Must("PATCH", "/v1/apps/"+app.ID, map[string]any{"enabled": false}, nil)
	}
}
