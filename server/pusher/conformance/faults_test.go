package conformance_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/server/pusher/conformance"
)

const goodGreeting = `{"event":"pusher:connection_established","data":"{\"socket_id\":\"%\",\"activity_timeout\":120}"}`

// stub starts a server that sends one message at the beginning and one answer to each
// message.
func stub(t *testing.T, greeting string, answers map[string]string) conformance.Target {
	t.Helper()
	up := websocket.Upgrader{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return // not a WebSocket: already answered
		}
		defer func() { _ = ws.Close() }()
		_ = ws.WriteMessage(websocket.TextMessage, []byte(strings.ReplaceAll(greeting, "%", "17.4")))
		for {
			_, message, err := ws.ReadMessage()
			if err != nil {
				return
			}
			for part, answer := range answers {
				if strings.Contains(string(message), part) {
					_ = ws.WriteMessage(websocket.TextMessage, []byte(answer))
				}
			}
		}
	}))
	t.Cleanup(web.Close)
	return conformance.Target{
		URL: "ws" + strings.TrimPrefix(web.URL, "http"), App: conformance.App{ID: "1", Key: "k", Secret: "s"},
		Patience: 100 * time.Millisecond, Claims: []conformance.Feature{conformance.Core, conformance.Signin},
	}
}

// TestKitSeesFaults: a server that breaks a rule does not pass.
func TestKitSeesFaults(t *testing.T) {
	pong := map[string]string{"pusher:ping": `{"event":"pusher:pong"}`}
	for name, test := range map[string]struct {
		greeting string
		answers  map[string]string
		fails    string // the case
	}{
		"greeting as an object":  {`{"event":"pusher:connection_established","data":{"socket_id":"1.1","activity_timeout":120}}`, pong, "handshake/connection_established"},
		"no activity_timeout":    {`{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\"}"}`, pong, "handshake/connection_established"},
		"socket_id with letters": {`{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.a\",\"activity_timeout\":120}"}`, pong, "handshake/connection_established"},
		"one id for all":         {goodGreeting, pong, "handshake/socket ids cannot be guessed"},
		"no pong":                {goodGreeting, nil, "ping and pong/pusher:ping"},
		"any protocol":           {goodGreeting, pong, "handshake: refused/protocol=99: 4007"},
		"error without a number": {`{"event":"pusher:error","data":{"code":null,"message":"no"}}`, pong, "handshake: refused/unknown key: 4001"},
		"succeeded without data": {goodGreeting, map[string]string{"subscribe": `{"event":"pusher_internal:subscription_succeeded","channel":"a"}`}, "public channels/subscribe"},
		"error as a string":      {goodGreeting, map[string]string{"subscribe": `{"event":"pusher:error","data":"{}"}`, "ping": pong["pusher:ping"]}, "names and limits/empty name"},
		"everybody may come in":  {goodGreeting, pong, "private channels/bad signatures"},
		"anybody may sign in":    {goodGreeting, map[string]string{"signin": `{"event":"pusher:signin_success","data":{"user_data":"{}"}}`}, "sign-in/bad signatures"},
		"no sign of a claim":     {goodGreeting, pong, "sign-in/success"},
	} {
		t.Run(name, func(t *testing.T) {
			target, found := stub(t, test.greeting, test.answers), false
			conformance.Run(target, conformance.Cases(), func(c conformance.Case, run func() conformance.Result) {
				if c.Group+"/"+c.Name != test.fails {
					return
				}
				found = true
				if r := run(); r.Verdict != conformance.Fail {
					t.Errorf("%s: %s %s", test.fails, r.Verdict, r.Observed)
				}
			})
			if !found {
				t.Errorf("there is no case %s", test.fails)
			}
		})
	}
}

// TestKitWaitsForAPing: -ping-wait limits the time to the ping, and from the ping to
// the close. Patience limits only what should come at once.
func TestKitWaitsForAPing(t *testing.T) {
	const patience = 500 * time.Millisecond
	up := websocket.Upgrader{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return // already answered
		}
		defer func() { _ = ws.Close() }()
		_ = ws.WriteMessage(websocket.TextMessage, []byte(strings.ReplaceAll(goodGreeting, "%", "17.4")))
		<-time.After(2 * patience)
		_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"event":"pusher:ping","data":{}}`))
		<-time.After(2 * patience)
		_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4201, "silent"))
	}))
	t.Cleanup(web.Close)
	target := conformance.Target{
		URL: "ws" + strings.TrimPrefix(web.URL, "http"), App: conformance.App{ID: "1", Key: "k", Secret: "s"},
		Patience: patience, PingWait: 20 * time.Second, Claims: []conformance.Feature{conformance.Core},
	}
	found := false
	conformance.Run(target, conformance.Cases(), func(c conformance.Case, run func() conformance.Result) {
		if c.Name != "silence" {
			return
		}
		found = true
		if r := run(); r.Verdict != conformance.Pass {
			t.Errorf("%s %s", r.Verdict, r.Observed)
		}
	})
	if !found {
		t.Error("there is no case of silence")
	}
}

// TestKitFindsOut: without claims, a missing feature is "unsupported" for all its
// cases; a case that needs more than was given is "not run".
func TestKitFindsOut(t *testing.T) {
	target := stub(t, goodGreeting, map[string]string{"pusher:ping": `{"event":"pusher:pong"}`})
	target.Claims = nil
	conformance.Run(target, conformance.Cases(), func(c conformance.Case, run func() conformance.Result) {
		want := map[conformance.Feature]conformance.Verdict{
			conformance.Signin: conformance.Unsupported, conformance.Webhooks: conformance.NotRun,
		}[c.Feature]
		if want == "" {
			return
		}
		if r := run(); r.Verdict != want || r.Observed == "" {
			t.Errorf("%s/%s: %s %s, want %s", c.Group, c.Name, r.Verdict, r.Observed, want)
		}
	})
}
