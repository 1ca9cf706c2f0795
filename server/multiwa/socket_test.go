package multiwa_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

var timeOfFrame = regexp.MustCompile(`"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)

// withoutTime replaces the time of a frame.
func withoutTime(frame string) string { return timeOfFrame.ReplaceAllString(frame, `"timestamp":"*"`) }

// received returns the frame of a text that the customer of the tests wrote.
func received(name, profile, id, text string, event int) string {
	return fmt.Sprintf(`{"type":"event","payload":{"event":%q,"profileId":%q,"data":{"id":"false_351912000001@c.us_%s","from":"351912000001@c.us","to":"",`+
		`"body":%q,"type":"chat","timestamp":"*","hasMedia":false,"fromMe":false,"pushName":"Ana","isGroup":false},"timestamp":"*","eventId":%d}}`, name, profile, id, text, event)
}

var onOther = crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}

// TestKeyIsNeeded checks the answers to requests that do not become sockets, and the ways to
// give a key.
func TestKeyIsNeeded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store, allowOnly(t, "https://crm.example"), func(o *setup) { o.options.SocketsPerKey = 2 })
		key := h.key(t, onGr).Key
		const unauthorized = `{"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid API key"}}`
		for _, query := range []string{"", "?apiKey=", "?apiKey=wrong", "?token=wrong", "?apiKey=" + h.Token(h.Owner)} {
			if status, body := h.refused(t, query, nil); status != 401 || body != unauthorized {
				t.Errorf("%s: %d %s", query, status, body)
			}
		}
		basic := http.Header{"Authorization": {"Basic " + key}}
		if status, body := h.refused(t, "", basic); status != 401 || body != unauthorized {
			t.Errorf("%v: %d %s", basic, status, body)
		}
		foreign := http.Header{"Origin": {"https://evil.example"}}
		if status, body := h.refused(t, "?apiKey="+key, foreign); status != 403 || body != `{"success":false,"error":{"code":"FORBIDDEN","message":"This origin may not connect"}}` {
			t.Errorf("from another origin: %d %s", status, body)
		}
		for query, header := range map[string]http.Header{
			"?apiKey=" + key: {"Origin": {"https://crm.example"}}, "?token=" + key: nil, "": {"X-Api-Key": {key}}, "?apiKey=": {"Authorization": {"bearer " + key}},
			"?token=&apiKey=" + key: basic,
		} {
			c := h.dial(t, query, header)
			if got := c.read(); !strings.Contains(got, `"message":"Connected to MultiWA WebSocket API"`) {
				t.Errorf("%s %v: %s", query, header, got)
			}
			_ = c.ws.Close()
			testwait.Count(t, "sockets that are closed", 0, func() int { return -h.engine.Stats().Sockets })
		}
		h.connect(t, key)
		h.connect(t, key)
		if status, body := h.refused(t, "?apiKey="+key, nil); status != 429 || body != `{"success":false,"error":{"code":"TOO_MANY_CONNECTIONS","message":"Too many connections with this API key"}}` {
			t.Errorf("the third: %d %s", status, body)
		}
		h.connect(t, h.key(t, onGr).Key) // another key
		res, err := http.Get(h.url + "/ws?apiKey=" + key)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Upgrade") != "websocket" {
			t.Errorf("a plain GET: %d %v", res.StatusCode, res.Header)
		}
	})
}

// TestProtocol sends every kind of message and checks the exact answers. No bad message ends
// the connection.
func TestProtocol(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		profile, other := h.profileOf(t, onGr), h.profileOf(t, onOther)
		strange := h.profileOf(t, crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"})
		company, ofLine := h.connect(t, h.key(t, crm.Line{}).Key), h.connect(t, h.key(t, onGr).Key)
		fails := func(text string) string { return `{"type":"error","payload":{"error":"` + text + `"},"requestId":"r"}` }
		sub := func(payload string) string { return `{"type":"subscribe","payload":` + payload + `,"requestId":"r"}` }
		in := func(id string) string {
			return `{"type":"ack","payload":{"action":"subscribed","profileId":"` + id + `","events":["*"]},"requestId":"r"}`
		}
		for _, c := range []struct {
			on           *client
			sent, answer string
		}{
			{company, `{`, `{"type":"error","payload":{"error":"Invalid JSON"}}`},
			{company, `[]`, `{"type":"error","payload":{"error":"Invalid JSON"}}`},
			{company, `null`, `{"type":"error","payload":{"error":"Invalid JSON"}}`},
			{company, `"ping"`, `{"type":"error","payload":{"error":"Invalid JSON"}}`},
			{company, `{"requestId":"r"}`, fails("Unknown message type: undefined")},
			{company, `{"type":null,"requestId":"r"}`, fails("Unknown message type: ")},
			{company, `{"type":7,"requestId":"r"}`, fails("Unknown message type: 7")},
			{company, `{"type":"publish","requestId":"r"}`, fails("Unknown message type: publish")},
			{company, `{"type":"ping"}`, `{"type":"pong","payload":{"timestamp":"*"}}`},
			{company, `{"type":"ping","requestId":17.50}`, `{"type":"pong","payload":{"timestamp":"*"},"requestId":17.50}`},
			{company, `{"type":"ping","requestId":"ping_\u00fc<1>"}`, `{"type":"pong","payload":{"timestamp":"*"},"requestId":"ping_\u00fc<1>"}`},
			{company, `{"type":"ping","requestId":{"a":1}}`, `{"type":"pong","payload":{"timestamp":"*"}}`},
			{company, `{"type":"subscribe","requestId":"r"}`, fails("Events array is required")},
			{company, sub(`"x"`), fails("Events array is required")},
			{company, sub(`{"profileId":"` + profile + `"}`), fails("Events array is required")},
			{company, sub(`{"profileId":"` + profile + `","events":"*"}`), fails("Events array is required")},
			{company, sub(`{"profileId":"` + profile + `","events":null}`), fails("Events array is required")},
			{company, sub(`{"profileId":"` + profile + `","events":["*","messages"]}`), fails("Unknown event: messages")},
			{company, sub(`{"profileId":"` + profile + `","events":[5]}`), fails("Unknown event: 5")},
			{company, sub(`{"profileId":"` + profile + `","events":[null]}`), fails("Unknown event: null")},
			{company, sub(`{"profileId":"` + profile + `","events":[` + strings.Repeat(`"*",`, 100) + `"*"]}`), fails("Too many events")},
			{company, sub(`{"events":["*"]}`), fails("profileId or sessionId is required")},
			{company, sub(`{"profileId":"","events":["*"]}`), fails("profileId or sessionId is required")},
			{company, sub(`{"profileId":"profile-123","events":["*"]}`), fails("Profile not found")},
			{company, sub(`{"profileId":5,"events":["*"]}`), fails("Profile not found")},
			{company, sub(`{"profileId":"\u0000","events":["*"]}`), fails("Profile not found")},
			{company, sub(`{"profileId":"` + testProfile + `","events":["*"]}`), fails("Profile not found")},
			{company, sub(`{"profileId":"` + strange + `","events":["*"]}`), fails("Profile not found")},
			{company, sub(`{"profileId":"` + profile + `","events":["*"],"lastEventId":"x"}`), fails("lastEventId must be a whole number")},
			{company, sub(`{"profileId":"` + profile + `","events":["*"],"lastEventId":-1}`), fails("lastEventId must be a whole number")},
			{company, sub(`{"profileId":"` + profile + `","events":["*"],"lastEventId":1.5}`), fails("lastEventId must be a whole number")},
			{ofLine, sub(`{"profileId":"` + other + `","events":["*"]}`), fails("Profile not found")},

			{company, sub(`{"profileId":"` + profile + `","events":["*"]}`), in(profile)},
			{company, sub(`{"profileId":"` + strings.ToUpper(profile) + `","events":["*"]}`), in(profile)},
			{company, sub(`{"profileId":null,"sessionId":"` + other + `","events":["*"]}`), in(other)},
			{ofLine, sub(`{"events":["*"]}`), in(profile)},
			{company, `{"type":"unsubscribe","payload":{"profileId":"` + profile + `"},"requestId":2}`, `{"type":"ack","payload":{"action":"unsubscribed","profileId":"` + profile + `"},"requestId":2}`},
			{company, `{"type":"unsubscribe","payload":{"profileId":"never"}}`, `{"type":"ack","payload":{"action":"unsubscribed","profileId":"never"}}`},
			{company, `{"type":"unsubscribe","payload":7,"requestId":"r"}`, fails("profileId or sessionId is required")},
			{company, `{"type":"unsubscribe","requestId":"req_002"}`, `{"type":"ack","payload":{"action":"unsubscribed"},"requestId":"req_002"}`},
		} {
			c.on.send(c.sent)
			c.on.expect(c.answer)
		}
		h.say(t, onGr, "3A01", "Hello")
		h.settle(t)
		ofLine.expect(received("message.received", profile, "3A01", "Hello", 1))
		company.silence() // it has left both
	})
}

// TestSubscriptions checks that a socket has several profiles, each with a list of its own
// that a second subscription replaces.
func TestSubscriptions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		profile, other := h.profileOf(t, onGr), h.profileOf(t, onOther)
		c := h.connect(t, h.key(t, crm.Line{}).Key)
		c.subscribe(profile, `["message.received","session.status"]`)
		c.subscribe(other, `["message","group.message"]`)
		h.say(t, onGr, "3A01", "One")
		c.expect(received("message.received", profile, "3A01", "One", 1))
		h.say(t, onOther, "3A02", "Two")
		c.expect(received("message", other, "3A02", "Two", 3)) // 2 is the window that the customer opened
		c.subscribe(profile, `["message.sent","message.delivered"]`)
		h.say(t, onGr, "3A03", "Three")
		h.settle(t)
		c.silence()
		c.subscribe(profile, `["*","message"]`)
		h.say(t, onGr, "3A04", "Four")
		got := c.read()
		var ev struct{ Payload struct{ EventID int } }
		if err := json.Unmarshal([]byte(got), &ev); err != nil {
			t.Fatal(err)
		}
		if got = withoutTime(got); got != received("message.received", profile, "3A04", "Four", ev.Payload.EventID) {
			t.Errorf("got %s", got)
		}
		c.expect(received("message", profile, "3A04", "Four", ev.Payload.EventID))
		c.subscribe(profile, `[]`)
		h.say(t, onGr, "3A05", "Five")
		h.settle(t)
		c.silence()
		c.send(`{"type":"unsubscribe"}`)
		c.expect(`{"type":"ack","payload":{"action":"unsubscribed"}}`)
		if n := h.engine.Stats().Channels; n != 0 {
			t.Errorf("%d channels have subscribers", n)
		}
	})
}

// TestTooManySubscriptions checks the limit of profiles of a socket.
func TestTooManySubscriptions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		c := h.connect(t, h.key(t, crm.Line{}).Key)
		var ids []string
		for i := range multiwa.MaxProfiles + 1 {
			made, err := h.CreateInstance(t.Context(), h.Owner, crm.InstanceInput{CompanyID: crmtest.CompanyID, Name: fmt.Sprint("shop", i)})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, made.ID)
		}
		for _, id := range ids[:multiwa.MaxProfiles] {
			c.subscribe(id, `["*"]`)
		}
		over := `{"type":"subscribe","payload":{"profileId":"` + ids[multiwa.MaxProfiles] + `","events":["*"]},"requestId":1}`
		c.send(over)
		c.expect(`{"type":"error","payload":{"error":"Too many subscriptions"},"requestId":1}`)
		c.subscribe(ids[0], `["message"]`) // again
		c.send(`{"type":"unsubscribe","payload":{"profileId":"` + ids[7] + `"}}`)
		c.expect(`{"type":"ack","payload":{"action":"unsubscribed","profileId":"` + ids[7] + `"}}`)
		c.subscribe(ids[multiwa.MaxProfiles], `["*"]`)
	})
}

// TestFramesBelow checks how frames below the protocol end a socket.
func TestFramesBelow(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		key := h.key(t, onGr).Key
		c := h.connect(t, key)
		c.send(`{"type":"ping","x":"` + strings.Repeat("x", multiwa.MaxMessage-30) + `"}`)
		c.expect(`{"type":"pong","payload":{"timestamp":"*"}}`)
		c.send(strings.Repeat("x", multiwa.MaxMessage+1))
		if code, _ := c.closed(); code != 1009 {
			t.Errorf("a message over 64 KiB ends with %d", code)
		}
		c = h.connect(t, key)
		if err := c.ws.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"ping"}`)); err != nil {
			t.Fatal(err)
		}
		if code, _ := c.closed(); code != 1003 {
			t.Errorf("a binary message ends with %d", code)
		}
	})
}

