package multiwa

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models/testdb"
)

var onGr = crm.Line{LicenseID: 1229, Messenger: "grWhatsApp"}

// desk is a program whose line is a bridge, so the test says what customers write.
type desk struct {
	t       *testing.T
	p       *e2e.Running
	owner   crm.Actor
	profile string
}

func eachDatabase(t *testing.T, test func(t *testing.T, d *desk)) {
	for name, url := range map[string]func() string{
		"sqlite": func() string { return "" }, "postgres": func() string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := e2e.Config(t)
			cfg.Webhooks.AllowPrivateTargets = true // receivers are on this machine
			if url := url(); url != "" {
				cfg.Database.URL = url
			}
			d := &desk{t: t, p: e2e.Start(t, cfg), owner: crm.Actor{UserID: 685}}
			v, ok := d.p.Components().Rules.InstanceDirectory().Of(onGr)
			if !ok {
				t.Fatal("the line has no instance")
			}
			d.profile = v.ID
			test(t, d)
		})
	}
}

// key makes a key, of the line or of the company.
func (d *desk) key(ofLine bool, rights ...string) *crm.CreatedKey {
	d.t.Helper()
	in := crm.KeyInput{Name: "MultiWA", Rights: rights}
	if ofLine {
		in.LicenseID, in.Messenger = onGr.LicenseID, onGr.Messenger
	}
	made, err := d.p.Components().Rules.CreateKey(d.t.Context(), d.owner, in)
	if err != nil {
		d.t.Fatal(err)
	}
	return made
}

// say has a customer write.
func (d *desk) say(id, text string) {
	d.t.Helper()
	in := crm.InboundRequest{Messages: []crm.InboundMessage{{
		ID: crm.MakeID(onGr.Messenger, id), Chat: crm.InboundChat{ID: crm.MakeID(onGr.Messenger, "351912000001")},
		FromUser: &crm.InboundUser{ID: crm.MakeID(onGr.Messenger, "351912000001"), Name: "Ana"}, Message: crm.Content{Text: text},
	}}}
	if _, err := d.p.Components().Rules.IngestAs(d.t.Context(), d.owner, onGr, in); err != nil {
		d.t.Fatal(err)
	}
}

// ioClient is a client of Socket.IO over a WebSocket.
type ioClient struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial connects to the server, without a namespace.
func (d *desk) dial(query string) *ioClient {
	d.t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(d.p.Base, "http")+"/socket.io/?EIO=4&transport=websocket"+query, nil)
	if err != nil {
		d.t.Fatalf("%v %+v", err, res)
	}
	d.t.Cleanup(func() { _ = ws.Close() })
	c := &ioClient{d.t, ws}
	if got := c.read(); !strings.HasPrefix(got, `0{"sid":"`) {
		d.t.Fatalf("the handshake is %s", got)
	}
	return c
}

// enter enters the namespace.
func (d *desk) enter(auth string) (c *ioClient, sid, pid string) {
	d.t.Helper()
	c = d.dial("")
	c.send(`40/ws,` + auth)
	var in struct{ SID, PID string }
	got := c.read()
	if err := json.Unmarshal([]byte(strings.TrimPrefix(got, "40/ws,")), &in); err != nil || in.SID == "" {
		d.t.Fatalf("the answer to %s is %s", auth, got)
	}
	return c, in.SID, in.PID
}

func (c *ioClient) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *ioClient) read() string {
	c.t.Helper()
	_ = c.ws.SetReadDeadline(time.Now().Add(testwait.Long))
	for {
		_, text, err := c.ws.ReadMessage()
		if err != nil {
			c.t.Fatal(err)
		}
		if string(text) != "2" { // a ping
			return string(text)
		}
	}
}

func (c *ioClient) want(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if got := c.read(); got != want {
			c.t.Fatalf(" got %.1000s\nwant %.1000s", got, want)
		}
	}
}

// event reads an event, and its argument.
func (c *ioClient) event(name string) (arg ioEvent) {
	c.t.Helper()
	got := c.read()
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(strings.TrimPrefix(got, "42/ws,")), &all); err != nil || len(all) < 2 || string(all[0]) != `"`+name+`"` {
		c.t.Fatalf("got %.1000s, want %s", got, name)
	}
	if err := json.Unmarshal(all[1], &arg); err != nil {
		c.t.Fatal(err)
	}
	if len(all) > 2 {
		if err := json.Unmarshal(all[2], &arg.place); err != nil {
			c.t.Fatal(err)
		}
	}
	return arg
}

