package access_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// raw is a WebSocket of somebody.
type raw struct {
	t  *testing.T
	p  *person
	ws *websocket.Conn
}

// dial opens a WebSocket; without one the status and the answer say why.
func (w *world) dial(p *person, path string) (c *raw, status int, body string) {
	w.t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.p.Base, "http")+path, nil)
	if err == nil {
		w.t.Cleanup(func() { _ = ws.Close() })
		return &raw{w.t, p, ws}, http.StatusSwitchingProtocols, ""
	}
	if res == nil {
		w.t.Fatalf("%s as %s: %v", path, p.name, err)
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	return nil, res.StatusCode, string(text)
}

func (c *raw) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("%s: %v", c.p.name, err)
	}
}

// until reads until a message begins so, and returns it and those before it.
func (c *raw) until(beginning string) (found string, before []string) {
	c.t.Helper()
	_ = c.ws.SetReadDeadline(time.Now().Add(testwait.Long))
	for {
		_, text, err := c.ws.ReadMessage()
		if err != nil {
			c.t.Fatalf("%s, waiting for %s after %q: %v", c.p.name, beginning, before, err)
		}
		if strings.HasPrefix(string(text), beginning) {
			return string(text), before
		}
		if string(text) != "2" { // a ping
			before = append(before, string(text))
		}
	}
}

// told checks what came before a mark: the message only for those who may read, and the code only
// for those who may also pair the line.
func (c *raw) told(where, mark string, reads, pairs bool) (marked string) {
	c.t.Helper()
	marked, before := c.until(mark)
	has := func(text string) bool {
		return slices.ContainsFunc(before, func(frame string) bool { return strings.Contains(frame, text) })
	}
	if got := has("words for readers"); got != reads {
		c.t.Errorf("%s as %s: the message is there: %v", where, c.p.name, got)
	}
	if got := has("2@the-code"); got != pairs {
		c.t.Errorf("%s as %s: the code is there: %v", where, c.p.name, got)
	}
	if !reads && !pairs && len(before) > 0 {
		c.t.Errorf("%s as %s: %.300q", where, c.p.name, before)
	}
	return marked
}

// happen has a code come that pairs the bridge, and then a customer write on it, and returns when
// all who get that have it.
func (w *world) happen() {
	w.t.Helper()
	control := w.subscribed(w.named("company, all rights")[0])
	defer control.ws.Close()
	code := "2@the-code"
	if err := w.p.Components().Rules.PublishQR(w.t.Context(), lineOf(line), crm.Pairing{QR: &code, ExpiresAt: time.Now().Unix() + 20}); err != nil {
		w.t.Fatal(err)
	}
	w.asked++
	owner := &e2e.Client{T: w.t, Base: w.p.Base, Token: "token of owner"}
	owner.Must("POST", "/v1/licenses/5101/messengers/"+line+"/inbound", map[string]any{"messages": []any{map[string]any{
		"id": fmt.Sprint("for-readers-", w.asked), "chat": map[string]any{"id": "79990000001"}, "fromUser": map[string]any{"id": "79990000001", "name": "x"}, "message": map[string]any{"text": "words for readers"},
	}}}, nil)
	control.until(`{"type":"event","payload":{"event":"message.received"`)
}

// subscribed opens the socket of MultiWA and asks for the events of the bridge.
func (w *world) subscribed(p *person) *raw {
	w.t.Helper()
	c, status, body := w.dial(p, "/ws?apiKey="+url.QueryEscape(p.token))
	if c == nil {
		w.t.Fatalf("%s: %d %s", p.name, status, body)
	}
	c.until(`{"type":"ack"`)
	c.send(`{"type":"subscribe","payload":{"profileId":"` + w.instance(lineOf(line)).ID + `","events":["message.received","qr.updated"]},"requestId":1}`)
	return c
}

