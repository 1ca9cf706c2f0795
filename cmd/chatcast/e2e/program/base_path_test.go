package program_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/pusher"
)

// TestBasePath uses the whole program under a path: directly, and behind proxies that pass
// the path on and that take it away.
func TestBasePath(t *testing.T) {
	const path = "/sites/chat"
	cfg := e2e.Config(t)
	cfg.Server.BasePath = path
	cfg.Apps[0].Secret = "s"
	p := e2e.Start(t, cfg)
	if !strings.HasSuffix(p.Base, path) {
		t.Fatalf("the program says it is at %s", p.Base)
	}
	bases := map[string]string{"directly": p.Base, "passed on": e2e.Prefixed(t, p.Address(), path, false), "taken away": e2e.Prefixed(t, p.Address(), path, true)}
	for name, base := range e2e.Nginx(t, p.Address(), path) {
		bases[name] = base
	}
	link := attachment(t, p)
	if !strings.HasPrefix(link, p.Base+"/v1/licenses/") {
		t.Errorf("a file's link is %s", link)
	}
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			for _, page := range []string{"/", "/try", "/docs", "/openapi.yaml", "/openapi-3.0.json", "/console.json", "/healthz", link[len(p.Base):]} {
				if status, body := e2e.Get(t, base+page); status != http.StatusOK && page != "/try" {
					t.Errorf("%s: %d %.100s", page, status, body)
				}
			}
			c := &e2e.Client{T: t, Base: base}
			var pair struct{ AccessToken string }
			c.Must("POST", "/v1/tokens", map[string]any{"email": e2e.OwnerEmail, "password": e2e.OwnerPassword}, &pair)
			if !greets(t, base, cfg.Apps[0].Key, "") || !greetsOverHTTP(t, base, cfg.Apps[0].Key, "") {
				t.Error("no socket")
			}
			if got := e2e.OnApp(t, base, "1", cfg.Apps[0].Key).Publish("s"); got != http.StatusOK { // signed without the path
				t.Errorf("publishing: %d", got)
			}
			if got := publishSigned(t, base, path, cfg.Apps[0].Key); got != http.StatusOK {
				t.Errorf("publishing with a signature of the whole path: %d", got)
			}
		})
	}
	if got := publishSigned(t, p.Base, "/other", cfg.Apps[0].Key); got != http.StatusUnauthorized {
		t.Errorf("publishing with a signature of another path: %d", got)
	}
	if _, text := e2e.Get(t, p.Base+"/openapi.yaml"); !strings.Contains(text, "{url: "+path+"/,") {
		t.Error("openapi.yaml names another server")
	}
	if _, text := e2e.Get(t, p.Base+"/openapi-3.0.json"); !strings.Contains(text, `"url": "`+path+`/"`) {
		t.Error("openapi-3.0.json names another server")
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(p.Base)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusPermanentRedirect || res.Header.Get("Location") != path+"/" {
		t.Errorf("without the slash: %s to %s", res.Status, res.Header.Get("Location"))
	}
}

// attachment sends a file and returns its link.
func attachment(t *testing.T, p *e2e.Running) string {
	t.Helper()
	c := p.SignIn(t)
	c.Must("POST", e2e.TelegramPath+"/inbound", e2e.Inbound("m1", "7", "send me the file"), nil)
	const chat = e2e.TelegramPath + "/chats/7"
	if status, answer := c.SendFile(chat, "a.txt", []byte("hello")); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	var page struct {
		Items []struct {
			Message struct{ File struct{ Link string } }
		}
	}
	c.Must("GET", chat+"/messages", nil, &page)
	for _, item := range page.Items {
		if link := item.Message.File.Link; link != "" {
			return link
		}
	}
	t.Fatal("there is no file")
	return ""
}

// publishSigned publishes at base with a signature for a path that begins with prefix, and
// returns the status.
func publishSigned(t *testing.T, base, prefix, key string) int {
	t.Helper()
	body := []byte(`{"name":"e","channel":"c","data":"d"}`)
	query := pusher.SignRequest(key, "s", "POST", prefix+"/apps/1/events", nil, body, time.Now())
	res, err := http.Post(base+"/apps/1/events?"+query, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// TestNoBasePathHidesARoute: no route of the program may be the beginning of a base path, except
// /chat, which servers have had as theirs since before the dialect of Evolution API had it.
func TestNoBasePathHidesARoute(t *testing.T) {
	for _, r := range e2e.Start(t, e2e.Config(t)).Components().Router.Routes() {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		if first == "" || first == "chat" {
			continue
		}
		_, err := config.Load("", []string{"CHATCAST_SERVER_BASE_PATH=/" + first}, nil)
		if strings.HasPrefix(first, ".") && err != nil {
			continue // no base path may begin so
		}
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("/%s, which is a path of the program's own", first)) {
			t.Errorf("the base path /%s of the route %s: %v", first, r.Path, err)
		}
	}
}