type ioEvent struct {
	ProfileID, Error, Status string
	EventID                  int64
	Message                  struct{ ID, Body, From string }
	Data                     struct{ ID, Body string }
	Conversation             struct{ ID, Name string }
	place                    string
}

// TestNamespace checks joining and leaving, and that what comes is what comes on the WebSocket.
func TestNamespace(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *desk) {
		key := d.key(false, crm.KeyRead).Key
		raw := d.raw(key, `["*"]`)
		c, _, pid := d.enter(`{"apiKey":"` + key + `"}`)
		if pid != "" {
			t.Error("a client of no profile can be recovered")
		}
		strange := "0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"
		yes := `[{"success":true,"profileId":"` + d.profile + `"}]`
		no := func(text string) string { return `[{"success":false,"error":"` + text + `"}]` }
		for i, x := range []struct{ sent, answer string }{
			{`["join"]`, no("profileId or sessionId is required")},
			{`["join",{}]`, no("profileId or sessionId is required")},
			{`["join",7]`, no("profileId or sessionId is required")},
			{`["join",{"profileId":7}]`, no("Forbidden")},
			{`["join",{"profileId":"` + strange + `"}]`, no("Forbidden")},
			{`["join","no id"]`, no("Forbidden")},
			{`["join",{"profileId":"` + d.profile + `","events":["x"]}]`, no("Unknown event: x")},
			{`["join",{"profileId":"` + d.profile + `","lastEventId":"x"}]`, no("lastEventId must be a whole number")},
			{`["leave",{}]`, no("profileId or sessionId is required")},
			{`["unsubscribe:profile",{"profileId":"` + d.profile + `"}]`, yes},
			{`["subscribe:profile","` + d.profile + `"]`, yes},
			{`["join",{"profileId":"` + d.profile + `"}]`, yes},
		} {
			c.send(fmt.Sprintf(`42/ws,%d%s`, i, x.sent))
			c.want(fmt.Sprintf(`43/ws,%d%s`, i, x.answer))
		}
		d.say("3A01", "Hello")
		got, same := c.event("message"), raw.event()
		if got.ProfileID != d.profile || got.Message.ID != "false_351912000001@c.us_3A01" || got.Message.Body != "Hello" || got.Conversation.ID != "351912000001@c.us" ||
			got.Conversation.Name != "Ana" || got.EventID != same.EventID || got.Message.ID != same.Data.ID || got.place != "" {
			t.Errorf("got %+v, on the WebSocket came %+v", got, same)
		}
		// The names of the WebSocket have its data, and what was missed comes again.
		c.send(`42/ws,20["join",{"profileId":"` + d.profile + `","events":["message.received","message"],"lastEventId":` + fmt.Sprint(got.EventID-1) + `}]`)
		c.want(`43/ws,20` + yes)
		if again := c.event("message.received"); again.Data.ID != same.Data.ID || again.EventID != same.EventID || again.ProfileID != d.profile {
			t.Errorf("it comes again as %+v", again)
		}
		c.event("message")
		if got := c.read(); !strings.HasPrefix(got, `42/ws,["replayed",{"action":"replayed","profileId":"`+d.profile+`","lastEventId":`) {
			t.Errorf("after what was missed: %s", got)
		}
		c.send(`42/ws,21["leave","` + d.profile + `"]`)
		c.want(`43/ws,21` + yes)
		d.say("3A02", "Unheard")
		raw.event()
		c.send(`42/ws,22["nothing"]`)
		c.want(`43/ws,22[]`)
	})
}

