package evolution

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// listener is a client of Socket.IO in one namespace.
type listener struct {
	t  *testing.T
	ws *websocket.Conn
	at string // "" or "/shop,"

	pid, offset string // to go on from
}

// listen enters a namespace; "" is the main one.
func listen(t *testing.T, base, key, namespace string) *listener {
	t.Helper()
	return listenFrom(t, base, namespace, `{"apikey":"`+key+`"}`)
}

// listenFrom enters a namespace with what a client says of itself.
func listenFrom(t *testing.T, base, namespace, auth string) *listener {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	l := &listener{t: t, ws: ws}
	if namespace != "" {
		l.at = "/" + namespace + ","
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte("40"+l.at+auth)); err != nil {
		t.Fatal(err)
	}
	for {
		if answer, in := strings.CutPrefix(l.frame(), "40"+l.at); in {
			var entered struct{ PID string }
			if err := json.Unmarshal([]byte(answer), &entered); err != nil {
				t.Fatal(err)
			}
			l.pid = entered.PID
			return l
		}
	}
}

// frame returns the next frame that is no ping.
func (l *listener) frame() string {
	l.t.Helper()
	_ = l.ws.SetReadDeadline(time.Now().Add(testwait.Long))
	for {
		_, frame, err := l.ws.ReadMessage()
		if err != nil {
			l.t.Fatal(err)
		}
		if string(frame) == "2" {
			_ = l.ws.WriteMessage(websocket.TextMessage, []byte("3"))
			continue
		}
		return string(frame)
	}
}

// await returns the next event with one of the names, as its name and its data.
func (l *listener) await(names ...string) (got string) {
	l.t.Helper()
	for {
		frame := l.frame()
		if frame == "41"+l.at {
			return "left"
		}
		var event []json.RawMessage
		var name string
		var envelope struct {
			Instance string
			Data     json.RawMessage
		}
		if json.Unmarshal([]byte(strings.TrimPrefix(frame, "42"+l.at)), &event) != nil || len(event) < 2 ||
			json.Unmarshal(event[0], &name) != nil || json.Unmarshal(event[1], &envelope) != nil {
			l.t.Fatalf("the frame %.300s is no event", frame)
		}
		if len(event) > 2 {
			_ = json.Unmarshal(event[2], &l.offset)
		}
		for _, want := range names {
			if name == want {
				return name + " " + envelope.Instance + " " + string(envelope.Data)
			}
		}
	}
}

var life = []string{"instance.create", "instance.delete", "remove.instance", "labels.edit", "status.instance"}

// TestEventsOfRoutes: what routes cause comes to the namespace of the instance, and to the main one
// of the company, also of instances that were made after the client came.
func TestEventsOfRoutes(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Evolution.GlobalEvents = true
	p := e2e.Start(t, cfg)
	rules := p.Components().Rules
	made, err := rules.CreateKey(t.Context(), crm.Actor{UserID: 685}, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t, p.Base, made.Key}
	all := listen(t, p.Base, c.key, "")
	expect := func(l *listener, want string) {
		t.Helper()
		if got := l.await(life...); got != want {
			t.Errorf("there comes %s, want %s", got, want)
		}
	}
	var created struct {
		Instance struct{ InstanceID string }
		Hash     string
	}
	c.must("POST /instance/create", `{"instanceName":"news"}`, 201, &created)
	ref := fmt.Sprintf(`{"instanceName":"news","instanceId":"%s"}`, created.Instance.InstanceID)
	expect(all, "instance.create news "+ref)
	own := listen(t, p.Base, created.Hash, "news")
	tag, err := rules.CreateTag(t.Context(), crm.Actor{UserID: 685}, crm.TagInput{Name: crm.Value("VIP"), Color: crm.Value("#64c4ff")})
	if err != nil {
		t.Fatal(err)
	}
	label := func(name string, deleted bool) string {
		return fmt.Sprintf(`labels.edit news {"id":"%d","name":"%s","color":1,"deleted":%v,"instance":"news"}`, tag.ID, name, deleted)
	}
	expect(own, label("VIP", false))
	if _, err := rules.EditTag(t.Context(), crm.Actor{UserID: 685}, tag.ID, crm.TagInput{Name: crm.Value("Best")}); err != nil {
		t.Fatal(err)
	}
	expect(own, label("Best", false))
	if err := rules.DeleteTag(t.Context(), crm.Actor{UserID: 685}, tag.ID); err != nil {
		t.Fatal(err)
	}
	expect(own, label("Best", true))
	c.must("DELETE /instance/delete/news", "", 200, nil)
	expect(own, "instance.delete news "+ref)
	expect(own, "remove.instance news null")
	if got := own.await(life...); got != "left" {
		t.Errorf("after its end the instance's namespace has %s", got)
	}
	for _, want := range []string{"instance.delete news " + ref, "remove.instance news null"} {
		for {
			got := all.await(life...)
			if strings.HasPrefix(got, "labels.edit") { // of both instances
				continue
			}
			if got != want {
				t.Errorf("the main namespace has %s, want %s", got, want)
			}
			break
		}
	}
	var inV1 struct{ Instance struct{ InstanceID string } }
	c.must("POST /instance/create", `{"instanceName":"more","reject_call":true}`, 201, &inV1)
	expect(all, fmt.Sprintf(`instance.create more {"instanceName":"more","instanceId":"%s"}`, inV1.Instance.InstanceID))
	expect(all, `status.instance more {"instance":"more","status":"created"}`)
}