// TestSlowConsumer checks that a client that reads nothing is closed as such, and holds up
// nobody.
func TestSlowConsumer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store, func(o *setup) { o.sockets.QueueBytes, o.sockets.Linger = 256<<10, testwait.Long })
		profile, key := h.profileOf(t, onGr), h.key(t, onGr).Key
		slow, quick := h.connect(t, key), h.connect(t, key)
		slow.subscribe(profile, `["*"]`)
		quick.subscribe(profile, `["message"]`)
		h.say(t, onGr, "3A01", strings.Repeat("x", 60_000))
		h.settle(t)
		ev := broadcasting.Event{App: "1", Channel: onGr.Channel(), Name: crm.EventMessage, Data: h.Events(t, crm.EventMessage)[0].Data}
		for range 400 { // 24 MB, more than any network between takes
			if got := quick.read(); !strings.Contains(got, `"event":"message"`) {
				t.Fatalf("the quick one got %.100s", got)
			}
			if err := h.engine.Publish(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
		}
		if code, text := slow.closed(); code != 4008 || text != "The connection is too slow for what is sent on it" {
			t.Errorf("closed with %d %s", code, text)
		}
	})
}

// TestDrain checks that sockets are told to come back when the server stops.
func TestDrain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		c := h.connect(t, h.key(t, onGr).Key)
		go h.stop()
		if code, text := c.closed(); code != 1012 || text != "The server restarts, please come back" {
			t.Errorf("closed with %d %s", code, text)
		}
	})
}

// TestCutOff checks that a node that was cut off sends its sockets away.
func TestCutOff(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		c := h.connect(t, h.key(t, onGr).Key)
		h.engine.CutOff()
		if code, text := c.closed(); code != 1012 || text != "The server was cut off from the others, please come back" {
			t.Errorf("closed with %d %s", code, text)
		}
	})
}