// TestNamespaceRights checks who is let in, and that access that ends ends the events.
func TestNamespaceRights(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *desk) {
		reads, sends, manages := d.key(true, crm.KeyRead), d.key(true, crm.KeySend), d.key(false, crm.KeyRead, crm.KeyManage)
		for auth, want := range map[string]string{
			``:                  `{"message":"apiKey is required"}`,
			`{"token":"wrong"}`: `{"message":"Invalid apiKey"}`,
			`{"token":"` + reads.Key + `","profileId":"` + strings.Repeat("0", 36) + `"}`:         `{"message":"Forbidden"}`,
			`{"token":"` + sends.Key + `","profileId":"` + d.profile + `"}`:                       `{"message":"Forbidden"}`,
			`{"token":"` + reads.Key + `","events":["every"]}`:                                    `{"message":"Unknown event: every"}`,
			`{"token":"` + reads.Key + `","events":"*"}`:                                          `{"message":"Events array is required"}`,
			`{"token":"` + reads.Key + `","profileId":"` + d.profile + `","lastEventId":"first"}`: `{"message":"lastEventId must be a whole number"}`,
		} {
			c := d.dial("")
			c.send("40/ws," + auth)
			c.want("44/ws," + want)
		}
		mute, _, _ := d.enter(`{"token":"` + sends.Key + `"}`)
		mute.send(`42/ws,1["join",{"profileId":"` + d.profile + `"}]`)
		mute.want(`43/ws,1[{"success":false,"error":"Forbidden"}]`)
		inQuery := d.dial("&apiKey=" + reads.Key)
		inQuery.send("40/ws,")
		inQuery.read()
		rules, code := d.p.Components().Rules, "2@abc"
		one, _, _ := d.enter(`{"token":"` + reads.Key + `"}`)
		all, _, _ := d.enter(`{"token":"` + manages.Key + `","profileId":"` + d.profile + `"}`)
		if err := rules.PublishQR(t.Context(), onGr, crm.Pairing{QR: &code, ExpiresAt: 1}); err != nil {
			t.Fatal(err)
		}
		if got := all.read(); !strings.HasPrefix(got, `42/ws,["qr:update",{"profileId":"`+d.profile+`","qrCode":"data:image/png;base64,`) {
			t.Errorf("the code is %.200s", got)
		}
		d.say("3A01", "Hello")
		for _, c := range []*ioClient{one, all, inQuery} { // the code did not go to the keys that may only read
			c.event("message")
		}
		if err := rules.RevokeKey(t.Context(), d.owner, reads.ID); err != nil {
			t.Fatal(err)
		}
		one.want("41/ws,")
		inQuery.want("41/ws,")

		made, err := rules.CreateInstance(t.Context(), d.owner, crm.InstanceInput{CompanyID: 2224, Name: "short-lived"})
		if err != nil {
			t.Fatal(err)
		}
		all.send(`42/ws,1["join","` + made.ID + `"]`)
		all.want(`43/ws,1[{"success":true,"profileId":"` + made.ID + `"}]`)
		if err := rules.DeleteInstance(t.Context(), d.owner, "short-lived"); err != nil {
			t.Fatal(err)
		}
		all.want(`42/ws,["error",{"error":"Access to the profile was withdrawn","profileId":"` + made.ID + `"}]`)
		d.say("3A02", "Still there")
		all.event("message")
	})
}

// TestNamespaceRecovers checks that a client of one profile goes on where it was cut off, with
// the list of its CONNECT.
func TestNamespaceRecovers(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *desk) {
		auth := `"token":"` + d.key(true, crm.KeyRead).Key + `","events":["message.received"]`
		c, sid, pid := d.enter("{" + auth + "}")
		d.say("3A00", "0")
		last := c.event("message.received").place
		_ = c.ws.Close()
		for i := 1; i <= 20; i++ {
			d.say(fmt.Sprintf("3A%02d", i), fmt.Sprint(i))
		}
		c, again, _ := d.enter(`{` + auth + `,"pid":"` + pid + `","offset":"` + last + `"}`)
		if again != sid {
			t.Error("it is not recovered")
		}
		for i := 1; i <= 20; i++ {
			if got := c.event("message.received"); got.Data.Body != fmt.Sprint(i) || got.place == "" {
				t.Fatalf("after %d comes %+v", i-1, got)
			}
		}
		d.say("3A21", "live")
		if got := c.event("message.received"); got.Data.Body != "live" {
			t.Errorf("live: %+v", got)
		}
	})
}

// rawClient is a client of the WebSocket.
type rawClient struct{ ioClient }

func (d *desk) raw(key, events string) *rawClient {
	d.t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(d.p.Base, "http")+"/ws?apiKey="+key, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = ws.Close() })
	c := &rawClient{ioClient{d.t, ws}}
	c.send(`{"type":"subscribe","payload":{"profileId":"` + d.profile + `","events":` + events + `}}`)
	c.read()
	c.read()
	return c
}

func (c *rawClient) event() (ev ioEvent) {
	c.t.Helper()
	var frame struct{ Payload ioEvent }
	if err := json.Unmarshal([]byte(c.read()), &frame); err != nil {
		c.t.Fatal(err)
	}
	return frame.Payload
}
