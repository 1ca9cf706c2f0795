package socketio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/server"
)

const good = `{"apikey":"good"}`

func TestNamespaces(t *testing.T) {
	h := run(t)
	for name, c := range map[string]struct{ namespace, auth, want string }{
		"no key":        {"/shop", "", `44/shop,{"message":"apiKey is required"}`},
		"no key, main":  {"/", "", `44{"message":"apiKey is required"}`},
		"bad key":       {"/shop", `{"apikey":"x"}`, `44/shop,{"message":"Invalid apiKey","data":{"code":401}}`},
		"unknown":       {"/none", good, `44/none,{"message":"Invalid namespace"}`},
		"another's":     {"/other", `{"apikey":"shop"}`, `44/other,{"message":"Invalid namespace"}`},
		"upper case":    {"/Shop", good, `44/Shop,{"message":"Invalid namespace"}`},
		"only prefix":   {"/whatsapp", good, `44/whatsapp,{"message":"Invalid namespace"}`},
		"bad encoding":  {"/sh%zzop", good, `44/sh%zzop,{"message":"Invalid namespace"}`},
		"key of a type": {"/shop", `{"apikey":7}`, `44/shop,{"message":"apiKey is required"}`},
	} {
		t.Run(name, func(t *testing.T) {
			one := *h
			one.t = t
			c2 := one.open(ioPath)
			c2.send("40" + prefixOf(c.namespace) + c.auth)
			c2.want(c.want)
			c2.enter("/shop", good) // the connection goes on
		})
	}
	for _, namespace := range []string{"/shop", "/whatsapp/shop", "/My Shop", "/My%20Shop", "/whatsapp/My%20Shop", "/"} {
		for _, key := range []string{good, `{"token":"good"}`} {
			c, sid, pid := h.enter(namespace, key)
			if len(sid) < 20 || (pid == "") != (namespace == "/") {
				t.Errorf("%s: sid %q and pid %q", namespace, sid, pid)
			}
			_ = c.ws.Close()
		}
	}
	c := h.open(ioPath)
	c.send("40/shop?x=1," + good) // its query is cut
	c.entered("/shop")
	c.send("41/shop,", "40/other") // a comma may be missing, and so may the payload
	c.want(`44/other,{"message":"apiKey is required"}`)
	if st := h.io.Stats(); st.Refused["Invalid namespace"] < 4 || st.Refused["apiKey is required"] != 4 {
		t.Errorf("refused: %v", st.Refused)
	}
}

// The key of auth goes before that of the query, which goes before that of the header.
func TestKeysOfTheHandshake(t *testing.T) {
	h := run(t)
	connect := func(path string, header http.Header) (*client, *http.Response) {
		ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.web.URL, "http")+path, header)
		if err != nil {
			return nil, res
		}
		c := &client{t, ws}
		t.Cleanup(func() { _ = ws.Close() })
		c.read()
		return c, res
	}
	path := ioPath + transportWebSocket
	for _, header := range []http.Header{{"Apikey": {"good"}}, {"Authorization": {"Bearer good"}}} {
		c, _ := connect(path, header)
		c.enter("/shop", "")
	}
	c, _ := connect(path+"&apikey=shop", http.Header{"Apikey": {"good"}})
	c.send("40/other,")
	c.want(`44/other,{"message":"Invalid namespace"}`)
	c.enter("/other", good)
	for _, bad := range []string{"&apikey=x", "&apikey=GOOD"} {
		c, res := connect(path+bad, nil)
		if c != nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s is answered %v", bad, res)
		}
		got := h.ask("GET", ioPath+transportPolling+bad, "")
		if got.status != http.StatusForbidden || got.body != `{"code":4,"message":"Invalid apiKey"}` || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s is answered %+v", bad, got)
		}
	}
	h.rooms.change(func(l *lobby) { l.trouble = errors.New("the database is away") })
	got := h.ask("GET", ioPath+transportPolling+"&apikey=good", "")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("without a database a key is answered %+v", got)
	}
}

