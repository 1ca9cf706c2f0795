package cluster_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/pusher"
)

// The apps of the backends: their ids, the secret of all, and the key of the first.
const (
	shop       = "shop"
	counted    = "counted" // tells how many are subscribed
	shopKey    = shop + keySuffix
	keySuffix  = "-key"
	shopSecret = "a secret of the shop"
)

// node is one process of the program.
type node struct {
	t testing.TB
	*e2e.Process
	app      string // of api and open
	internal string // address of the metrics
}

// world is what the nodes of a cluster have in common.
type world struct {
	t      *testing.T
	binary string
	config string            // path of the configuration
	tokens map[string]string // by email
}

// newWorld writes the configuration of a cluster on the database at url. more is added to
// it.
func newWorld(t *testing.T, url, more string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, binary: e2e.BuildBinary(t), config: filepath.Join(dir, "config.yaml"), tokens: map[string]string{}}
	text := fmt.Sprintf(`
server: {address: "127.0.0.1:0", drain_time: 0s}
database: {url: %q}
bus: {url: "postgres:"}
files: {dir: %q}
log: {level: debug}
bootstrap: {user: {password: %q}}
`, url, filepath.Join(dir, "files"), e2e.OwnerPassword) + more
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// start starts a node.
func (w *world) start(flags ...string) *node {
	w.t.Helper()
	return w.startOn(w.t, flags...)
}

// startOn starts a node that ends with the test t.
func (w *world) startOn(t testing.TB, flags ...string) *node {
	t.Helper()
	internal := e2e.FreeAddress(t)
	flags = append([]string{"--config", w.config, "--server.internal_address=" + internal}, flags...)
	return &node{t, e2e.Launch(t, w.binary, "", nil, flags...), shop, internal}
}

// signIn signs a user in on a node, once: any node takes the token.
func (w *world) signIn(n *node, email, password string) *e2e.Client {
	w.t.Helper()
	if w.tokens[email] == "" {
		w.tokens[email] = (&e2e.Running{Base: n.Base}).SignInAs(w.t, email, password).Token
	}
	return n.as(w.tokens[email])
}

func (w *world) owner(n *node) *e2e.Client {
	w.t.Helper()
	return w.signIn(n, e2e.OwnerEmail, e2e.OwnerPassword)
}

// as returns a client of the node with a token.
func (n *node) as(token string) *e2e.Client {
	return &e2e.Client{T: n.t, Base: n.Base, Token: token}
}

// kill ends the node at once.
func (n *node) kill() {
	n.t.Helper()
	if err := n.Cmd.Process.Kill(); err != nil {
		n.t.Fatal(err)
	}
	_ = n.Cmd.Wait() // it was killed
}

