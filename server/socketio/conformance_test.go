package socketio

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// The cases of the public suites of Engine.IO 4 (25) and of Socket.IO 5 (those of its own,
// 18), against servers that echo. The suite of Socket.IO repeats those of Engine.IO's that
// need no echo; so do these tests.

// echo is an upper that sends back every message.
type echo struct{ c *conn }

func (e echo) Text(text []byte)     { e.c.out.Queue(textFrame("4" + string(text))) }
func (e echo) Binary(data []byte)   { e.c.out.Queue(binaryFrame(data)) }
func (e echo) Ending()              {}
func (e echo) Closed()              {}
func (e echo) About() (string, int) { return "", 0 }

// asSuite sets what the suites need.
func asSuite(s *setup) {
	s.sockets = server.Options{Heartbeat: 300 * time.Millisecond, PongTimeout: 200 * time.Millisecond, Absence: 400 * time.Millisecond}
	s.io.ConnectTimeout = time.Second
	s.io.History = nil
	s.io.Rooms = echoRooms{}
}

// rawEcho makes messages echo without Socket.IO.
func rawEcho(s *setup) {
	asSuite(s)
	s.upper = func(c *conn) upper { return echo{c} }
}

// echoRooms has the namespaces of the suite.
type echoRooms struct{}

func (echoRooms) CheckKey(context.Context, string) (int64, error) { return 0, nil }

func (echoRooms) Enter(_ context.Context, r Request) (*Entry, error) {
	if r.Namespace != "/" && r.Namespace != "/custom" {
		return nil, ErrInvalidNamespace
	}
	auth := r.Auth
	if auth == nil {
		auth = json.RawMessage("{}")
	}
	return &Entry{
		Joined: func(s *Socket) { s.Emit("auth", Args{Values: []json.RawMessage{auth}}) },
		On: func(_ context.Context, s *Socket, c Call) Args {
			if c.Event == "message" {
				s.Emit("message-back", c.Args)
				return Args{}
			}
			return c.Args
		},
	}, nil
}

// suiteCase is a case of a suite.
type suiteCase struct {
	name string
	test func(h *host, path string)
}

// both are the cases that both suites have.
var both = []suiteCase{
	{"handshake/polling/opens", func(h *host, path string) {
		got := h.ask("GET", path+"polling", "")
		checkHandshake(h.t, got.body, `["websocket"]`)
	}},
	{"handshake/polling/EIO", func(h *host, path string) {
		base, _, _ := strings.Cut(path, "?")
		h.status("GET", base+"?transport=polling", "", 400)
		h.status("GET", base+"?EIO=abc&transport=polling", "", 400)
	}},
	{"handshake/polling/transport", func(h *host, path string) {
		base, _, _ := strings.Cut(path, "?")
		h.status("GET", base+"?EIO=4", "", 400)
		h.status("GET", base+"?EIO=4&transport=abc", "", 400)
	}},
	{"handshake/polling/method", func(h *host, path string) {
		h.status("POST", path+"polling", "", 400)
		h.status("PUT", path+"polling", "", 400)
	}},
	{"handshake/websocket/opens", func(h *host, path string) { checkHandshake(h.t, h.dial(path+"websocket").read(), `[]`) }},
	{"handshake/websocket/EIO", func(h *host, path string) {
		base, _, _ := strings.Cut(path, "?")
		h.refused(base+"?transport=websocket", 400)
		h.refused(base+"?EIO=abc&transport=websocket", 400)
		h.refused(base+"?EIO=3&transport=websocket", 400)
	}},
	{"handshake/websocket/transport", func(h *host, path string) {
		base, _, _ := strings.Cut(path, "?")
		h.refused(base+"?EIO=4", 400)
		h.refused(base+"?EIO=4&transport=abc", 400)
	}},
	{"heartbeat/polling/pings", func(h *host, path string) {
		session := h.poll(path)
		for range 3 {
			h.same("GET", session, "", "2")
			h.same("POST", session, "3", "ok")
		}
	}},
	{"heartbeat/polling/timeout", func(h *host, path string) {
		session := h.poll(path)
		until(h.t, "the end of the session", func() bool { return h.io.Stats().Connections == 0 })
		h.status("GET", session, "", 400)
	}},
	{"heartbeat/websocket/pings", func(h *host, path string) {
		c := h.open(path)
		for range 3 {
			c.want("2")
			c.send("3")
		}
	}},
	{"heartbeat/websocket/timeout", func(h *host, path string) { h.open(path).ends() }},
	{"close/polling", func(h *host, path string) {
		session := h.poll(path)
		poll := make(chan answer, 1)
		go func() { poll <- h.ask("GET", session, "") }()
		h.same("POST", session, "1", "ok")
		if got := <-poll; got.status != 200 || got.body != "6" {
			h.t.Errorf("the poll is answered %+v", got)
		}
		h.status("GET", session, "", 400)
	}},
	{"close/websocket", func(h *host, path string) {
		c := h.open(path)
		c.send("1")
		c.ends()
	}},
	{"upgrade/polling after it", func(h *host, path string) {
		session := h.poll(path)
		h.upgraded(session)
		h.status("GET", session, "", 400)
		h.status("POST", session, "4x", 400)
	}},
	{"upgrade/websocket after it", func(h *host, path string) {
		session := h.poll(path)
		h.upgraded(session)
		h.dial(overWebSocket(session)).ends()
	}},
}

