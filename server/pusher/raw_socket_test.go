package pusher_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels"
	"chatcast/channels/testwait"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// harness is the whole Pusher side of the server, on a port of its own.
type harness struct {
	t      *testing.T
	url    string
	web    http.Handler
	apps   *pusher.Apps
	engine *broadcasting.Engine
	stop   func() // ends the server of sockets and waits for it
}

// setup is the part of a harness that a test may change.
type setup struct {
	app     apps.App // the first app
	engine  broadcasting.Options
	sockets server.Options
	pusher  pusher.Options
	record  broadcasting.ChannelEventSink
	users   pusher.Authenticator
}

func newHarness(t *testing.T, change ...func(*setup)) *harness {
	t.Helper()
	h, g, stop := build(t, change...)
	web := httptest.NewServer(apitest.Documented(t, g, nil))
	h.url, h.web, h.stop = web.URL, web.Config.Handler, stop
	t.Cleanup(func() { h.stop(); web.Close() })
	return h
}

// build makes a harness without a port. stop ends the server of sockets and waits for
// it; it may be called again.
func build(t *testing.T, change ...func(*setup)) (h *harness, g *gin.Engine, stop func()) {
	t.Helper()
	o := setup{app: docApp(), users: company{}, sockets: server.Options{Log: quiet(), Linger: time.Second}}
	o.app.ClientEvents = true
	for _, c := range change {
		c(&o)
	}
	apps := newApps(t, o.app,
		apps.App{ID: "4", Key: "disabled", Secret: "s"},
		apps.App{ID: "5", Key: "picky", Secret: "s", Enabled: true, AllowedOrigins: []string{"https://crm.example"}},
		apps.App{ID: "6", Key: "small", Secret: "s", Enabled: true, Limits: apps.Limits{Sockets: 1, ChannelsPerSocket: 2}},
	)
	engine, sockets := broadcasting.NewEngine(o.engine), server.New(o.sockets)
	apps.OnRemoved(func(id string) {
		if err := engine.RemoveApp(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	engine.Record(o.record)
	o.pusher.Apps, o.pusher.Engine, o.pusher.Sockets, o.pusher.Log = apps, engine, sockets, quiet()
	front := pusher.New(o.pusher)

	g = gin.New()
	front.Register(g)
	g.NoRoute(func(c *gin.Context) { front.NotFound(c) })
	(&pusher.HTTPAPI{Apps: apps, Engine: engine, Log: quiet()}).Register(g)
	(&pusher.Authorizer{
		App: apps.First(), Users: o.users, UserInfo: company{},
		Policy: channels.Policy{Access: company{}}, Grants: engine, Log: quiet(),
	}).Register(g)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sockets.Run(ctx) }()
	stopped := false
	return &harness{t: t, engine: engine, apps: apps}, g, func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
	}
}

// raw is a socket of a client without any knowledge of the protocol.
type raw struct {
	t    *testing.T
	ws   *websocket.Conn
	id   string
	wait time.Duration // for a frame; 0: testwait.Long
}

// await sets the deadline of the next read.
func (r *raw) await() { _ = r.ws.SetReadDeadline(time.Now().Add(cmp.Or(r.wait, testwait.Long))) }

func (h *harness) dial(t *testing.T, path string, header http.Header) *raw {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+path, header)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	_ = res.Body.Close() // of a handshake; it is empty
	t.Cleanup(func() { _ = ws.Close() })
	return &raw{t: t, ws: ws}
}

var established = regexp.MustCompile(`^\{"event":"pusher:connection_established","data":"\{\\"socket_id\\":\\"(\d+\.\d+)\\",\\"activity_timeout\\":120\}"\}$`)

func (h *harness) connect(t *testing.T) *raw {
	t.Helper()
	return h.dial(t, connectPath, nil).greeted()
}

const connectPath = "/app/" + docKey + "?protocol=7&client=js&version=8.6.0&flash=false"

// greeted reads the handshake.
func (r *raw) greeted() *raw {
	r.t.Helper()
	first := r.read()
	match := established.FindStringSubmatch(first)
	if match == nil || !pusher.ValidSocketID(match[1]) {
		r.t.Fatalf("the handshake is %s", first)
	}
	r.id = match[1]
	return r
}

func (r *raw) read() string {
	r.t.Helper()
	r.await()
	kind, data, err := r.ws.ReadMessage()
	if err != nil || kind != websocket.TextMessage {
		r.t.Fatalf("socket %s: message of kind %d: %v", r.id, kind, err)
	}
	return string(data)
}

func (r *raw) expect(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := r.read(); got != w {
			r.t.Fatalf("socket %s:\n got %s\nwant %s", r.id, got, w)
		}
	}
}

// silence checks that no frame is on its way: it would come before the pong.
func (r *raw) silence() {
	r.t.Helper()
	r.send(`{"event":"pusher:ping","data":{}}`)
	r.expect(`{"event":"pusher:pong","data":"{}"}`)
}

func (r *raw) send(message string) {
	r.t.Helper()
	if err := r.ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		r.t.Fatal(err)
	}
}

// expectClose reads the close frame.
func (r *raw) expectClose(code int) {
	r.t.Helper()
	r.await()
	_, data, err := r.ws.ReadMessage()
	if !websocket.IsCloseError(err, code) {
		r.t.Fatalf("got %s, %v; want a close frame with %d", data, err, code)
	}
}

func (r *raw) subscribe(channel, auth, channelData string) {
	r.t.Helper()
	data := map[string]string{"channel": channel, "auth": auth}
	if channelData != "" {
		data["channel_data"] = channelData
	}
	text, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": data})
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(string(text))
}

func (r *raw) unsubscribe(channel string) {
	r.t.Helper()
	r.send(`{"event":"pusher:unsubscribe","data":{"channel":"` + channel + `"}}`)
}

// enter subscribes with a signature of the app and checks the answer.
func (r *raw) enter(channel string) {
	r.t.Helper()
	r.subscribe(channel, r.auth(channel, ""), "")
	r.expect(succeeded(channel))
}

func (r *raw) auth(channel, channelData string) string {
	s := r.id + ":" + channel
	if channelData != "" {
		s += ":" + channelData
	}
	return docKey + ":" + hmacHex(docSecret, s)
}

func succeeded(channel string) string {
	return `{"event":"pusher_internal:subscription_succeeded","channel":"` + channel + `","data":"{}"}`
}

// publish posts to the HTTP API and expects {}.
func (h *harness) publish(t *testing.T, body string) {
	t.Helper()
	query := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", nil, []byte(body), time.Now())
	res, err := http.Post(h.url+"/apps/3/events?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != 200 {
		t.Fatalf("publish: %s", res.Status)
	}
}

// authorize requests /broadcasting/auth.
func (h *harness) authorize(t *testing.T, r *raw, token, channel string) (auth, channelData string) {
	t.Helper()
	status, answer := h.ask(t, "/broadcasting/auth", token, url.Values{"socket_id": {r.id}, "channel_name": {channel}}.Encode())
	if status != 200 {
		t.Fatalf("auth: %d %v", status, answer)
	}
	auth, _ = answer["auth"].(string)
	channelData, _ = answer["channel_data"].(string)
	return auth, channelData
}