// api sends a signed request of a backend.
func (n *node) api(method, path string, query map[string]string, body string) (status int, answer string) {
	n.t.Helper()
	path = "/apps/" + n.app + "/" + path
	signed := pusher.SignRequest(n.app+keySuffix, shopSecret, method, path, query, []byte(body), time.Now())
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.Base+path+"?"+signed, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// publish publishes an event of the shop. except is the id of a socket that must not get
// it.
func (n *node) publish(channel, event, data, except string) {
	n.t.Helper()
	body, _ := json.Marshal(map[string]string{"name": event, "channel": channel, "data": data, "socket_id": except})
	if except == "" {
		body, _ = json.Marshal(map[string]string{"name": event, "channel": channel, "data": data})
	}
	if status, answer := n.api("POST", "events", nil, string(body)); status != http.StatusOK {
		n.t.Fatalf("publishing: %d %s", status, answer)
	}
}

// knows waits until the node knows how many users a presence channel has: what happens on
// other nodes comes a moment later.
func (n *node) knows(channel string, users int) {
	n.t.Helper()
	n.as("").Eventually(fmt.Sprintf("%s has %d users", channel, users), func() bool {
		_, answer := n.api("GET", "channels/"+channel, map[string]string{"info": "user_count"}, "")
		return strings.Contains(answer, fmt.Sprintf(`"user_count":%d`, users))
	})
}

// of returns the node for another app than the shop.
func (n *node) of(app string) *node {
	other := *n
	other.app = app
	return &other
}

// page is a socket of the shop.
type page struct {
	t  testing.TB
	ws *websocket.Conn
	id string
}

// open opens a socket of the shop, which is closed at the end of the test t.
func (n *node) open(t testing.TB) *page {
	t.Helper()
	ws, hello := e2e.OnApp(t, n.Base, n.app, n.app+keySuffix).Socket()
	var first struct{ Data string }
	var established struct {
		SocketID string `json:"socket_id"`
	}
	if json.Unmarshal([]byte(hello), &first) != nil || json.Unmarshal([]byte(first.Data), &established) != nil || established.SocketID == "" {
		t.Fatalf("the greeting is %s", hello)
	}
	return &page{t, ws, established.SocketID}
}

func (p *page) send(event string, data any) {
	p.t.Helper()
	if err := p.ws.WriteJSON(map[string]any{"event": event, "data": data}); err != nil {
		p.t.Fatal(err)
	}
}

// enter subscribes to a channel, as a member if id is not empty, and returns the answer's
// data.
func (p *page) enter(channel, id string) string {
	p.t.Helper()
	data := map[string]string{"channel": channel}
	if id != "" {
		data["channel_data"] = fmt.Sprintf(`{"user_id":%q,"user_info":{"name":"N%s"}}`, id, id)
	}
	if strings.HasPrefix(channel, "private-") || strings.HasPrefix(channel, "presence-") {
		data["auth"] = shopKey + ":" + pusher.SignChannel(shopSecret, p.id, channel, data["channel_data"])
	}
	p.send("pusher:subscribe", data)
	return p.gets("pusher_internal:subscription_succeeded", channel)
}

// next reads a frame but pings, and returns its event, channel and data.
func (p *page) next() (event, channel, data string) {
	p.t.Helper()
	for {
		_ = p.ws.SetReadDeadline(time.Now().Add(testwait.Long))
		_, frame, err := p.ws.ReadMessage()
		if err != nil {
			p.t.Fatalf("a socket ends: %v", err)
		}
		var f struct {
			Event, Channel string
			Data           json.RawMessage
		}
		if err := json.Unmarshal(frame, &f); err != nil {
			p.t.Fatalf("%v in %s", err, frame)
		}
		if f.Event == "pusher:ping" {
			p.send("pusher:pong", map[string]any{})
			continue
		}
		if json.Unmarshal(f.Data, &data) != nil { // not text
			data = string(f.Data)
		}
		return f.Event, f.Channel, data
	}
}

// gets expects that the next frame is this one with all parts in its data, which it
// returns.
func (p *page) gets(event, channel string, parts ...string) string {
	p.t.Helper()
	gotEvent, gotChannel, data := p.next()
	missing := func(part string) bool { return !strings.Contains(data, part) }
	if gotEvent != event || gotChannel != channel || slices.ContainsFunc(parts, missing) {
		p.t.Fatalf("a socket gets %s %s %s, want %s %s with %q", gotEvent, gotChannel, data, event, channel, parts)
	}
	return data
}

// silent expects that nothing is on its way to the socket: it would come before the pong.
func (p *page) silent() {
	p.t.Helper()
	p.send("pusher:ping", map[string]any{})
	p.gets("pusher:pong", "")
}

// ends expects that the next frames are an error and the end of the socket with this code.
func (p *page) ends(code int) {
	p.t.Helper()
	e2e.Ends(p.t, p.ws, code)
}

// signIn signs the socket in as a user.
func (p *page) signIn(userData string) {
	p.t.Helper()
	shop := pusher.App{App: apps.App{Key: shopKey, Secret: shopSecret}}
	p.send("pusher:signin", map[string]string{"user_data": userData, "auth": shop.AuthUser(p.id, userData)})
	p.gets("pusher:signin_success", "")
}

// metrics returns the metrics of the node.
func (n *node) metrics() string {
	n.t.Helper()
	_, text := e2e.Get(n.t, "http://"+n.internal+"/metrics")
	return text
}

// errorLines returns the lines of a log that are warnings or errors, but those of a node that
// was killed.
func errorLines(log string) string {
	var list []string
	for line := range strings.Lines(log) {
		if (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) && !strings.Contains(line, "a node is dead") {
			list = append(list, line)
		}
	}
	return strings.Join(list, "")
}

// command runs the program with the configuration until it ends.
func (w *world) command(args ...string) (output string, err error) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.binary, append(args, "--config", w.config, "--server.internal_address=")...)
	cmd.Env = e2e.Environ()
	text, err := cmd.CombinedOutput()
	return string(text), err
}
