package multiwa_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/multiwa"
)

// testProfile is the id of no profile.
const testProfile = "0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"

var onGr = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}

var discard = slog.New(slog.DiscardHandler)

// harness is this dialect over the rules, an engine and a relay, on a port of its own.
type harness struct {
	*crmtest.World
	t       *testing.T
	url     string
	engine  *broadcasting.Engine
	sockets *server.Server
	stop    func() // ends the server of sockets and waits for it
}

// setup is the part of a harness that a test may change.
type setup struct {
	sockets server.Options
	options multiwa.Options
	remote  string // where requests come from; empty: from where they do
}

// liveEngine lets the rules act on the engine.
type liveEngine struct {
	*broadcasting.Engine
	relay *broadcasting.Relay
	t     *testing.T
}

var _ crm.Live = (*liveEngine)(nil)

func (l *liveEngine) Wake() { l.relay.Wake() }
func (l *liveEngine) Unsubscribe(user int64, names ...string) error {
	return l.Engine.Unsubscribe(context.Background(), strconv.FormatInt(user, 10), names...)
}
func (l *liveEngine) Disconnect(user int64) error { return l.EndEarlierSessions(user, 0) }
func (l *liveEngine) EndEarlierSessions(user, session int64) error {
	return l.Engine.EndEarlierSessions(context.Background(), strconv.FormatInt(user, 10), session)
}
func (l *liveEngine) EndSession(user, session int64) error {
	return l.Engine.EndSession(context.Background(), strconv.FormatInt(user, 10), session)
}
func (l *liveEngine) ExtendSession(int64, int64, time.Time) {}
func (l *liveEngine) Publish(names []string, event, data string) {
	for _, name := range names {
		if err := l.Engine.Publish(context.Background(), broadcasting.Event{App: "1", Channel: name, Name: event, Data: data}); err != nil {
			l.t.Error(err)
		}
	}
}

// directory is the instances of the rules as profiles.
type directory struct{ *crm.InstanceDirectory }

func (d directory) Profile(on crm.Line) (id, phone string) {
	v, _ := d.Of(on)
	return v.ID, v.Phone
}

func newHarness(t *testing.T, store *models.Store, change ...func(*setup)) *harness {
	t.Helper()
	h := &harness{World: crmtest.New(t, store), t: t, engine: broadcasting.NewEngine(broadcasting.Options{})}
	relay := broadcasting.NewRelay(broadcasting.RelayOptions{Journal: h.Journal, Poll: time.Hour, App: "1", Log: discard, Publish: h.engine.Publish})
	h.Service.Live = &liveEngine{h.engine, relay, t}
	h.engine.SetHistory(crm.History{Service: h.Service}, discard)
	if err := h.LoadInstances(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := directory{h.InstanceDirectory()}
	o := setup{sockets: server.Options{Log: discard, Linger: time.Second}, options: multiwa.Options{
		CRM: h.Service, Lines: lines, Policy: channels.Policy{Access: h.Service}, Engine: h.engine, App: "1", Log: discard,
	}}
	for _, c := range change {
		c(&o)
	}
	h.sockets = server.New(o.sockets)
	o.options.Sockets = h.sockets
	g := gin.New()
	g.RedirectTrailingSlash = false
	multiwa.New(o.options).Register(g)
	api := &multiwa.API{CRM: h.Service, Lines: o.options.Lines, Log: discard}
	api.Register(g)
	g.NoRoute(func(c *gin.Context) { api.NotFound(c, g) })
	documented := apitest.Documented(t, g, nil)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.remote != "" {
			r.RemoteAddr = o.remote
		}
		documented.ServeHTTP(w, r)
	}))
	h.url = web.URL
	stopSockets, stopRest := h.run(h.sockets.Run), h.run(h.engine.Run, relay.Run)
	h.stop = stopSockets
	t.Cleanup(func() { stopSockets(); stopRest(); web.Close() })
	return h
}

// run runs the functions until the function that it returns is called.
func (h *harness) run(list ...func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, len(list))
	for _, f := range list {
		go func() { ended <- f(ctx) }()
	}
	stopped := false
	return func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for range list {
			if err := <-ended; err != nil {
				h.t.Errorf("Run: %v", err)
			}
		}
	}
}

