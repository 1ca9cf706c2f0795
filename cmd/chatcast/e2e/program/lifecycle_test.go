package program_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestDrain ends the program, as seen by a socket, a long poll and the journal.
func TestDrain(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	ws := e2e.Dial(t, p.Base)
	if _, hello, err := ws.ReadMessage(); err != nil || !strings.Contains(string(hello), "pusher:connection_established") {
		t.Fatalf("the greeting: %s, %v", hello, err)
	}
	polled := make(chan int, 1)
	go func() {
		status, _ := owner.Call("GET", "/v1/events?channel="+e2e.LineChannel+"&wait=60", nil)
		polled <- status
	}()
	for waiting := false; !waiting; { // until the long poll has arrived
		waiting = strings.Contains(e2e.Goroutines(), "waitForEvent")
	}
	p.Stop()
	if status := <-polled; status != http.StatusServiceUnavailable {
		t.Errorf("a long poll is answered %d when the server stops", status)
	}
	_, frame, err := ws.ReadMessage()
	if err != nil || !strings.Contains(string(frame), `"code":4100`) {
		t.Errorf("before the close the socket reads %s, %v", frame, err)
	}
	var closed *websocket.CloseError
	if _, _, err := ws.ReadMessage(); !errors.As(err, &closed) || closed.Code != 4100 {
		t.Errorf("the socket ends with %v, want 4100", err)
	}
	if _, err := net.DialTimeout("tcp", p.Address(), time.Second); err == nil {
		t.Error("the address is still taken")
	}
}

// A second server on one database says what to do, also to whoever has started it by an
// update.
func TestTwoServersOnOneDatabase(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := e2e.Config(t)
		cfg.Database.URL = url
		e2e.Start(t, cfg)
		p, err := app.New(t.Context(), cfg, app.Options{Log: e2e.Log(t)})
		if !errors.Is(err, models.ErrLocked) {
			t.Fatalf("a second server: %v, %v", p, err)
		}
		for _, advice := range []string{"stop it first", "Recreate", "stop-first", "docs/deployment.md"} {
			if !strings.Contains(err.Error(), advice) {
				t.Errorf("a second server does not speak of %q: %v", advice, err)
			}
		}
	})
}

// A node that would not hear those that serve from the database does not start.
func TestNodesOfTwoBuses(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Database.URL, cfg.Bus.URL = testdb.PostgresURL(t), "postgres:"
	e2e.Start(t, cfg)
	cfg.Server.Address, cfg.Server.InternalAddress, cfg.Bus.URL = "127.0.0.1:0", "", "redis://user:hidden@127.0.0.1:1/0"
	p, err := app.New(t.Context(), cfg, app.Options{Log: e2e.Log(t)})
	if !errors.Is(err, models.ErrOtherBus) || !strings.Contains(err.Error(), "bus.url") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a node of another bus: %v, %v", p, err)
	}
}

func TestAddressInUse(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	for key, set := range map[string]func(*config.Config){
		"server.address":          func(c *config.Config) { c.Server.Address = p.Address() },
		"server.internal_address": func(c *config.Config) { c.Server.InternalAddress = p.Address() },
	} {
		cfg := e2e.Config(t)
		set(&cfg)
		if _, err := app.New(t.Context(), cfg, app.Options{Log: e2e.Log(t)}); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s in use: %v", key, err)
		}
		cfg.Server.Address, cfg.Server.InternalAddress = "127.0.0.1:0", ""
		e2e.Start(t, cfg) // the failed start released the database
	}
}

func TestPublicPages(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	for path, want := range map[string]string{
		"/":                     "<title>chatcast", // the console, or the page that stands in for it
		"/console.json":         `"key":"ChatsAppApiProdKey"`,
		"/healthz":              `{"status":"ok"}`,
		"/schemas/message.json": `"$schema"`,
	} {
		if status, body := e2e.Get(t, p.Base+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, event := range crm.EventNames() {
		if status, body := e2e.Get(t, p.Base+"/schemas/"+event+".json"); status != http.StatusOK || !json.Valid([]byte(body)) {
			t.Errorf("schema of %s: %d %s", event, status, body)
		}
	}
	for _, path := range []string{"/nothing", "/v1/nothing", "/schemas/none.json", "/schemas/message", "/schemas/..%2fmessage.json", "/metrics", "/debug/pprof/"} {
		if status, body := e2e.Get(t, p.Base+path); status != http.StatusNotFound || !strings.Contains(body, "ApiNotFoundError") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	internal := "http://" + p.InternalAddress()
	if _, _, err := e2e.Dial(t, p.Base).ReadMessage(); err != nil { // greeted, and therefore counted
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/metrics":      "chatcast_sockets_accepted_total 1",
		"/debug/connz":  `"sockets": 1`,
		"/debug/pprof/": "goroutine",
		"/healthz":      "ok",
	} {
		if status, body := e2e.Get(t, internal+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("internal %s: %d %s", path, status, body)
		}
	}
	// A page whose own domain points to this machine.
	for host, want := range map[string]int{"evil.example.com:9601": http.StatusForbidden, "127.0.0.1.evil.example": http.StatusForbidden, "localhost": http.StatusOK, "[::1]:9601": http.StatusOK} {
		req, _ := http.NewRequest(http.MethodGet, internal+"/debug/connz", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("internal as %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

const ready = `{"checks":{"database":"ok","files":"ok","relay":"ok","writes":"ok"},"status":"ok"}`

// TestReady checks that /readyz is green once the relay listens, and red while the folder
// of files cannot be written to, of which /healthz takes no notice.
func TestReady(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	e2e.AwaitReady(t, p.Base, http.StatusOK, ready)
	folder := cfg.Files.Dir
	if err := errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600)); err != nil { // even root cannot write into a file
		t.Fatal(err)
	}
	e2e.AwaitReady(t, p.Base, http.StatusServiceUnavailable, `"files":"failed"`)
	if status, body := e2e.Get(t, p.Base+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, body)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	e2e.AwaitReady(t, p.Base, http.StatusOK, ready)
}

// TestReadOnlyPostgres makes the database read-only under the program, and writable again.
func TestReadOnlyPostgres(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Database.URL = testdb.PostgresURL(t)
	p := e2e.Start(t, cfg)
	e2e.AwaitReady(t, p.Base, http.StatusOK, ready)
	testdb.SetReadOnly(t, cfg.Database.URL, true)
	e2e.AwaitReady(t, p.Base, http.StatusServiceUnavailable, `"writes":"read_only"`)
	if status, body := e2e.Get(t, p.Base+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, body)
	}
	testdb.SetReadOnly(t, cfg.Database.URL, false)
	e2e.AwaitReady(t, p.Base, http.StatusOK, ready)
}

func TestTLS(t *testing.T) {
	cfg := e2e.Config(t)
	dir := t.TempDir()
	cfg.Server.TLS.Cert, cfg.Server.TLS.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := e2e.WriteCertificate(t, cfg.Server.TLS)
	p := e2e.Start(t, cfg)
	if !strings.HasPrefix(p.URL(), "https://") {
		t.Errorf("the URL is %s", p.URL())
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get(p.URL() + "healthz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("https: %v %v", res, err)
	}
	res.Body.Close()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: pool}}
	ws, res, err := d.Dial("wss://"+p.Address()+"/app/ChatsAppApiProdKey?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	defer ws.Close()
	if _, hello, err := ws.ReadMessage(); err != nil || !strings.Contains(string(hello), "connection_established") {
		t.Errorf("wss greets with %s, %v", hello, err)
	}
}
