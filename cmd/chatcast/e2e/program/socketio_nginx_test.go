package program_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestSocketIOBehindNginx runs the examples of nginx, and the part for other sites in
// docs/deployment.md, in front of the program.
func TestSocketIOBehindNginx(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	page, err := os.ReadFile("../../../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	_, snippet, _ := strings.Cut(string(page), "```nginx\n    location ~ ")
	snippet, _, found := strings.Cut("    location ~ "+snippet, "```")
	if !found || !strings.Contains(snippet, "http://127.0.0.1:6001;") {
		t.Fatalf("the snippet is %q", snippet)
	}
	other := strings.Replace(snippet, "127.0.0.1:6001", p.Address(), 1) + "    location = /healthz {"
	for name, f := range map[string]*frontend{
		"whole": startNginx(t, p.Address()),
		"part":  startNginx(t, p.Address(), "    location / {", other),
	} {
		t.Run(name, func(t *testing.T) { f.carriesSocketIO(t, owner, name) })
	}
}

// TestSocketIOBehindNginxOfACluster checks that polling stays on the node where it began, if
// the proxy sees to that.
func TestSocketIOBehindNginxOfACluster(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Database.URL, cfg.Bus.URL = testdb.PostgresURL(t), "postgres:"
	cfg.Server.TrustedProxies = []string{"127.0.0.1/32"}
	var pairs []string
	var owner *e2e.Client
	for i := range 3 {
		node := e2e.Start(t, cfg)
		if owner == nil {
			owner = node.SignIn(t)
		}
		pairs = append(pairs, fmt.Sprintf("server 10.0.0.%d:6001", i+1), "server "+node.Address())
	}
	startNginxWith(t, "nginx-cluster.conf", pairs...).carriesSocketIO(t, owner, "cluster")
}

// carriesSocketIO connects clients over each transport through the proxy, and expects that an
// event reaches all of them.
func (f *frontend) carriesSocketIO(t *testing.T, owner *e2e.Client, name string) {
	t.Helper()
	f.serves(t)
	key, _ := withKey(owner, map[string]any{"rights": []string{"read"}, "licenseId": 1229, "messengerType": "grWhatsApp"})
	clients := map[string]*ioClient{}
	for _, c := range []struct{ kind, path string }{
		{"websocket", "/1229-grWhatsApp"}, {"polling", "/1229-grWhatsApp"}, {"upgraded", "/whatsapp/1229-grWhatsApp"},
	} {
		options := map[string]any{"rejectUnauthorized": false, "auth": map[string]any{"apikey": key.Key}, "path": "/socket.io/"}
		if c.kind != "upgraded" {
			options["transports"] = []string{c.kind}
		}
		clients[c.kind] = connectIO(t, f.base+c.path, options)
		want := map[any]bool{"connect": true, "upgrade": c.kind == "upgraded"} // in any order
		for want["connect"] || want["upgrade"] {
			line := <-clients[c.kind].lines
			if len(line) == 0 || !want[line[0]] {
				t.Fatalf("%s says %v", c.kind, line)
			}
			want[line[0]] = false
		}
	}
	owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("nginx-"+name, "351912000009", "through "+name), nil)
	for kind, c := range clients {
		if text, _ := c.text("1229-grWhatsApp"); text != "through "+name {
			t.Errorf("%s got %q", kind, text)
		}
	}
}
