package socketio

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/server"
)

// upper gets the messages of a conn, one at a time, and what it gets may be used only
// during the call.
type upper interface {
	Text(text []byte)
	Binary(data []byte)
	// Ending is called, perhaps several times, when the transport begins to end, while a
	// message may be being handled. It must neither block nor lock.
	Ending()
	// Closed is called once, after the last message.
	Closed()
	// About describes the conn for /debug/connz; it may be called at any time.
	About() (user string, namespaces int)
}

// conn is an Engine.IO session.
type conn struct {
	// static
	srv   *Server
	sid   string // the client's proof that a request is of this session: a secret
	id    string // for the log
	hello hello
	upper upper

	out link

	in   sync.Mutex
	pace bucket // of packets; guarded by in

	mu     sync.Mutex
	trying *webSocket // an upgrade that is not finished; nil: none; guarded by mu

	opened atomic.Bool // it has a transport, which will tell when it has ended
	over   bool        // it has ended: what comes is dropped; guarded by in
	closed bool        // it takes no other transport; guarded by mu
}

// newConn returns a conn without a transport.
func newConn(s *Server, hi hello) *conn {
	c := &conn{srv: s, sid: randomName(15), id: randomID(), hello: hi}
	c.upper = s.upper(c)
	return c
}

// randomName returns a name that nobody can guess, of n random bytes.
func randomName(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return "io-" + hex.EncodeToString(b[:])
}

// openFrame tells the client its session, and what it may do.
func (c *conn) openFrame(upgrades ...string) []byte {
	o := c.srv.opt
	every, within := o.Sockets.Pings()
	every, within = cmp.Or(o.PingInterval, every), cmp.Or(o.PingTimeout, within)
	body, _ := json.Marshal(struct { // strings and numbers always encode
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{c.sid, append([]string{}, upgrades...), every.Milliseconds(), within.Milliseconds(), o.MaxPayload})
	return textFrame(string(packetOpen) + string(body))
}

// began notes that c has a transport.
func (c *conn) began(transport string) {
	c.opened.Store(true)
	c.srv.counters.began()
	c.srv.opt.Log.Debug("socket opened", "socket", c.id, "transport", transport, "remote", c.hello.remote)
}

// packet handles a packet of either transport.
func (c *conn) packet(p []byte) {
	c.in.Lock()
	defer c.in.Unlock()
	if !c.takes() {
		return
	}
	switch {
	case len(p) == 0:
		c.close(server.ProtocolError)
	case p[0] == packetMessage:
		c.upper.Text(p[1:])
	case p[0] == packetClose:
		c.close(server.PeerClosed)
	case p[0] != packetPong: // a pong is only a sign of life, as every byte is
		c.close(server.ProtocolError)
	}
}

// binary handles the content of a binary message of either transport.
func (c *conn) binary(data []byte) {
	c.in.Lock()
	defer c.in.Unlock()
	if c.takes() {
		c.upper.Binary(data)
	}
}

// takes reports whether one more packet is handled. It needs in.
func (c *conn) takes() bool {
	if c.over {
		return false
	}
	if !c.pace.take(time.Since(c.srv.began), c.srv.opt.PacketsPerSecond, c.srv.opt.PacketBurst) {
		c.close(server.Flood)
		return false
	}
	return true
}

// close ends the transport.
func (c *conn) close(r server.Reason) {
	c.upper.Ending()
	c.out.close(disconnect(r))
}

// disconnect returns how the transport ends that c has. The server asks just before it ends it.
func (c *conn) disconnect(r server.Reason) server.Disconnect {
	c.upper.Ending()
	return disconnect(r)
}

// failed ends c, because a handler of its events has panicked.
func (c *conn) failed(p any, stack string) {
	c.srv.opt.Log.Error("a handler of an event panicked", "socket", c.id, "panic", p, "stack", stack)
	c.close(server.Internal)
}

// isWebSocket reports whether the transport is one.
func (c *conn) isWebSocket() bool { return c.out.ws.Load() != nil }

// ended is called when the transport has ended.
func (c *conn) ended(r server.Reason) {
	c.mu.Lock()
	trying := c.trying
	c.closed = true
	c.mu.Unlock()
	if trying != nil {
		trying.session.Close(disconnect(sessionEnded))
	}
	level := slog.LevelDebug
	if r == server.SlowConsumer || r == server.Flood {
		level = slog.LevelWarn
	}
	user, _ := c.upper.About()
	c.srv.opt.Log.Log(background, level, "socket closed", "socket", c.id, "reason", string(r), "user", user, "remote", c.hello.remote)
	c.srv.remove(c)
	c.upper.Ending()
	c.in.Lock()
	c.over = true
	c.in.Unlock()
	c.upper.Closed()
	c.srv.counters.ended()
}

// info describes c for /debug/connz.
func (c *conn) info() server.Info {
	user, namespaces := c.upper.About()
	return server.Info{ID: c.id, App: c.srv.opt.App, User: user, Channels: namespaces}
}

// polling is the Handler of a conn's session over HTTP.
type polling struct{ c *conn }

var _ server.Handler = polling{}

func (c *conn) openHTTP(s *server.HTTPSession) server.Handler {
	c.out.http = s
	c.began(transportPolling)
	s.Queue(c.openFrame(transportWebSocket))
	return polling{c}
}

// Message implements server.Handler.
func (p polling) Message(text []byte) {
	if text[0] != binaryPacket {
		p.c.packet(text)
		return
	}
	if data, err := decodeBinary(text); err == nil { // packets.Decode has looked
		p.c.binary(data)
	}
}

// Idle implements server.Handler. The codec sends the pings.
func (polling) Idle() {}

// Disconnect implements server.Handler.
func (p polling) Disconnect(r server.Reason) server.Disconnect {
	if p.c.isWebSocket() { // the client goes on with it
		return disconnect(r)
	}
	return p.c.disconnect(r)
}

// Closed implements server.Handler. It is not called when the client goes on with a
// WebSocket.
func (p polling) Closed(r server.Reason) { p.c.ended(r) }

// Info implements server.Handler.
func (p polling) Info() server.Info { return p.c.info() }
