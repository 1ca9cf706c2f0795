package socketio

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// nodeClient is the official client, which runs in Node.js. The packages are those of
// testdata/clients; .ci/setup gets them.
type nodeClient struct {
	t     testing.TB
	say   io.Writer
	lines chan string
}

// options are those of the client.
type options map[string]any

// connect starts a client of a namespace.
func (h *host) connect(namespace string, o options) *nodeClient {
	h.t.Helper()
	arg, err := json.Marshal(map[string]any{"url": h.web.URL + namespace, "options": o})
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/clients/client.cjs", string(arg))
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil {
		h.t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	c := &nodeClient{t: h.t, say: in, lines: make(chan string, 100_000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(c.lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 4<<20)
		for s.Scan() {
			c.lines <- s.Text()
		}
	}()
	h.t.Cleanup(func() {
		_ = in.Close()
		<-done
		if err := cmd.Wait(); err != nil {
			h.t.Errorf("node: %v", err)
		}
	})
	return c
}

// next returns what the client says next.
func (c *nodeClient) next() string {
	c.t.Helper()
	select {
	case line, more := <-c.lines:
		if !more {
			c.t.Fatal("node has ended")
		}
		return line
	case <-time.After(testwait.Long):
		c.t.Fatal("the client says nothing")
	}
	return ""
}

func (c *nodeClient) want(lines ...string) {
	c.t.Helper()
	for _, want := range lines {
		if got := c.next(); got != want {
			c.t.Fatalf("the client says %.300s, want %.300s", got, want)
		}
	}
}

// until returns when the client has said a line, whatever it says before.
func (c *nodeClient) until(line string) {
	c.t.Helper()
	for c.next() != line {
		continue
	}
}

func (c *nodeClient) do(what ...any) {
	c.t.Helper()
	line, err := json.Marshal(what)
	if err == nil {
		_, err = c.say.Write(append(line, '\n'))
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

var (
	overWS      = []string{"websocket"}
	overPolling = []string{"polling"}
)

func TestNodeTransportsAndKeys(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) { l.on = echoes })
	n := 0
	for name, o := range map[string]options{
		"websocket, auth":         {"transports": overWS, "auth": options{"apikey": "good"}},
		"websocket, query":        {"transports": overWS, "query": options{"apikey": "good"}},
		"websocket, header":       {"transports": overWS, "extraHeaders": options{"apikey": "good"}},
		"polling, auth":           {"transports": overPolling, "auth": options{"token": "good"}},
		"polling, query":          {"transports": overPolling, "query": options{"apikey": "good"}},
		"polling, header":         {"transports": overPolling, "extraHeaders": options{"apikey": "good"}},
		"path":                    {"transports": overWS, "path": "/whatsapp/socket.io/", "auth": options{"apikey": "good"}},
		"without a slash":         {"transports": overPolling, "addTrailingSlash": false, "auth": options{"apikey": "good"}},
		"upgrade, auth":           {"auth": options{"apikey": "good"}},
		"upgrade, bearer":         {"extraHeaders": options{"Authorization": "Bearer good"}},
		"websocket, then polling": {"transports": []string{"websocket", "polling"}, "auth": options{"apikey": "good"}},
	} {
		t.Run(name, func(t *testing.T) {
			one := *h
			one.t = t
			c := one.connect("/shop", o)
			switch transports, chosen := o["transports"]; {
			case !chosen: // it may change the transport before it is in
				first, second := c.next(), c.next()
				if first != `["upgrade","websocket"]` && second != `["upgrade","websocket"]` {
					t.Fatalf("the client says %s and %s", first, second)
				}
			case fmt.Sprint(transports) == "[polling]":
				c.want(`["connect",false,"polling"]`)
			default:
				c.want(`["connect",false,"websocket"]`)
			}
			n++
			one.say("shop", "2*hello ü")
			c.want(fmt.Sprintf(`["event","e","hello ü","%d.1"]`, n), fmt.Sprintf(`["event","e1","hello ü","%d"]`, n))
			c.do("emit", "anything", options{"number": "351912000009"})
			c.want(`["ack",{"number":"351912000009"}]`)
		})
	}
}

func TestNodeConnectErrors(t *testing.T) {
	h := run(t)
	for namespace, want := range map[string]string{
		"/shop?k=none":  `["connect_error","apiKey is required",null,false]`,
		"/shop?k=wrong": `["connect_error","Invalid apiKey",{"code":401},false]`,
		"/nobody":       `["connect_error","Invalid namespace",null,false]`,
	} {
		o := options{"transports": overWS, "forceNew": true, "auth": options{"apikey": "good"}}
		switch {
		case strings.HasSuffix(namespace, "none"):
			delete(o, "auth")
		case strings.HasSuffix(namespace, "wrong"):
			o["auth"] = options{"apikey": "wrong"}
		}
		h.connect(namespace, o).want(want)
	}
	// A bad key of the query is refused before there is a connection.
	c := h.connect("/shop", options{"transports": overPolling, "reconnection": false, "query": options{"apikey": "wrong"}})
	c.want(`["connect_error","xhr poll error",null,true]`)
}

// The server cuts the connection: the client comes back by itself, and has missed nothing.
func TestNodeRecovers(t *testing.T) {
	h := run(t)
	c := h.connect("/shop", options{"transports": overWS, "reconnectionDelay": 300, "reconnectionDelayMax": 300, "auth": options{"apikey": "good"}})
	c.want(`["connect",false,"websocket"]`)
	h.say("shop", "one")
	c.want(`["event","e","one","1"]`)
	h.engine.CutOff()
	c.want(`["disconnect","transport close"]`)
	h.say("shop", "two")
	h.say("shop", "2*three")
	c.want(`["connect",true,"websocket"]`, `["event","e","two","2"]`, `["event","e","three","3.1"]`, `["event","e1","three","3"]`)
	c.do("break")
	c.want(`["disconnect","transport close"]`)
	h.say("shop", "four")
	c.want(`["connect",true,"websocket"]`, `["event","e","four","4"]`)

	// What it has missed is no longer kept.
	h.engine.CutOff()
	c.want(`["disconnect","transport close"]`)
	for range 5 {
		h.say("shop", "missed")
	}
	h.journal.change(func(b *book) { b.pruned = 9 })
	c.want(`["connect",false,"websocket"]`)
	h.say("shop", "ten")
	c.want(`["event","e","ten","10"]`)
}

// The server is replaced by another one, which knows nothing of its clients.
func TestNodeRestart(t *testing.T) {
	first := run(t)
	address := first.web.Listener.Addr().String()
	clients := map[string]*nodeClient{}
	for name, transports := range map[string][]string{"websocket": overWS, "polling": overPolling} {
		c := first.connect("/shop", options{"transports": transports, "auth": options{"apikey": "good"}})
		c.want(`["connect",false,"` + name + `"]`)
		clients[name] = c
	}
	first.say("shop", "one")
	for _, c := range clients {
		c.want(`["event","e","one","1"]`)
	}
	first.stop()
	first.web.Close()
	for _, c := range clients {
		c.want(`["disconnect","transport close"]`)
	}
	first.journal.write(line("shop"), "two")
	second := run(t, func(s *setup) { s.listen, s.journal = address, first.journal })
	for name, c := range clients {
		for got := c.next(); got != `["connect",true,"`+name+`"]`; got = c.next() {
			if !strings.HasPrefix(got, `["connect_error"`) {
				t.Fatalf("%s says %s", name, got)
			}
		}
		c.want(`["event","e","two","2"]`)
	}
	second.say("shop", "three")
	for _, c := range clients {
		c.want(`["event","e","three","3"]`)
	}
}

// The client changes its transport while events come.
func TestNodeUpgradeUnderLoad(t *testing.T) {
	h := run(t)
	ctx, stop := context.WithCancel(t.Context())
	published := make(chan int, 1)
	var clients []*nodeClient
	for range 3 {
		clients = append(clients, h.connect("/shop", options{"auth": options{"apikey": "good"}}))
	}
	go func() {
		n, pace := 0, time.NewTicker(500*time.Microsecond) // as a busy line
		defer pace.Stop()
		for ; ctx.Err() == nil; n++ {
			h.say("shop", strconv.Itoa(n+1))
			<-pace.C
		}
		published <- n
	}()
	next := make([]int, len(clients))
	take := func(i int) (upgraded bool) {
		switch got := clients[i].next(); {
		case got == `["upgrade","websocket"]`:
			return true
		case strings.HasPrefix(got, `["connect",false,`):
		case next[i] == 0: // it begins with what comes then
			_, err := fmt.Sscanf(got, `["event","e","%d"`, &next[i])
			if err != nil {
				t.Fatal(got)
			}
			next[i]++
		case got != fmt.Sprintf(`["event","e","%d","%d"]`, next[i], next[i]):
			t.Fatalf("client %d says %s, want %d", i, got, next[i])
		default:
			next[i]++
		}
		return false
	}
	for i := range clients {
		for !take(i) {
			continue
		}
	}
	stop()
	last := <-published
	for i := range clients {
		for next[i] <= last {
			take(i)
		}
	}
	if st := h.io.Stats(); st.Upgraded != 3 {
		t.Errorf("%+v", st)
	}
}

// A client that stops reading is cut; it comes back, and gets what it has missed. The
// others do not wait for it.
func TestNodeSlowReader(t *testing.T) {
	h := run(t, func(s *setup) { s.sockets.QueueBytes, s.sockets.Linger = 300_000, 100*time.Millisecond })
	o := options{"transports": overWS, "auth": options{"apikey": "good"}}
	slow, quick := h.connect("/shop", o), h.connect("/shop", o)
	slow.want(`["connect",false,"websocket"]`)
	quick.want(`["connect",false,"websocket"]`)
	slow.do("pause")
	slow.want(`["paused"]`)
	data := strings.Repeat("x", 50_000)
	n := 0
	for h.sockets.Stats().Ended[server.SlowConsumer] == 0 && n < 2000 {
		n++
		h.say("shop", data)
		quick.want(fmt.Sprintf(`["event","e","%s","%d"]`, data, n))
	}
	if h.sockets.Stats().Ended[server.SlowConsumer] != 1 {
		t.Fatal("it is not cut")
	}
	slow.do("resume")
	for i := 1; i <= n; {
		got := slow.next()
		switch {
		case got == fmt.Sprintf(`["event","e","%s","%d"]`, data, i):
			i++
		case got == `["disconnect","transport close"]`, got == `["connect",true,"websocket"]`:
		default:
			t.Fatalf("at %d: %.100s", i, got)
		}
	}
}

// A server that stops sends its clients away, so that they come back; a key that is revoked
// ends them for good.
func TestNodeDrainAndRevocation(t *testing.T) {
	h := run(t)
	c := h.connect("/shop", options{"transports": overWS, "auth": options{"apikey": "shop"}})
	c.want(`["connect",false,"websocket"]`)
	if err := h.engine.Disconnect(t.Context(), "8"); err != nil {
		t.Fatal(err)
	}
	c.want(`["disconnect","io server disconnect"]`)
	d := h.connect("/shop", options{"transports": overPolling, "auth": options{"apikey": "good"}})
	d.want(`["connect",false,"polling"]`)
	h.stop()
	d.want(`["disconnect","transport close"]`)
	d.until(`["connect_error","xhr poll error",null,true]`)
	select {
	case line := <-c.lines:
		if line != `["disconnect","io server disconnect"]` {
			t.Logf("after 41 the client says %s", line)
		}
	default:
	}
}

// listener listens on an address that another server had.
func listener(t testing.TB, address string) (l net.Listener) {
	until(t, "the address", func() bool {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	})
	return l
}
