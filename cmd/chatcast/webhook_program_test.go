package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
)

// posted is a webhook as it arrived.
type posted struct {
	Headers map[string]string `json:"headers"` // names in lower case, as Node has them
	RawBody string            `json:"rawBody"`
}

// webhookServer is a backend on loopback that takes every webhook.
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

// The whole program delivers what is recorded; Pusher's own library for Node finds it
// valid, and only with the app's own secret.
func TestProgramDeliversWebhooks(t *testing.T) {
	url, taken := webhookServer(t)
	cfg := testConfig(t)
	cfg.Webhooks.AllowPrivateTargets = true
	cfg.Apps[0].Webhooks = []AppHookConfig{{URL: url + "/hunter2", Headers: map[string]string{"X-Shop": "7"}}}
	p := start(t, cfg)
	p.rooms.hooks.Record(broadcasting.Happening{Kind: broadcasting.MemberAdded, App: "1", Channel: "presence-a", UserID: "7"})
	p.rooms.hooks.Record(broadcasting.Happening{
		Kind: broadcasting.ClientSent, App: "1", Channel: "presence-a", Name: "client-a", Data: `{"b":"ä<&"}`, SocketID: "1.2", UserID: "7",
	})
	var got posted
	select {
	case got = <-taken:
	case <-time.After(patience):
		t.Fatal("no webhook came")
	}
	if got.Headers["x-shop"] != "7" {
		t.Errorf("the headers are %v", got.Headers)
	}
	read := func(secret string) (string, error) {
		in, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "testdata/browser/webhook.cjs", cfg.Apps[0].Key, secret)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := read("not the secret"); err == nil {
		t.Errorf("a wrong secret finds it valid: %s", out)
	}
	out, err := read(p.rooms.apps.First().Secret)
	_, events, _ := strings.Cut(out, `"events":`)
	if want := `[{"name":"member_added","channel":"presence-a","user_id":"7"},{"name":"client_event","channel":"presence-a","event":"client-a",` +
		`"data":"{\"b\":\"ä<&\"}","socket_id":"1.2","user_id":"7"}]}`; err != nil || events != want {
		t.Errorf("Pusher's library reads %s, %v; want %s", out, err, want)
	}
	for path, want := range map[string]string{
		"/metrics":     `chatcast_webhook_delivered_total{app="1",endpoint="0"}`,
		"/debug/connz": `"webhooks": {`,
	} {
		_, text := get(t, "http://"+p.InternalAddress()+path)
		if !strings.Contains(text, want) || strings.Contains(text, "hunter2") || strings.Contains(text, p.rooms.apps.First().Secret) {
			t.Errorf("%s does not say %s, or too much:\n%s", path, want, text)
		}
	}
}
