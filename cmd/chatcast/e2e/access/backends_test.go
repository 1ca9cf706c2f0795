package access_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// signer is one who sends a request to the HTTP API of backends.
type signer struct {
	name        string
	app         string // in the path
	key, secret string
	at          time.Duration // of the signature, from now
	token       string
	works       bool
}

// TestBackends sends every operation of Pusher's HTTP API as every signer. Only the secret
// of the app in the path opens it, and an app that does not exist answers as one whose
// secret the signer does not have.
func TestBackends(t *testing.T) {
	w := newWorld(t, "")
	apps := w.p.Components().Apps
	first, second := apps.ByID("1"), apps.ByID("2")
	signers := []signer{
		{name: "the app", app: "1", key: first.Key, secret: first.Secret, works: true},
		{name: "another secret", app: "1", key: first.Key, secret: second.Secret},
		{name: "another app", app: "1", key: second.Key, secret: second.Secret},
		{name: "another app, on none", app: "none", key: second.Key, secret: second.Secret},
		{name: "an old signature", app: "1", key: first.Key, secret: first.Secret, at: -time.Hour},
		{name: "an owner", app: "1", token: "token of owner"},
		{name: "an owner, on none", app: "none", token: "token of owner"},
		{name: "the host", app: "1", token: "token of host"},
		{name: "nobody", app: "1"},
	}
	tried := 0
	for _, op := range w.ref.Operations {
		if op.Access() != "app" {
			continue
		}
		tried++
		got := map[string]answer{}
		for _, s := range signers {
			a := w.signed(op, s)
			got[s.name] = a
			if a.ok() != s.works || !s.works && a.status != http.StatusUnauthorized {
				t.Errorf("%s by %s: %s", op, s.name, a)
			}
		}
		for _, who := range []string{"another app", "an owner"} {
			if a, none := got[who], got[who+", on none"]; a.body != none.body || fmt.Sprint(a.header) != fmt.Sprint(none.header) {
				t.Errorf("%s by %s: %s %v, but of an app that does not exist: %s %v", op, who, a, a.header, none, none.header)
			}
		}
	}
	if tried < 8 {
		t.Errorf("only %d operations need the right app", tried)
	}
}

// signed sends an operation with its example as body.
func (w *world) signed(op apitest.Operation, s signer) answer {
	w.t.Helper()
	path := strings.NewReplacer("{appId}", s.app, "{channelName}", "presence-room", "{userId}", "7").Replace(op.Path)
	body := ""
	if media := op.Body()["application/json"]; media != nil {
		body = "{}"
		if media.Schema != nil && media.Schema.Value.Example != nil {
			text, err := json.Marshal(media.Schema.Value.Example)
			if err != nil {
				w.t.Fatal(err)
			}
			body = string(text)
		}
	}
	params := map[string]string{}
	for _, ref := range op.Parameters {
		if p := ref.Value; p.In == "query" && p.Name == "name" {
			params[p.Name] = "x"
		}
	}
	target := w.base + path
	if s.key != "" {
		target += "?" + pusher.SignRequest(s.key, s.secret, op.Method, path, params, []byte(body), time.Now().Add(s.at))
	} else if len(params) > 0 {
		query := url.Values{}
		for k, v := range params {
			query.Set(k, v)
		}
		target += "?" + query.Encode()
	}
	return w.ask(op.Method, target, "application/json", s.token, body)
}

// ask sends a request with a body of the type. token may be empty.
func (w *world) ask(method, target, contentType, token, body string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	res, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Header.Del("Date")
	return answer{res.StatusCode, res.Header, string(text)}
}
