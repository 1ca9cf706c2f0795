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

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// Access that ends on one node ends namespaces on another: a revoked key, a deleted instance, a
// line that is taken away. The client is told, and does not come back; what its connection has
// besides goes on.
func TestSocketIOAccessEndsOnOtherNodes(t *testing.T) {
	here, there := twoNodes(t)
	owner := here.SignIn(t)
	rights := []string{"read", "send"}
	connect := func(namespace string, key madeKey) *ioClient {
		c := connectIO(t, there.Base+namespace, map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apikey": key.Key}})
		c.next("connect")
		return c
	}
	ends := func(what string, c *ioClient, end func()) {
		t.Helper()
		began := time.Now()
		end()
		for {
			select {
			case line, more := <-c.lines:
				if !more {
					t.Fatalf("%s: the client has ended", what)
				}
				if line[0] != "disconnect" {
					continue
				}
				if line[1] != "io server disconnect" {
					t.Errorf("%s: the namespace ends with %v", what, line)
				}
				if took := time.Since(began); took > time.Second+testwait.Long/60 {
					t.Errorf("%s: the namespace ended after %v", what, took)
				}
				return
			case <-time.After(testwait.Long):
				t.Fatalf("%s: the namespace does not end", what)
			}
		}
	}
	company, program := withKey(owner, map[string]any{"rights": []string{"read", "send", "manage"}})
	stays := connect("/1229-grWhatsApp", company)

	line, _ := withKey(owner, map[string]any{"rights": rights, "licenseId": 1229, "messengerType": "grWhatsApp"})
	ends("a revoked key", connect("/1229-grWhatsApp", line), func() { owner.Must("DELETE", "/v1/keys/"+jsonOf(t, line.ID), nil, nil) })
	second, _ := withKey(owner, map[string]any{"rights": rights})
	ends("a revoked key in the main namespace", connect("/", second), func() { owner.Must("DELETE", "/v1/keys/"+jsonOf(t, second.ID), nil, nil) })

	var made struct{ LicenseID int64 }
	owner.Must("POST", "/v1/licenses", map[string]any{"companyId": 2224, "name": "Other"}, &made)
	path := fmt.Sprintf("/v1/licenses/%d", made.LicenseID)
	owner.Must("POST", path+"/messengers", map[string]any{"type": "grWhatsApp"}, nil)
	namespace := fmt.Sprintf("/%d-grWhatsApp", made.LicenseID)
	ends("a line that was removed", connect(namespace, company), func() { owner.Must("DELETE", path+"/messengers/grWhatsApp", nil, nil) })
	owner.Must("POST", path+"/messengers", map[string]any{"type": "grWhatsApp"}, nil)
	ends("a deleted instance", connect(namespace, company), func() {
		if status, answer := deleteInstance(t, program, strings.TrimPrefix(namespace, "/")); status != http.StatusOK {
			t.Fatalf("deleting an instance is answered %d %s", status, answer)
		}
	})

	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("S1", "351912000009", "still here"), nil)
	if text, _ := stays.text("1229-grWhatsApp"); text != "still here" {
		t.Errorf("another client gets %q", text)
	}
}

// deleteInstance deletes an instance as clients of Evolution API do.
func deleteInstance(t *testing.T, program *e2e.Client, name string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "DELETE", program.Base+"/instance/delete/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("apikey", strings.TrimPrefix(program.Token, "Bearer "))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// A session over polling is on one node: any other says that it does not know it, and the
// session goes on where it is.
func TestSocketIOPollingOnOtherNode(t *testing.T) {
	here, there := twoNodes(t)
	_, body := e2e.Get(t, here.Base+"/socket.io/?EIO=4&transport=polling")
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &open); err != nil || open.SID == "" {
		t.Fatalf("the handshake is %q", body)
	}
	const unknown = `{"code":1,"message":"Session ID unknown"}`
	path := "/socket.io/?EIO=4&transport=polling&sid=" + open.SID
	if status, body := e2e.Get(t, there.Base+path); status != http.StatusBadRequest || body != unknown {
		t.Errorf("the other node answers %d %s", status, body)
	}
	post := func(p *e2e.Running) (int, string) {
		res, err := http.Post(p.Base+path, "text/plain", strings.NewReader("40"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	if status, body := post(there); status != http.StatusBadRequest || body != unknown {
		t.Errorf("the other node answers a packet with %d %s", status, body)
	}
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(there.Base, "http")+strings.Replace(path, "polling", "websocket", 1), nil)
	if err == nil {
		ws.Close()
		t.Fatal("the other node upgrades the session")
	}
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusBadRequest || string(body) != unknown {
		t.Errorf("the other node answers an upgrade with %d %s", res.StatusCode, body)
	}
	if status, body := post(here); status != http.StatusOK || body != "ok" {
		t.Errorf("its own node answers %d %s", status, body)
	}
	if _, body := e2e.Get(t, here.Base+path); body != `44{"message":"apiKey is required"}` {
		t.Errorf("the session goes on with %q", body)
	}
}

// twoNodes starts a cluster.
func twoNodes(t *testing.T) (here, there *e2e.Running) {
	t.Helper()
	cfg := e2e.Config(t)
	cfg.Database.URL, cfg.Bus.URL = testdb.PostgresURL(t), "postgres:"
	return e2e.Start(t, cfg), e2e.Start(t, cfg)
}