// enter enters a namespace of Socket.IO with the key in the CONNECT, and in that of MultiWA joins
// the bridge. It returns nil if somebody may not, with the answer that such a one gets.
func (w *world) enter(p *person, nsp, profile string) *raw {
	w.t.Helper()
	c, status, body := w.dial(p, "/socket.io/?EIO=4&transport=websocket")
	if c == nil {
		w.t.Fatalf("%s: %d %s", p.name, status, body)
	}
	c.until("0{")
	valid, mine, reads, _ := rightsOn(p)
	head, want := nsp+",", ""
	if nsp == "/" {
		head = ""
	}
	switch {
	case p.token == "":
		want = "apiKey is required"
	case !valid:
		want = "Invalid apiKey"
	case nsp == "/nowhere", nsp != "/" && nsp != "/ws" && !mine:
		want = "Invalid namespace"
	}
	auth := `{"apikey":"` + p.token + `","apiKey":"` + p.token + `","events":["message.received","qr.updated"]}`
	c.send("40" + head + auth)
	if want != "" {
		c.until("44" + head + `{"message":"` + want + `"}`)
		_ = c.ws.Close()
		return nil
	}
	c.until("40" + head + "{")
	if nsp == "/ws" {
		c.send(`42/ws,1["join",{"profileId":"` + profile + `","events":["message.received","qr.updated"]}]`)
		answer := `43/ws,1[{"success":false,"error":"Forbidden"}]`
		if reads {
			answer = `43/ws,1[{"success":true,"profileId":"` + profile + `"}]`
		}
		c.until(answer)
	}
	return c
}

// rightsOn returns whether somebody has a key, whether it is of the bridge, and whether it may read
// that and pair it.
func rightsOn(p *person) (valid, mine, reads, pairs bool) {
	if p.key == nil || p.refused != 0 {
		return false, false, false, false
	}
	mine = p.key.company == alpha && (!p.key.line || p.key.on == "")
	return true, mine, mine && p.key.may([]string{crm.KeyRead}), mine && p.key.may([]string{crm.KeyManage})
}

// TestSockets opens the socket of MultiWA as everybody. Only who may read the line gets its events,
// and only who may pair it too gets the codes for that.
func TestSockets(t *testing.T) {
	w := newDialectWorld(t, "")
	profile := w.instance(lineOf(line)).ID
	var open []*raw
	for _, p := range w.dialectCallers() {
		valid, _, reads, _ := rightsOn(p)
		if !valid {
			c, status, body := w.dial(p, "/ws?apiKey="+url.QueryEscape(p.token))
			if c != nil || status != 401 || body != `{"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid API key"}}` {
				t.Errorf("%s: %d %s", p.name, status, body)
			}
			continue
		}
		c := w.subscribed(p)
		want := `{"type":"error","payload":{"error":"Profile not found"},"requestId":1}`
		if reads {
			want = `{"type":"ack","payload":{"action":"subscribed","profileId":"` + profile + `","events":["message.received","qr.updated"]},"requestId":1}`
		}
		c.until(want)
		open = append(open, c)
	}
	w.happen()
	for _, c := range open {
		_, _, reads, pairs := rightsOn(c.p)
		c.send(`{"type":"ping"}`)
		c.told("/ws", `{"type":"pong"`, reads, reads && pairs)
	}
}

// TestNamespaces enters the namespaces of Socket.IO as everybody.
func TestNamespaces(t *testing.T) {
	w := newDialectWorld(t, "")
	bridge := w.instance(lineOf(line))
	for _, nsp := range []string{"/ws", "/" + bridge.Name, "/", "/nowhere"} {
		var open []*raw
		for _, p := range w.dialectCallers() {
			if c := w.enter(p, nsp, bridge.ID); c != nil {
				open = append(open, c)
			}
		}
		if (nsp == "/nowhere") != (len(open) == 0) {
			t.Errorf("%d are in %s", len(open), nsp)
		}
		w.happen()
		for _, c := range open {
			c.hears(nsp, bridge.ID)
			_ = c.ws.Close()
		}
	}
}

// hears checks what somebody in a namespace was told, and in that of the instance who may send.
func (c *raw) hears(nsp, profile string) {
	c.t.Helper()
	_, _, reads, pairs := rightsOn(c.p)
	switch nsp {
	case "/ws":
		c.send(`42/ws,9["leave","` + profile + `"]`)
		c.told(nsp, `43/ws,9[{"success":true`, reads, reads && pairs)
	case "/": // silent, if evolution.global_events is off
		c.send(`40/nowhere,{"apikey":"x"}`)
		c.told(nsp, `44/nowhere,{"message":"Invalid apiKey"}`, false, false)
	default:
		status := `"status":403`
		if c.p.key.may([]string{crm.KeySend}) {
			status = `"status":201`
		}
		c.send(`42` + nsp + `,9["send_message",{"number":"79990000001","text":"x"}]`)
		if answer := c.told(nsp, `43`+nsp+`,9[{`, reads, pairs); !strings.Contains(answer, status) {
			c.t.Errorf("send_message as %s: %s, want %s", c.p.name, answer, status)
		}
	}
}
