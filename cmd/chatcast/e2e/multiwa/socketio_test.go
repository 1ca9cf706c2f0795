package multiwa

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// nodeClient is npm's socket.io-client, which prints what happens.
type nodeClient struct {
	t *testing.T
	*e2e.Node
}

// node starts a client of the namespace.
func node(t *testing.T, base string, options map[string]any) *nodeClient {
	t.Helper()
	arg, err := json.Marshal(map[string]any{"url": base + "/ws", "options": options})
	if err != nil {
		t.Fatal(err)
	}
	return &nodeClient{t, e2e.StartScript(t, exec.Command("node", "../../../../server/socketio/testdata/clients/client.cjs", string(arg)))}
}

// say tells the client to do something.
func (c *nodeClient) say(what ...any) {
	c.t.Helper()
	c.Tell(c.t, what)
}

// until returns the next line that begins so, and leaves out those before it.
func (c *nodeClient) until(begins string) string {
	c.t.Helper()
	var before []string
	for timeout := time.After(testwait.Long); ; {
		select {
		case line, more := <-c.Lines:
			if strings.HasPrefix(line, begins) {
				return line
			}
			if before = append(before, line); !more {
				c.t.Fatalf("node has ended; it said\n%s", strings.Join(before, "\n"))
			}
		case <-timeout:
			c.t.Fatalf("no %s; the client said\n%s", begins, strings.Join(before, "\n"))
		}
	}
}

// want is until for a line that has a part.
func (c *nodeClient) want(begins, has string) {
	c.t.Helper()
	if got := c.until(begins); !strings.Contains(got, has) {
		c.t.Errorf("%s has no %s", got, has)
	}
}

// TestSocketIO drives npm's client, over WebSocket and polling, while the profile is paired,
// gets a message and sends one, the connection is cut, and the key is revoked.
func TestSocketIO(t *testing.T) {
	s := open(t)
	rules := s.p.Components().Rules
	wide, err := rules.CreateKey(t.Context(), s.owner(), crm.KeyInput{Name: "All", Rights: []string{crm.KeyRead, crm.KeyManage}})
	if err != nil {
		t.Fatal(err)
	}
	ofLine := node(t, s.p.Base, map[string]any{"transports": []string{"websocket"}, "auth": map[string]any{"apiKey": s.key}})
	company := node(t, s.p.Base, map[string]any{"transports": []string{"polling"}, "extraHeaders": map[string]any{"x-api-key": wide.Key}})
	ofLine.want(`["connect",false,"websocket"]`, "")
	company.want(`["connect",null,"polling"]`, "") // of no profile: it is not recovered
	company.say("emit", "join", map[string]any{"profileId": "profile-123"})
	company.want(`["ack",`, `{"success":false,"error":"Forbidden"}`)
	company.say("emit", "subscribe:profile", map[string]any{"profileId": s.profile, "events": []string{"*"}})
	company.want(`["ack",`, `{"success":true,"profileId":"`+s.profile+`"}`)
	s.pair()
	of := `{"profileId":"` + s.profile + `",`
	ofLine.want(`["event","qr:update",`+of, `"qrCode":"data:image/png;base64,`)
	ofLine.want(`["event","connection:status",`+of+`"status":"connected"`, `"phoneNumber":"79990001122"`)
	company.want(`["event","session.status",{"event":"session.status","profileId":"`+s.profile+`","data":{"status":"connected"`, "")
	s.Anna.SendText(s.Shop, "Do you have tea?")
	ofLine.want(`["event","message",`+of+`"message":{"id":"false_79995554433@c.us_`, `"body":"Do you have tea?"`)
	company.want(`["event","message.received",{"event":"message.received",`, `"body":"Do you have tea?"`)
	var sent struct{ WAMessageID string }
	s.call("POST", "/messages/text", `{"to":"79995554433","text":"We do"}`, &sent)
	ofLine.want(`["event","message:ack",`+of+`"messageId":"`+sent.WAMessageID+`","status":"sent"`, "")
	company.want(`["event","message.sent"`, `"id":"`+sent.WAMessageID+`"`)

	ofLine.say("break")
	ofLine.want(`["disconnect",`, "")
	s.Anna.SendText(s.Shop, "And cake?")
	ofLine.want(`["connect",true,"websocket"]`, "")
	ofLine.want(`["event","message",`, `"body":"And cake?"`)
	company.say("emit", "unsubscribe:profile", map[string]any{"profileId": s.profile})
	company.want(`["ack",`, `"success":true`)

	if err := rules.RevokeKey(t.Context(), s.owner(), wide.ID); err != nil {
		t.Fatal(err)
	}
	company.want(`["disconnect","io server disconnect"]`, "")
	for name, auth := range map[string]map[string]any{
		"apiKey is required": {}, "Invalid apiKey": {"token": wide.Key}, "Forbidden": {"apiKey": s.key, "profileId": "x"},
	} {
		refused := node(t, s.p.Base, map[string]any{"transports": []string{"websocket"}, "auth": auth})
		refused.want(`["connect_error",`, `["connect_error","`+name+`",null,false]`)
	}
}
