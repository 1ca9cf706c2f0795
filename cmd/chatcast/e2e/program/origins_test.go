package program_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// TestListedOrigins: with lists of the server and of an app, pages of the server itself
// and of its public URL still get sockets, sessions over HTTP and answers.
func TestListedOrigins(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Server.PublicURL = "https://chat.example.com"
	cfg.Server.AllowedOrigins = []string{"https://crm.example.com", "http://localhost:*"}
	shop := cfg.Apps[0]
	shop.ID, shop.Key, shop.Secret, shop.AllowedOrigins = "2", "ShopKey", rand.Text(), []string{"http://localhost:3000"}
	cfg.Apps = append(cfg.Apps, shop)
	p := e2e.Start(t, cfg)
	crm := cfg.Apps[0].Key
	for origin, want := range map[string]struct{ crm, shop bool }{
		"":                          {true, true},
		p.Base:                      {true, true}, // the console; React Native sends it too
		"https://chat.example.com":  {true, true},
		"https://crm.example.com":   {true, false},
		"http://localhost:3000":     {true, true},
		"http://localhost:5173":     {true, false},
		"https://localhost:5173":    {false, false},
		"https://evil.example":      {false, false},
		"http://chat.example.com":   {false, false},
		p.Base + "0":                {false, false},
		"https://chat.example.com.": {false, false},
	} {
		for key, allowed := range map[string]bool{crm: want.crm, shop.Key: want.shop} {
			if got := greets(t, p.Base, key, origin); got != allowed {
				t.Errorf("a page of %q gets a socket of %s: %v", origin, key, got)
			}
			if got := greetsOverHTTP(t, p.Base, key, origin); got != allowed {
				t.Errorf("a page of %q gets a session of %s: %v", origin, key, got)
			}
		}
		wantAllowed, wantCredentials := "", ""
		if want.crm && origin != "" {
			wantAllowed, wantCredentials = origin, "true"
		}
		h := answerTo(t, p.Base+"/healthz", origin)
		if h.Get("Access-Control-Allow-Origin") != wantAllowed || h.Get("Access-Control-Allow-Credentials") != wantCredentials {
			t.Errorf("CORS for %q: %v", origin, h)
		}
	}
}

// greets reports whether a page of this origin gets a socket.
func greets(t *testing.T, base, key, origin string) bool {
	t.Helper()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/app/"+key+"?protocol=7", header)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	defer ws.Close()
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	var frame struct{ Event string }
	if err := ws.ReadJSON(&frame); err != nil {
		t.Fatal(err)
	}
	return frame.Event == "pusher:connection_established"
}

// greetsOverHTTP reports whether a page of this origin gets a session of a fallback
// transport.
func greetsOverHTTP(t *testing.T, base, key, origin string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/pusher/app/"+key+"/1/"+rand.Text()[:8]+"/xhr?protocol=7", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(answer), "pusher:connection_established")
}

// answerTo returns the headers of an answer to a page of this origin.
func answerTo(t *testing.T, target, origin string) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.Header
}