// TestComplaint8NewNamespaces: the namespace of an instance is there as soon as the instance, before
// anything is paired, and gets all events without being asked to.
func TestComplaint8NewNamespaces(t *testing.T) {
	_, p, c := start(t, "")
	var created struct{ Hash string }
	c.must("POST /instance/create", `{"instanceName":"my shop"}`, 201, &created)
	own := listen(t, p.Base, created.Hash, "my%20shop")
	if answer := c.must("GET /websocket/find/my%20shop", "", 200, nil); !strings.Contains(answer, `"enabled":true`) {
		t.Errorf("the websocket is %s", answer)
	}
	if _, err := p.Components().Rules.CreateTag(t.Context(), crm.Actor{UserID: 685}, crm.TagInput{Name: crm.Value("VIP")}); err != nil {
		t.Fatal(err)
	}
	if got := own.await("labels.edit"); !strings.Contains(got, `"instance":"my shop"`) {
		t.Errorf("there comes %s", got)
	}
}

// TestComplaint6InOrder: what is sent comes in the order in which it was sent, once to each client,
// in the instance's namespace and in the main one (complaint 5); no event has a key (complaint 15).
func TestComplaint6InOrder(t *testing.T) {
	w, p, c := start(t, "", func(cfg *config.Config) { cfg.Evolution.GlobalEvents = true })
	pair(t, w, c, first)
	w.Anna.SendText(w.Shop, "Hi")
	clients := []*listener{listen(t, p.Base, c.key, ""), listen(t, p.Base, c.key, first)}
	const n = 20
	for i := range n {
		c.must("POST /message/sendText/"+first, fmt.Sprintf(`{"number":"79995554433","text":"number %d"}`, i), 201, nil)
	}
	for _, l := range clients {
		for i := range n {
			if got := l.await("send.message"); !strings.Contains(got, fmt.Sprintf(`"conversation":"number %d"`, i)) || strings.Contains(got, c.key) {
				t.Fatalf("message %d is %s", i, got)
			}
		}
	}
}

// TestBasePathOfChats: under the path /chat the dialect's own /chat is served, with the path before
// it and without.
func TestBasePathOfChats(t *testing.T) {
	_, _, c := start(t, "", func(cfg *config.Config) { cfg.Server.BasePath = "/chat" })
	c.base = strings.TrimSuffix(c.base, "/chat")
	for _, path := range []string{"/chat/findChats/", "/chat/chat/findChats/", "/whatsapp/chat/findChats/", "/chat/whatsapp/chat/findChats/"} {
		if answer := c.must("POST "+path+first, `{}`, 200, nil); answer != "[]" {
			t.Errorf("%s: %s", path, answer)
		}
	}
	c.must("GET /chat/instance/fetchInstances", "", 200, nil)
	c.must("GET /instance/fetchInstances", "", 200, nil)
}
