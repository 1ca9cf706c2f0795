package socketio

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
)

// client is a WebSocket of a test.
type client struct {
	t  testing.TB
	ws *websocket.Conn
}

const (
	ioPath  = "/socket.io/?EIO=4&transport="
	rawPath = "/engine.io/?EIO=4&transport="
)

// dial opens a WebSocket. path is behind the host.
func (h *host) dial(path string) *client {
	h.t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.web.URL, "http")+path, nil)
	if err != nil {
		h.t.Fatalf("%s: %v %v", path, err, res)
	}
	c := &client{h.t, ws}
	h.t.Cleanup(func() { _ = ws.Close() })
	return c
}

// refused expects that a WebSocket is refused with a status.
func (h *host) refused(path string, want int) {
	h.t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.web.URL, "http")+path, nil)
	if err == nil {
		_ = ws.Close()
		h.t.Fatalf("%s is not refused", path)
	}
	if res == nil || res.StatusCode != want {
		h.t.Errorf("%s: %v %v", path, err, res)
	}
}

// open opens a WebSocket and reads the handshake.
func (h *host) open(path string) *client {
	h.t.Helper()
	c := h.dial(path + transportWebSocket)
	if got := c.read(); !strings.HasPrefix(got, `0{"sid":"`) {
		h.t.Fatalf("the handshake is %q", got)
	}
	return c
}

// enter opens a WebSocket and enters a namespace with the payload of a CONNECT.
func (h *host) enter(namespace, auth string) (c *client, sid, pid string) {
	h.t.Helper()
	c = h.open(ioPath)
	sid, pid = c.enter(namespace, auth)
	return c, sid, pid
}

func (c *client) enter(namespace, auth string) (sid, pid string) {
	c.t.Helper()
	prefix := prefixOf(namespace)
	c.send("40" + prefix + auth)
	return c.entered(namespace)
}

// entered reads the answer to a CONNECT.
func (c *client) entered(namespace string) (sid, pid string) {
	c.t.Helper()
	got := c.read()
	rest, ok := strings.CutPrefix(got, "40"+prefixOf(namespace))
	var answer struct{ SID, PID string }
	if !ok || json.Unmarshal([]byte(rest), &answer) != nil || answer.SID == "" {
		c.t.Fatalf("the answer is %q", got)
	}
	return answer.SID, answer.PID
}

func (c *client) send(texts ...string) {
	c.t.Helper()
	for _, s := range texts {
		if err := c.ws.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *client) sendBinary(b []byte) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next message, binary ones with a b before them.
func (c *client) next() (string, error) {
	_ = c.ws.SetReadDeadline(time.Now().Add(testwait.Long))
	kind, b, err := c.ws.ReadMessage()
	if kind == websocket.BinaryMessage {
		return "b" + string(b), err
	}
	return string(b), err
}

// read returns the next message.
func (c *client) read() string {
	c.t.Helper()
	got, err := c.next()
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// want expects messages. Pings between them are left out, unless one is expected.
func (c *client) want(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		got := c.read()
		for got == "2" && want != "2" {
			got = c.read()
		}
		if got != want {
			c.t.Fatalf("got %.300q, want %.300q", got, want)
		}
	}
}

// ends expects that the server closes the connection, and leaves out what it says before.
func (c *client) ends() {
	c.t.Helper()
	for {
		_, err := c.next()
		var closed *websocket.CloseError
		switch {
		case err == nil:
		case errors.As(err, &closed):
			return
		default:
			c.t.Fatalf("the connection ends with %v", err)
		}
	}
}

// silent expects that nothing but an answer to a packet of the client comes.
func (c *client) silent(namespace string) {
	c.t.Helper()
	c.send("42" + prefixOf(namespace) + `99["echo"]`)
	c.want("43" + prefixOf(namespace) + `99[]`)
}

// answer is the answer to a request.
type answer struct {
	status int
	body   string
	header http.Header
}

// ask sends a request. A status of 0 means that it was not answered.
func (h *host) ask(method, path, body string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.web.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}
	}
	return answer{res.StatusCode, string(b), res.Header}
}

// status expects the status of a request.
func (h *host) status(method, path, body string, want int) {
	h.t.Helper()
	if got := h.ask(method, path, body); got.status != want {
		h.t.Errorf("%s %s is answered %d %q, want %d", method, path, got.status, got.body, want)
	}
}

// same expects status 200 and a body.
func (h *host) same(method, path, body, want string) {
	h.t.Helper()
	if got := h.ask(method, path, body); got.status != http.StatusOK || got.body != want {
		h.t.Fatalf("%s %s is answered %d %.300q, want %.300q", method, path, got.status, got.body, want)
	}
}

// poll begins a session over polling, and returns its path.
func (h *host) poll(path string) string {
	h.t.Helper()
	got := h.ask(http.MethodGet, path+transportPolling, "")
	var o struct{ SID string }
	if got.status != http.StatusOK || len(got.body) == 0 || json.Unmarshal([]byte(got.body[1:]), &o) != nil || o.SID == "" {
		h.t.Fatalf("the handshake is %+v", got)
	}
	return path + transportPolling + "&sid=" + o.SID
}

// overWebSocket returns the path with which a session over polling is upgraded.
func overWebSocket(polling string) string {
	return strings.Replace(polling, "transport="+transportPolling, "transport="+transportWebSocket, 1)
}
