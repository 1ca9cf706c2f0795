package socketio

import (
	"sync/atomic"

	"chatcast/server"
)

// webSocket is the Handler of a WebSocket, which is the transport of its conn from the
// beginning, or from the end of an upgrade.
type webSocket struct {
	c       *conn
	session *server.Session

	used  atomic.Bool // it is the transport
	tried bool        // the client has sent a probe; owned by the reader
	late  *deadline   // of the upgrade; nil: it is none
}

var _ server.BinaryHandler = (*webSocket)(nil)

// openWebSocket begins a conn.
func (c *conn) openWebSocket(s *server.Session) server.Handler {
	w := &webSocket{c: c, session: s}
	w.used.Store(true)
	c.out.ws.Store(s)
	c.began(transportWebSocket)
	s.Queue(c.openFrame())
	return w
}

// tryWebSocket begins the upgrade of a conn. One that has a WebSocket, or tries one, gets
// no other.
func (c *conn) tryWebSocket(s *server.Session) server.Handler {
	w := &webSocket{c: c, session: s}
	c.mu.Lock()
	may := !c.closed && c.trying == nil && !c.isWebSocket()
	if may {
		c.trying = w
	}
	c.mu.Unlock()
	if may {
		w.late = c.srv.upgrades.add(func() { s.Close(disconnect(notUpgraded)) })
	} else {
		s.Close(disconnect(sessionEnded))
	}
	return w
}

// Message implements server.Handler.
func (w *webSocket) Message(text []byte) {
	switch {
	case w.used.Load():
		w.c.packet(text)
	case !w.tried && string(text) == string(packetPing)+probe:
		w.tried = true
		w.c.out.hold()
		w.session.Queue(probePongFrame)
	case w.tried && string(text) == string(packetUpgrade) && w.upgrade():
	default:
		w.session.Close(disconnect(server.ProtocolError))
	}
}

// Binary implements server.BinaryHandler.
func (w *webSocket) Binary(data []byte) {
	if w.used.Load() {
		w.c.binary(data)
		return
	}
	w.session.Close(disconnect(server.ProtocolError))
}

// upgrade makes w the transport of its conn. No message of the session over HTTP is being
// handled meanwhile, and none is handled later.
func (w *webSocket) upgrade() bool {
	c := w.c
	c.in.Lock()
	defer c.in.Unlock()
	w.used.Store(true)
	if !c.out.move(w.session) {
		w.used.Store(false)
		return false
	}
	c.srv.upgrades.remove(w.late)
	c.mu.Lock()
	c.trying = nil
	c.mu.Unlock()
	c.srv.counters.upgraded()
	c.srv.opt.Log.Debug("socket upgraded", "socket", c.id)
	return true
}

// Idle implements server.Handler: see server.WebSocketRules.Pings.
func (w *webSocket) Idle() {
	if w.used.Load() {
		w.session.Queue(pingFrame)
	}
}

// Disconnect implements server.Handler.
func (w *webSocket) Disconnect(r server.Reason) server.Disconnect {
	if !w.used.Load() {
		return disconnect(r)
	}
	return w.c.disconnect(r)
}

// Closed implements server.Handler.
func (w *webSocket) Closed(r server.Reason) {
	if w.used.Load() {
		w.c.ended(r)
		return
	}
	w.c.srv.upgrades.remove(w.late)
	w.c.mu.Lock()
	mine := w.c.trying == w
	if mine {
		w.c.trying = nil
	}
	w.c.mu.Unlock()
	if mine {
		w.c.out.release()
	}
}

// Info implements server.Handler.
func (w *webSocket) Info() server.Info { return w.c.info() }
