package socketio

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"chatcast/server"
)

// Each of these ends its connection, and nothing else.
func TestBadPackets(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) { l.on = echoes })
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for name, packets := range map[string][]string{
		"empty":                    {""},
		"unknown type":             {"7"},
		"ping":                     {"2"},
		"probe":                    {"2probe"},
		"open":                     {"0{}"},
		"upgrade":                  {"5"},
		"noop":                     {"6"},
		"message of nothing":       {"4"},
		"connect error":            {"44/shop,{}"},
		"type":                     {"47"},
		"auth of another type":     {"40/shop,[]"},
		"auth that is no JSON":     {"40/shop,{"},
		"event that is no array":   {`42/shop,{"a":1}`},
		"event of nothing":         {"42/shop,"},
		"event without a name":     {"42/shop,[]"},
		"name of a number":         {"42/shop,[1]"},
		"reserved name":            {`42/shop,["disconnect"]`},
		"huge ack id":              {`42/shop,99999999999999999999999["a"]`},
		"negative ack id":          {`42/shop,-1["a"]`},
		"ack without an id":        {"43/shop,[]"},
		"deep JSON":                {`42/shop,["a",` + deep + "]"},
		"many attachments":         {`4511-/shop,["a"]`},
		"attachments of no number": {`45x-/shop,["a"]`},
		"attachments missing":      {`45/shop,["a"]`},
		"text for an attachment":   {`451-/shop,["a",{"_placeholder":true,"num":0}]`, `42/shop,["b"]`},
		"long namespace":           {"40/" + strings.Repeat("n", 400) + ","},
		"control character":        {"40/a\nb,"},
		"twice":                    {"40/shop," + good},
		"large message":            {"4" + strings.Repeat("x", 1_000_001)},
	} {
		t.Run(name, func(t *testing.T) {
			one := *h
			one.t = t
			c, _, _ := one.enter("/shop", good)
			for _, p := range packets {
				if err := c.ws.WriteMessage(websocket.TextMessage, []byte(p)); err != nil {
					t.Fatal(err)
				}
			}
			c.ends()
		})
	}
	c, _, _ := h.enter("/shop", good)
	c.sendBinary([]byte{1}) // no packet waits for it
	c.ends()
	c, _, _ = h.enter("/shop", good)
	c.send(`452-/shop,["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	c.sendBinary(make([]byte, 600_000))
	c.sendBinary(make([]byte, 600_000))
	c.ends()
	c, _, _ = h.enter("/shop", good)
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte("4\xff")); err != nil {
		t.Fatal(err)
	}
	c.ends()
	c, _, _ = h.enter("/shop", good)
	c.send(`450-/shop,1["no attachments"]`, "43/shop,999999999999999[]", `42/none,["x"]`, "41/none,")
	c.want("43/shop,1[]")
	until(t, "one connection", func() bool { return h.io.Stats().Connections == 1 })
}

func TestBadBodies(t *testing.T) {
	h := run(t)
	for body, want := range map[string]int{
		"": 400, "4a\x1e": 400, "bno base64": 400, "4\xff": 400, "2": 400, "4" + strings.Repeat("x", 1_000_000): http.StatusRequestEntityTooLarge,
		strings.Repeat("3\x1e", 1001) + "3": 400,
	} {
		session := h.poll(ioPath)
		h.status("POST", session, body, want)
		h.awaitEnd(session)
	}
	session := h.poll(ioPath)
	h.same("POST", session, strings.Repeat("3\x1e", 900)+"3", "ok")
	h.same("POST", session, `42/shop,["x"]`, "ok")
}

// A client that sends its frames to pieces, or out of order, ends only itself.
func TestRawGarbage(t *testing.T) {
	h := run(t)
	for _, garbage := range [][]byte{
		{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // a length of 2^64-1
		{0x80, 0x80, 0, 0, 0, 0},                                     // a continuation of nothing
		{0xC1, 0x80, 0, 0, 0, 0},                                     // a reserved bit
		{0x81, 0x01, '3'},                                            // not masked
		binary.BigEndian.AppendUint32([]byte{0x01, 0x84}, 0),         // the first part of a message
	} {
		c := h.open(ioPath)
		if _, err := c.ws.NetConn().Write(bytes.Repeat(garbage, 2)); err != nil {
			t.Fatal(err)
		}
		_ = c.ws.NetConn().(*net.TCPConn).CloseWrite()
		until(t, "the end", func() bool { return h.io.Stats().Connections == 0 })
	}
	if st := h.sockets.Stats(); st.Ended[server.Internal] != 0 {
		t.Errorf("%+v", st)
	}
}