// key makes a key of a line; the zero Line: of the company.
func (h *harness) key(t *testing.T, on crm.Line, rights ...string) *crm.CreatedKey {
	t.Helper()
	if rights == nil {
		rights = []string{crm.KeyRead, crm.KeySend, crm.KeyManage}
	}
	made, err := h.CreateKey(t.Context(), h.Owner, crm.KeyInput{CompanyID: crmtest.CompanyID, Name: "Test", LicenseID: on.LicenseID, Messenger: on.Messenger, Rights: rights})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// profileOf returns the id of a line's profile.
func (h *harness) profileOf(t *testing.T, on crm.Line) string {
	t.Helper()
	v, ok := h.InstanceDirectory().Of(on)
	if !ok {
		t.Fatalf("%v has no instance", on)
	}
	return v.ID
}

// say has a customer write on a line.
func (h *harness) say(t *testing.T, on crm.Line, id, text string) {
	t.Helper()
	in := crm.InboundRequest{Messages: []crm.InboundMessage{{
		ID: crm.MakeID(on.Messenger, id), Chat: crm.InboundChat{ID: crm.MakeID(on.Messenger, "351912000001")},
		FromUser: &crm.InboundUser{ID: crm.MakeID(on.Messenger, "351912000001"), Name: "Ana"}, Message: crm.Content{Text: text},
	}}}
	if _, err := h.IngestAs(t.Context(), h.Owner, on, in); err != nil {
		t.Fatal(err)
	}
}

// settle waits until the relay has published everything.
func (h *harness) settle(t *testing.T) {
	t.Helper()
	testwait.Count(t, "published events", len(h.Events(t)), func() int {
		n, err := h.Journal.LastPublished(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	})
}

// client is a socket of a client without any knowledge of the protocol.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

func (h *harness) dial(t *testing.T, query string, header http.Header) *client {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+"/ws"+query, header)
	if res == nil {
		t.Fatalf("%s: %v", query, err)
	}
	if err != nil {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %v: %d %s", query, err, res.StatusCode, text)
	}
	_ = res.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return &client{t, ws}
}

// connect opens a socket with a key, and reads the greeting.
func (h *harness) connect(t *testing.T, key string) *client {
	t.Helper()
	c := h.dial(t, "?apiKey="+key, nil)
	if got := c.read(); !strings.HasPrefix(got, `{"type":"ack","payload":{"message":"Connected to MultiWA WebSocket API","clientId":"c_`) {
		t.Fatalf("the greeting is %s", got)
	}
	return c
}

// refused tries to open a socket, and returns the answer.
func (h *harness) refused(t *testing.T, query string, header http.Header) (status int, body string) {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.url, "http")+"/ws"+query, header)
	if err == nil {
		_ = ws.Close()
		t.Fatalf("%s: a socket was opened", query)
	}
	if res == nil {
		t.Fatalf("%s: %v", query, err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode, string(text)
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() string {
	c.t.Helper()
	_ = c.ws.SetReadDeadline(time.Now().Add(testwait.Long))
	_, text, err := c.ws.ReadMessage()
	if err != nil {
		c.t.Fatalf("reading: %v", err)
	}
	return string(text)
}

// expect reads frames, which must be these. In them, * stands for a time.
func (c *client) expect(frames ...string) {
	c.t.Helper()
	for _, want := range frames {
		if got := withoutTime(c.read()); got != want {
			c.t.Errorf(" got %s\nwant %s", got, want)
		}
	}
}

// silence checks that nothing was sent before the answer to a ping.
func (c *client) silence() {
	c.t.Helper()
	c.send(`{"type":"ping","requestId":"silence"}`)
	c.expect(`{"type":"pong","payload":{"timestamp":"*"},"requestId":"silence"}`)
}

// closed reads until the server closes the socket, and returns the code and the text.
func (c *client) closed() (code int, text string) {
	c.t.Helper()
	for {
		_ = c.ws.SetReadDeadline(time.Now().Add(testwait.Long))
		_, _, err := c.ws.ReadMessage()
		if closing, ok := err.(*websocket.CloseError); ok {
			return closing.Code, closing.Text
		}
		if err != nil {
			c.t.Fatalf("waiting for the close frame: %v", err)
		}
	}
}

// subscribe subscribes to a profile and reads the answer.
func (c *client) subscribe(profile string, events string, more ...string) {
	c.t.Helper()
	c.send(`{"type":"subscribe","payload":{"profileId":"` + profile + `","events":` + events + strings.Join(more, "") + `},"requestId":1}`)
	c.expect(`{"type":"ack","payload":{"action":"subscribed","profileId":"` + profile + `","events":` + events + `},"requestId":1}`)
}

// allowOnly lets pages of one origin connect.
func allowOnly(t *testing.T, origin string) func(*setup) {
	return func(o *setup) {
		list, err := apps.ParseOrigins([]string{origin})
		if err != nil {
			t.Fatal(err)
		}
		o.options.Origins = list
	}
}
