package pusher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
)

func errorSays(code int, message string) string {
	text, _ := json.Marshal(message)
	return fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,"message":%s}}`, code, text)
}

func subscriptionErrorSays(channel, kind, message string, status int) string {
	name, _ := json.Marshal(channel)
	if strings.HasPrefix(channel, "private-encrypted-") {
		return fmt.Sprintf(`{"event":"pusher:subscription_error","channel":%s,"data":"{}"}`, name)
	}
	text, _ := json.Marshal(message)
	return fmt.Sprintf(`{"event":"pusher:subscription_error","channel":%s,"data":{"type":%q,"error":%s,"status":%d}}`, name, kind, text, status)
}

// TestBadInput sends every kind of invalid input and checks the exact answer; none of
// it ends the connection or changes anything.
func TestBadInput(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	a.enter("private-in")
	bad := func(message string) []string { return []string{errorSays(4310, message)} }
	rejected := func(message string) []string { return []string{errorSays(4301, message)} }
	channel := func(name, message string) []string {
		return []string{errorSays(4311, message), subscriptionErrorSays(name, "ChannelError", message, 400)}
	}
	const chars = "The name may hold only A-Z a-z 0-9 _ - = @ , . ;"
	long := strings.Repeat("x", 201)
	presence := func(data, message string) (string, []string) {
		sub, _ := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": map[string]string{
			"channel": "presence-r", "channel_data": data, "auth": a.auth("presence-r", data)}})
		return string(sub), []string{errorSays(4314, message), subscriptionErrorSays("presence-r", "ChannelError", message, 400)}
	}
	answers := map[string][]string{
		``:                         bad("The message is not valid JSON"),
		`{`:                        bad("The message is not valid JSON"),
		`{"event":"x"} extra`:      bad("The message is not valid JSON"),
		`{'event':'x'}`:            bad("The message is not valid JSON"),
		strings.Repeat("[", 16000): bad("The message is not valid JSON"),
		`{"event":"x","data":` + strings.Repeat("[", 12000): bad("The message is not valid JSON"),
		`null`:                               bad("The message is not a JSON object"),
		`[]`:                                 bad("The message is not a JSON object"),
		`"event"`:                            bad("The message is not a JSON object"),
		`17`:                                 bad("The message is not a JSON object"),
		`{}`:                                 bad("The message has no event"),
		`{"event":""}`:                       bad("The message has no event"),
		`{"event":null}`:                     bad("The message has no event"),
		`{"event":5}`:                        bad("The message: event may not be a number"),
		`{"event":{}}`:                       bad("The message: event may not be an object"),
		`{"event":true}`:                     bad("The message: event may not be a boolean"),
		`{"event":"client-x","channel":[1]}`: bad("The message: channel may not be an array"),
		`{"event":"nonsense"}`:               bad("The event is unknown: nonsense"),
		`{"event":"pusher:Subscribe"}`:       bad("The event is unknown: pusher:Subscribe"),
		`{"event":"pusher_internal:member_added"}`:                                           bad("The event is unknown: pusher_internal:member_added"),
		`{"event":"` + strings.Repeat("e", 300) + `"}`:                                       bad("The event is unknown: " + strings.Repeat("e", 200) + "..."),
		`{"event":"pusher:subscribe"}`:                                                       bad("pusher:subscribe: The message has no data"),
		`{"event":"pusher:subscribe","data":null}`:                                           bad("pusher:subscribe: data is not a JSON object"),
		`{"event":"pusher:subscribe","data":"{}"}`:                                           bad("pusher:subscribe: data is not a JSON object"),
		`{"event":"pusher:subscribe","data":[]}`:                                             bad("pusher:subscribe: data is not a JSON object"),
		`{"event":"pusher:subscribe","data":{}}`:                                             bad("pusher:subscribe: data.channel is missing"),
		`{"event":"pusher:subscribe","data":{"channel":""}}`:                                 bad("pusher:subscribe: data.channel is missing"),
		`{"event":"pusher:subscribe","data":{"channel":7}}`:                                  bad("pusher:subscribe: data: channel may not be a number"),
		`{"event":"pusher:subscribe","data":{"channel":"a","auth":{}}}`:                      bad("pusher:subscribe: data: auth may not be an object"),
		`{"event":"pusher:subscribe","data":{"channel":"a","channel_data":{"user_id":"A"}}}`: bad("pusher:subscribe: data: channel_data may not be an object"),
		`{"event":"pusher:unsubscribe"}`:                                                     bad("pusher:unsubscribe: The message has no data"),
		`{"event":"pusher:unsubscribe","data":{"channel":false}}`:                            bad("pusher:unsubscribe: data: channel may not be a boolean"),
		`{"event":"pusher:unsubscribe","data":{"channel":"never-in"}}`:                       nil,
		`{"event":"pusher:pong"}`:                                                            nil,
		`{"event":"pusher:ping"}`:                                                            {`{"event":"pusher:pong","data":"{}"}`},
		`{"event":"pusher:subscribe","data":{"channel":"a b"}}`:                              channel("a b", chars),
		`{"event":"pusher:subscribe","data":{"channel":"\u0000"}}`:                           channel("\u0000", chars),
		`{"event":"pusher:subscribe","data":{"channel":"\ud800"}}`:                           channel("\ufffd", chars),
		`{"event":"pusher:subscribe","data":{"channel":"` + long + `"}}`:                     channel(long[:200]+"...", "The name is longer than 200 bytes"),
		`{"event":"pusher:subscribe","data":{"channel":"#server-to-user-1"}}`: {
			errorSays(4009, "Only a connection that is signed in as the user may subscribe to #server-to-user-1"),
			subscriptionErrorSays("#server-to-user-1", "AuthError", "Only a connection that is signed in as the user may subscribe to #server-to-user-1", 401)},
		`{"event":"pusher:subscribe","data":{"channel":"private-z","auth":"` + docKey + `:0"}}`: {
			errorSays(4009, "Auth value for subscription to private-z is invalid"),
			subscriptionErrorSays("private-z", "AuthError", "Auth value for subscription to private-z is invalid", 401)},

		`{"event":"client-x","channel":"private-out","data":{}}`:                                  rejected("Client event rejected: the connection is not subscribed to private-out"),
		`{"event":"client-x","data":{}}`:                                                          rejected("Client event rejected: The name is empty"),
		`{"event":"client-x","channel":"a b","data":{}}`:                                          rejected("Client event rejected: " + chars),
		`{"event":"client-x","channel":"news","data":{}}`:                                         rejected("Client event rejected: only private and presence channels have them"),
		`{"event":"client-` + long + `","channel":"private-in"}`:                                  rejected("Client event rejected: its name is over 200 bytes"),
		`{"event":"client-x","channel":"private-in","data":"` + strings.Repeat("x", 9_999) + `"}`: rejected("Client event rejected: its data is over 10000 bytes"),
	}
	for data, message := range map[string]string{
		``:                     "channel_data is missing: a presence channel needs it, unless the connection is signed in",
		`x`:                    "channel_data is not valid JSON",
		`[]`:                   "channel_data is not a JSON object",
		`{}`:                   "channel_data: user_id is missing",
		`{"user_id":null}`:     "channel_data: user_id is missing",
		`{"user_id":""}`:       "channel_data: user_id must have 1 to 128 characters, none of them a control character",
		`{"user_id":1.5}`:      "channel_data: user_id must be a string or a whole number",
		`{"user_id":1e3}`:      "channel_data: user_id must be a string or a whole number",
		`{"user_id":true}`:     "channel_data: user_id must be a string or a whole number",
		`{"user_id":{"id":1}}`: "channel_data: user_id must be a string or a whole number",
		`{"user_id":"` + strings.Repeat("u", 129) + `"}`:                  "channel_data: user_id must have 1 to 128 characters, none of them a control character",
		`{"user_id":"A","user_info":"` + strings.Repeat("i", 1022) + `"}`: "channel_data: user_id and user_info have 1025 bytes, at most 1024 are allowed",
	} {
		message, answer := presence(data, message)
		answers[message] = answer
	}
	for message, answer := range answers {
		t.Run(fmt.Sprintf("%.60s", message), func(t *testing.T) {
			a.t = t
			a.send(message)
			a.expect(answer...)
			a.silence()
		})
	}
	a.t = t
	h.publish(t, `{"name":"e","channel":"private-in","data":"still here"}`)
	a.expect(`{"event":"e","channel":"private-in","data":"still here"}`)
}

// TestTwoHundredThousand: 1,000 sockets on one channel and 200 events, each of which
// every socket receives once, in order.
func TestTwoHundredThousand(t *testing.T) {
	const sockets, events = 1000, 200
	h := newHarness(t)
	const channel = "private-crowd"
	var ready, done sync.WaitGroup
	var delivered, failures atomic.Int64
	for range sockets {
		ready.Add(1)
		done.Go(func() {
			got, err := listen(h, channel, events, &ready)
			delivered.Add(int64(got))
			if err != nil && failures.Add(1) <= 3 {
				t.Error(err)
			}
		})
	}
	ready.Wait()
	for i := range events {
		ev := broadcasting.Event{App: "3", Channel: channel, Name: "message", Data: strconv.Itoa(i)}
		if err := h.engine.Publish(context.Background(), ev); err != nil {
			t.Fatal(err)
		}
	}
	done.Wait()
	if n := delivered.Load(); n != sockets*events {
		t.Errorf("%d deliveries, want %d", n, sockets*events)
	}
	if st := h.engine.Stats(); st.Delivered != sockets*events {
		t.Errorf("the engine counts %d", st.Delivered)
	}
}

// listen subscribes, reads n events in order, and checks that no other follows.
func listen(h *harness, channel string, n int, ready *sync.WaitGroup) (got int, err error) {
	subscribed := sync.OnceFunc(ready.Done)
	defer subscribed()
	ws, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+"/app/"+docKey+"?protocol=7", nil)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close() // of a handshake; it is empty
	defer func() { _ = ws.Close() }()
	_ = ws.SetReadDeadline(time.Now().Add(50 * time.Second))
	_, first, err := ws.ReadMessage()
	if err != nil {
		return 0, err
	}
	match := established.FindSubmatch(first)
	if match == nil {
		return 0, fmt.Errorf("the handshake is %s", first)
	}
	auth := docKey + ":" + hmacHex(docSecret, string(match[1])+":"+channel)
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"event":"pusher:subscribe","data":{"channel":"`+channel+`","auth":"`+auth+`"}}`)); err != nil {
		return 0, err
	}
	expect := func(want string) error {
		_, text, err := ws.ReadMessage()
		if err == nil && string(text) != want {
			err = fmt.Errorf("got %s, want %s", text, want)
		}
		return err
	}
	if err := expect(succeeded(channel)); err != nil {
		return 0, err
	}
	subscribed()
	for ; got < n; got++ {
		if err := expect(`{"event":"message","channel":"` + channel + `","data":"` + strconv.Itoa(got) + `"}`); err != nil {
			return got, err
		}
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"event":"pusher:ping"}`)); err != nil {
		return got, err
	}
	return got, expect(`{"event":"pusher:pong","data":"{}"}`)
}

// Sockets connect, leave, publish and are evicted all at once: for the race detector,
// and nothing may be left of them.
func TestSocketHammer(t *testing.T) {
	h := newHarness(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = h.engine.Publish(context.Background(), broadcasting.Event{App: "3", Channel: "presence-h", Name: "n", Data: strconv.Itoa(i)})
			h.withdraw(strconv.Itoa(i%4), "presence-h")
		}
	})
	var guests sync.WaitGroup
	for g := range 20 {
		guests.Go(func() {
			for range 10 {
				a := h.connect(t)
				h.grant("3", a.id, "presence-h", strconv.Itoa(g%4))
				data := `{"user_id":` + strconv.Itoa(g%4) + `}`
				a.subscribe("presence-h", a.auth("presence-h", data), data)
				a.send(`{"event":"client-x","channel":"presence-h","data":1}`)
				a.send(`{"event":"pusher:ping"}`)
				for !strings.Contains(a.read(), "pusher:pong") {
				}
				_ = a.ws.Close()
			}
		})
	}
	guests.Wait()
	close(stop)
	wg.Wait()
	h.stop()
	if st := h.engine.Stats(); st.Sockets != 0 || st.Channels != 0 || st.Users != 0 {
		t.Errorf("left: %+v", st)
	}
}