// upgraded upgrades a session.
func (h *host) upgraded(session string) *client {
	h.t.Helper()
	c := h.dial(overWebSocket(session))
	c.send("2probe")
	c.want("3probe")
	c.send("5")
	until(h.t, "the upgrade", func() bool {
		_, sid, _ := strings.Cut(session, "sid=")
		k := h.io.conn(sid)
		return k != nil && k.isWebSocket()
	})
	return c
}

// engineOnly are the cases of the suite of Engine.IO alone.
var engineOnly = []suiteCase{
	{"message/polling/one", func(h *host, path string) {
		session := h.poll(path)
		h.same("POST", session, "4hello", "ok")
		h.same("GET", session, "", "4hello")
	}},
	{"message/polling/several", func(h *host, path string) {
		session := h.poll(path)
		h.same("POST", session, "4test1\x1e4test2\x1e4test3", "ok")
		h.same("GET", session, "", "4test1\x1e4test2\x1e4test3")
	}},
	{"message/polling/binary", func(h *host, path string) {
		session := h.poll(path)
		h.same("POST", session, "4hello\x1ebAQIDBA==", "ok")
		h.same("GET", session, "", "4hello\x1ebAQIDBA==")
	}},
	{"message/polling/invalid", func(h *host, path string) {
		session := h.poll(path)
		h.status("POST", session, "abc", 400)
		h.status("GET", session, "", 400)
	}},
	{"message/polling/two polls", func(h *host, path string) {
		session := h.poll(path)
		first := make(chan answer, 1)
		go func() { first <- h.ask("GET", session, "") }()
		h.awaitPoll(session)
		h.status("GET", session, "", 400)
		if got := <-first; got.status != 200 || got.body != "1" {
			h.t.Errorf("the first poll is answered %+v", got)
		}
		h.status("GET", session, "", 400)
	}},
	{"message/polling/cancelled", func(h *host, path string) {
		session := h.poll(path)
		ctx, leave := context.WithCancel(h.t.Context())
		left := make(chan struct{})
		go func() {
			defer close(left)
			req, _ := http.NewRequestWithContext(ctx, "GET", h.web.URL+session, http.NoBody)
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}()
		h.awaitPoll(session)
		leave()
		<-left
		h.awaitEnd(session)
	}},
	{"message/websocket/text", func(h *host, path string) {
		c := h.open(path)
		c.send("4hello")
		c.want("4hello")
	}},
	{"message/websocket/binary", func(h *host, path string) {
		c := h.open(path)
		c.sendBinary([]byte{1, 2, 3, 4})
		c.want("b\x01\x02\x03\x04")
	}},
	{"message/websocket/invalid", func(h *host, path string) {
		c := h.open(path)
		c.send("abc")
		c.ends()
	}},
	{"upgrade/works", func(h *host, path string) {
		session := h.poll(path)
		c := h.dial(overWebSocket(session))
		c.send("2probe")
		c.want("3probe")
		h.same("GET", session, "", "6")
		c.send("5", "4hello")
		c.want("4hello")
	}},
	{"upgrade/goes on", func(h *host, path string) {
		session := h.poll(path)
		c := h.upgraded(session)
		h.status("GET", session, "", 400)
		c.send("4hello")
		c.want("4hello")
		h.dial(overWebSocket(session)).ends()
		c.send("4again")
		c.want("4again")
	}},
}

// awaitPoll waits until a poll is open.
func (h *host) awaitPoll(session string) {
	_, sid, _ := strings.Cut(session, "sid=")
	until(h.t, "an open poll", func() bool {
		k := h.io.conn(sid)
		if k == nil {
			return false
		}
		k.out.mu.Lock()
		defer k.out.mu.Unlock()
		return k.out.http != nil && k.out.http.Receiving()
	})
}

// awaitEnd waits until a session is unknown.
func (h *host) awaitEnd(session string) {
	h.t.Helper()
	until(h.t, "the end of the session", func() bool { return h.ask("GET", session, "").status == 400 })
}

func checkHandshake(t testing.TB, packet, upgrades string) {
	t.Helper()
	var o map[string]json.RawMessage
	if !strings.HasPrefix(packet, "0") || json.Unmarshal([]byte(packet[1:]), &o) != nil {
		t.Fatalf("the handshake is %q", packet)
	}
	if got := slices.Sorted(maps.Keys(o)); !slices.Equal(got, []string{"maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"}) {
		t.Errorf("the handshake has the members %v", got)
	}
	if len(o["sid"]) < 22 || !bytes.Equal(o["upgrades"], []byte(upgrades)) || string(o["pingInterval"]) != "300" ||
		string(o["pingTimeout"]) != "200" || string(o["maxPayload"]) != "1000000" {
		t.Errorf("the handshake is %s", packet)
	}
}