func TestHandshakeErrors(t *testing.T) {
	h := run(t, func(s *setup) {
		s.io.Connections = 2
		var err error
		if s.io.Origins, err = apps.ParseOrigins([]string{"https://page.example"}); err != nil {
			t.Fatal(err)
		}
	})
	for path, want := range map[string]string{
		"/socket.io/?EIO=4":                                 `{"code":0,"message":"Transport unknown"}`,
		"/socket.io?EIO=4&transport=flashsocket":            `{"code":0,"message":"Transport unknown"}`,
		"/socket.io/?EIO=4&transport=polling&sid=nobody":    `{"code":1,"message":"Session ID unknown"}`,
		"/socket.io/?EIO=4&transport=websocket&sid=nobody":  `{"code":1,"message":"Session ID unknown"}`,
		"/socket.io/?EIO=4&transport=websocket":             `{"code":3,"message":"Bad request"}`,
		"/whatsapp/socket.io/?EIO=3&transport=polling":      `{"code":5,"message":"Unsupported protocol version"}`,
		"/socket.io/?transport=polling":                     `{"code":5,"message":"Unsupported protocol version"}`,
		"/socket.io/?EIO=4&transport=polling&sid=" + "\x7f": `{"code":1,"message":"Session ID unknown"}`,
	} {
		if strings.ContainsRune(path, '\x7f') {
			path = strings.ReplaceAll(path, "\x7f", "%7f")
		}
		if got := h.ask("GET", path, ""); got.status != 400 || got.body != want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s is answered %+v", path, got)
		}
	}
	if got := h.ask("DELETE", ioPath+transportPolling, ""); got.status != 400 || got.body != `{"code":2,"message":"Bad handshake method"}` {
		t.Errorf("DELETE is answered %+v", got)
	}
	h.status("OPTIONS", "/socket.io/", "", 204)
	h.status("HEAD", ioPath+transportPolling, "", 405)
	header := http.Header{"Origin": {"https://other.example"}}
	_, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.web.URL, "http")+ioPath+transportWebSocket, header)
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("a strange page is answered %v", res)
	}
	session := h.poll(ioPath)
	h.status("PUT", session, "4x", 400)
	h.open(ioPath)
	got := h.ask("GET", ioPath+transportPolling, "")
	if got.status != 503 || got.header.Get("Retry-After") != "1" || got.body != `{"code":4,"message":"Too many connections"}` {
		t.Errorf("the third connection is answered %+v", got)
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	h := run(t, func(s *setup) { s.sockets.PerAddress = 1 })
	if !h.sockets.HasRoom("198.51.100.7") || !h.sockets.HasRoom("127.0.0.1") {
		t.Error("there is no room")
	}
}

// What may heal closes the transport, so that the client comes back; 44 would end that.
func TestTroubleClosesTheTransport(t *testing.T) {
	h := run(t, func(s *setup) { s.io.PerUser = 1 })
	for name, c := range map[string]struct {
		begin, end func()
		reason     server.Reason
	}{
		"rooms":   {func() { h.rooms.change(func(l *lobby) { l.trouble = errors.New("away") }) }, func() { h.rooms.change(func(l *lobby) { l.trouble = nil }) }, unavailable},
		"journal": {func() { h.journal.change(func(b *book) { b.trouble = errors.New("away") }) }, func() { h.journal.change(func(b *book) { b.trouble = nil }) }, unavailable},
		"confirm": {func() {
			h.rooms.change(func(l *lobby) { l.confirm = func(context.Context) error { return errors.New("away") } })
		}, func() { h.rooms.change(func(l *lobby) { l.confirm = nil }) }, unavailable},
		"encoder": {func() { h.rooms.change(func(l *lobby) { l.encoder = incomparable{} }) }, func() { h.rooms.change(func(l *lobby) { l.encoder = plainEncoder{} }) }, unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			one := *h
			one.t = t
			before := h.sockets.Stats().Ended[c.reason]
			c.begin()
			k := one.open(ioPath)
			k.send("40/shop," + good)
			if got, err := k.next(); err == nil {
				t.Errorf("it says %q", got)
			}
			until(t, "the reason", func() bool { return h.sockets.Stats().Ended[c.reason] == before+1 })
			c.end()
			k, _, _ = one.enter("/shop", good)
			_ = k.ws.Close()
			until(t, "the end", func() bool { return h.io.Stats().Connections == 0 })
		})
	}
	h.enter("/shop", good)
	c := h.open(ioPath)
	c.send("40/shop," + good)
	c.ends()
	until(t, "the limit of the key", func() bool { return h.sockets.Stats().Ended[keyFull] == 1 })
	h.enter("/shop", `{"apikey":"shop"}`)
}

type incomparable struct {
	plainEncoder
	_ []int
}

func TestManyNamespaces(t *testing.T) {
	h := run(t, func(s *setup) { s.io.PacketBurst, s.io.PacketsPerSecond = 20_000, 20_000 })
	h.rooms.change(func(l *lobby) {
		for i := range 10_000 {
			l.instances[fmt.Sprintf("n%d", i)] = true
		}
	})
	c := h.open(ioPath)
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range 10_000 {
			if c.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "40/n%d,%s", i, good)) != nil {
				return
			}
		}
	})
	in, refused := 0, 0
	for in+refused < 10_000 {
		switch got := c.read(); {
		case strings.HasPrefix(got, "40/"):
			in++
		case strings.HasSuffix(got, `{"message":"Too many namespaces"}`):
			refused++
		default:
			t.Fatalf("got %q", got)
		}
	}
	writing.Wait()
	if st := h.io.Stats(); in != 50 || st.Namespaces != 50 {
		t.Errorf("%d entered, %+v", in, st)
	}
	c.send("41/n3,")
	c.enter("/n60", good) // there is room for one again
	c.send("40/n60," + good)
	c.ends() // it is in already
}
