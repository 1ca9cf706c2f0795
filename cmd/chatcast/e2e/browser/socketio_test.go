package browser

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"text/template"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// ioModules are the npm packages of the tests of Socket.IO.
const ioModules = "../../../../server/socketio/testdata/clients/node_modules"

// TestSocketIOInChromium opens clients of socket.io-client in a page. The program is killed,
// another one takes a message that nobody can hear, and with the third one they all go on
// where they were.
func TestSocketIOInChromium(t *testing.T) {
	if _, err := os.Stat(ioModules + "/socket.io-client/package.json"); err != nil {
		t.Fatalf("the npm packages of server/socketio are missing (make setup gets them): %v", err)
	}
	binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	p, owner := startAt(t, binary, address, cfg)
	var made struct{ Key string }
	owner.Must("POST", "/v1/keys", map[string]any{"name": "page", "rights": []string{"read"}, "licenseId": 1229, "messengerType": "grWhatsApp"}, &made)
	tab := openIO(t, map[string]string{"Base": p.Base, "Instance": "1229-grWhatsApp", "Key": made.Key})
	tab.AllowStrange() // its frames are not Pusher's
	e2e.Evaluate[bool](tab, "begin()")

	for _, line := range []string{
		`["connect","websocket",false,"websocket"]`, `["connect","polling",false,"polling"]`, `["upgrade","upgraded","websocket"]`,
		`["connect_error","none","Invalid namespace"]`, `["connect_error","keyless","apiKey is required"]`,
		`["connect_error","wrong","Invalid apiKey"]`, `["connect_error","refused","xhr poll error"]`,
	} {
		awaitLine(tab, line)
	}
	clients := []string{"websocket", "polling", "upgraded"}
	write := func(owner *e2e.Client, id string) {
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(id, "351912000009", id), nil)
	}
	write(owner, "heard")
	for _, name := range clients {
		awaitLine(tab, fmt.Sprintf(`["text",%q,"heard"]`, name))
	}
	if err := p.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Cmd.Wait() // it was killed
	for _, name := range clients {
		tab.Sees("disconnect", `"`+name+`"`)
	}
	between, owner := startAt(t, binary, "127.0.0.1:0", cfg)
	write(owner, "missed")
	if err := between.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = between.Cmd.Wait() // it was killed
	_, owner = startAt(t, binary, address, cfg)
	for _, name := range clients {
		tab.Sees("connect", `"`+name+`",true,`)
	}
	write(owner, "live")
	for _, name := range clients {
		awaitLine(tab, fmt.Sprintf(`["text",%q,"live"]`, name))
		var texts []string
		for _, line := range tab.Logs() {
			var words []string
			if json.Unmarshal(line, &words) == nil && words[0] == "text" && words[1] == name {
				texts = append(texts, words[2])
			}
		}
		if !slices.Equal(texts, []string{"heard", "missed", "live"}) {
			t.Errorf("%s got %q", name, texts)
		}
	}
}

// startAt starts the program at an address, and signs the owner in.
func startAt(t *testing.T, binary, address string, cfg config.Config) (*e2e.Process, *e2e.Client) {
	t.Helper()
	cmd := exec.Command(binary, "serve", "--server.address="+address, "--server.internal_address=", "--server.drain_time=0s",
		"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir)
	cmd.Env = append(e2e.Environ(), "CHATCAST_BOOTSTRAP_USER_PASSWORD="+e2e.OwnerPassword)
	p := e2e.LaunchCommand(t, cmd)
	return p, (&e2e.Running{Base: p.Base}).SignIn(t)
}

// openIO opens the page of the clients of Socket.IO.
func openIO(t *testing.T, values map[string]string) *e2e.Tab {
	t.Helper()
	page, err := template.ParseFiles("../testdata/browser/socketio.html")
	if err != nil {
		t.Fatal(err)
	}
	var html strings.Builder
	if err := page.Execute(&html, values); err != nil {
		t.Fatal(err)
	}
	return e2e.OpenHTML(t, html.String(), map[string]http.Handler{"/io/": http.StripPrefix("/io/", http.FileServer(http.Dir(ioModules)))})
}

// awaitLine waits until the page has reported a line.
func awaitLine(tab *e2e.Tab, line string) {
	tab.T.Helper()
	tab.Wait(line, func(logged []json.RawMessage, _ []string) bool {
		return slices.ContainsFunc(logged, func(l json.RawMessage) bool { return string(l) == line })
	})
}