// greetedSuite opens a WebSocket and enters the main namespace.
func (h *host) greetedSuite() *client {
	h.t.Helper()
	c := h.open(ioPath)
	c.send("40")
	c.entered("/")
	c.want(`42["auth",{}]`)
	return c
}

// entering returns a case that enters a namespace.
func entering(namespace, payload, auth string) func(*host, string) {
	return func(h *host, path string) {
		c := h.open(path)
		c.send("40" + prefixOf(namespace) + payload)
		if _, pid := c.entered(namespace); pid != "" {
			h.t.Error("there is a pid")
		}
		c.want("42" + prefixOf(namespace) + `["auth",` + auth + "]")
	}
}

// ending returns a case in which a packet ends the connection.
func ending(packet string) func(*host, string) {
	return func(h *host, _ string) {
		c := h.greetedSuite()
		c.send(packet)
		c.ends()
	}
}

// socketOnly are the cases of the suite of Socket.IO alone.
var socketOnly = []suiteCase{
	{"connect/main", entering("/", "", "{}")},
	{"connect/main, payload", entering("/", `{"token":"123"}`, `{"token":"123"}`)},
	{"connect/custom", entering("/custom", "", "{}")},
	{"connect/custom, payload", entering("/custom", `{"token":"abc"}`, `{"token":"abc"}`)},
	{"connect/unknown", func(h *host, path string) {
		c := h.open(path)
		c.send("40/random")
		c.want(`44/random,{"message":"Invalid namespace"}`)
	}},
	{"connect/invalid", func(h *host, path string) {
		c := h.open(path)
		c.send("4abc")
		c.ends()
	}},
	{"connect/none", func(h *host, path string) {
		c := h.open(path)
		began := time.Now()
		for {
			got, err := c.next()
			if err != nil {
				break
			}
			if got == "2" {
				c.send("3")
			}
		}
		if took := time.Since(began); took < 900*time.Millisecond || took > testwait.Long {
			h.t.Errorf("it ends after %v", took)
		}
	}},
	{"disconnect/main", func(h *host, _ string) {
		c := h.greetedSuite()
		c.send("41")
		if got := c.read(); got != "2" {
			h.t.Errorf("the next message is %q", got)
		}
	}},
	{"disconnect/custom", func(h *host, _ string) {
		c := h.greetedSuite()
		c.send("40/custom")
		c.want2("40/custom,")
		c.want(`42/custom,["auth",{}]`)
		c.send("41/custom", `42["message","message to main namespace"]`)
		c.want(`42["message-back","message to main namespace"]`)
	}},
	{"message/text", func(h *host, _ string) {
		c := h.greetedSuite()
		c.send(`42["message",1,"2",{"3":[true]}]`)
		c.want(`42["message-back",1,"2",{"3":[true]}]`)
	}},
	{"message/binary", func(h *host, _ string) {
		c := h.greetedSuite()
		c.send(`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		c.sendBinary([]byte{1, 2, 3})
		c.sendBinary([]byte{4, 5, 6})
		c.want(`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "b\x01\x02\x03", "b\x04\x05\x06")
	}},
	{"message/ack", func(h *host, _ string) {
		c := h.greetedSuite()
		c.send(`42456["message-with-ack",1,"2",{"3":[false]}]`)
		c.want(`43456[1,"2",{"3":[false]}]`)
	}},
	{"message/binary and ack", func(h *host, _ string) {
		c := h.greetedSuite()
		c.send(`452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		c.sendBinary([]byte{1, 2, 3})
		c.sendBinary([]byte{4, 5, 6})
		c.want(`462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "b\x01\x02\x03", "b\x04\x05\x06")
	}},
	{"message/unknown type", ending("4abc")},
	{"message/payload", ending("42{}")},
	{"message/ack id", ending(`42abc["message-with-ack",1,"2",{"3":[false]}]`)},
	{"upgrade/works", func(h *host, path string) {
		c := h.dial(overWebSocket(h.poll(path)))
		c.send("2probe")
		c.want("3probe")
		c.send("5", "40")
		c.entered("/")
	}},
}

// want2 expects the answer to a CONNECT with this beginning.
func (c *client) want2(prefix string) {
	c.t.Helper()
	got := c.read()
	for got == "2" {
		got = c.read()
	}
	if !strings.HasPrefix(got, prefix+`{"sid":"`) {
		c.t.Fatalf("got %q", got)
	}
}

func TestEngineIOSuite(t *testing.T) {
	runSuite(t, rawPath, rawEcho, slices.Concat(both, engineOnly))
}

func TestSocketIOSuite(t *testing.T) {
	runSuite(t, ioPath, asSuite, slices.Concat(both, socketOnly))
}

func runSuite(t *testing.T, path string, set func(*setup), cases []suiteCase) {
	h := run(t, set)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			one := *h
			one.t = t
			c.test(&one, path)
		})
	}
}
