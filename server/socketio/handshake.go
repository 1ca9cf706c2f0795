package socketio

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"chatcast/channels/refusals"
	"chatcast/server"
)

// Transports, as clients name them.
const (
	transportPolling   = "polling"
	transportWebSocket = "websocket"
)

// handshakeError is the answer to a request that is not served.
type handshakeError struct {
	status  int
	retry   bool   // the client may come back soon
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Answers of Engine.IO.
var (
	errUnknownTransport = handshakeError{status: http.StatusBadRequest, Code: 0, Message: "Transport unknown"}
	errUnknownSession   = handshakeError{status: http.StatusBadRequest, Code: 1, Message: "Session ID unknown"}
	errBadMethod        = handshakeError{status: http.StatusBadRequest, Code: 2, Message: "Bad handshake method"}
	errBadRequest       = handshakeError{status: http.StatusBadRequest, Code: 3, Message: "Bad request"}
	errOtherVersion     = handshakeError{status: http.StatusBadRequest, Code: 5, Message: "Unsupported protocol version"}
	errBadOrigin        = handshakeError{status: http.StatusForbidden, Code: 4, Message: "The origin is not allowed"}

	errTooMany     = handshakeError{status: http.StatusServiceUnavailable, retry: true, Code: 4, Message: "Too many connections"}
	errStopping    = handshakeError{status: http.StatusServiceUnavailable, retry: true, Code: 4, Message: "The server stops"}
	errUnavailable = handshakeError{status: http.StatusServiceUnavailable, retry: true, Code: 4, Message: "The server cannot tell now who you are"}
)

// reason returns why the request was refused, if it may have been an attack.
func (e handshakeError) reason() (reason refusals.Reason, told bool) {
	switch {
	case e == errBadOrigin:
		return refusals.BadOrigin, true
	case e == errTooMany:
		return refusals.Full, true
	case e.status == http.StatusForbidden:
		return refusals.BadToken, true
	}
	return "", false
}

func (e handshakeError) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if e.retry {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(e.status)
	body, _ := json.Marshal(e) // numbers and strings always encode
	_, _ = w.Write(body)       // the refusal stands even if the client has left
}

// hello is what a client says about itself when it connects.
type hello struct {
	key         string // from query or header; "": none
	lastEventID string // from the query; "": none
	peer        netip.Addr
	forwarded   bool
	remote      string
	host        string
	origin      string
}

func helloOf(c *gin.Context) hello {
	query, h := c.Request.URL.Query(), c.Request.Header
	hi := hello{lastEventID: query.Get("lastEventId"), remote: server.ClientAddress(c), host: c.Request.Host, origin: h.Get("Origin")}
	for _, key := range [...]string{query.Get("apikey"), query.Get("apiKey"), query.Get("token"), h.Get("apikey"), h.Get("x-api-key")} {
		if hi.key == "" {
			hi.key = key
		}
	}
	if hi.key == "" {
		if scheme, token, ok := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " "); ok && strings.EqualFold(scheme, "bearer") {
			hi.key = strings.TrimSpace(token)
		}
	}
	if addr, err := netip.ParseAddrPort(c.Request.RemoteAddr); err == nil {
		hi.peer = addr.Addr().Unmap()
	}
	hi.forwarded = isForwarded(h)
	return hi
}

// isForwarded reports whether a header is one that proxies send.
func isForwarded(h http.Header) bool {
	for name := range h {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fly-Client-Ip", "Fastly-Client-Ip":
			return true
		}
		if strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Envoy-") {
			return true
		}
	}
	return false
}

// serve answers every request of the path.
func (s *Server) serve(c *gin.Context) {
	defer c.Abort()
	query := c.Request.URL.Query()
	transport, sid := query.Get("transport"), query.Get("sid")
	upgrade := websocket.IsWebSocketUpgrade(c.Request)
	switch {
	case transport != transportPolling && transport != transportWebSocket:
		s.refuse(c, errUnknownTransport)
	case sid != "":
		s.serveSession(c, transport, sid)
	case c.Request.Method != http.MethodGet:
		s.refuse(c, errBadMethod)
	case query.Get("EIO") != "4":
		s.refuse(c, errOtherVersion)
	case (transport == transportWebSocket) != upgrade:
		s.refuse(c, errBadRequest)
	default:
		s.begin(c, upgrade)
	}
}

func (s *Server) refuse(c *gin.Context, e handshakeError) {
	s.counters.refused(e.Message)
	if reason, told := e.reason(); told {
		s.opt.Refusals.Add(c.Request.Context(), refusals.Connection, reason, "route", c.FullPath(), "address", server.ClientAddress(c))
	}
	e.write(c.Writer)
}

// serveSession answers a request of a session that exists.
func (s *Server) serveSession(c *gin.Context, transport, sid string) {
	k := s.conn(sid)
	upgrade := websocket.IsWebSocketUpgrade(c.Request)
	switch {
	case transport == transportWebSocket && k == nil:
		s.refuse(c, errUnknownSession)
	case (transport == transportWebSocket) != upgrade:
		s.refuse(c, errBadRequest)
	case upgrade && !s.opt.Origins.Allow(server.ForeignOrigin(c)):
		s.refuse(c, errBadOrigin)
	case upgrade:
		_ = s.opt.Sockets.AcceptWith(c.Writer, c.Request, server.ClientAddress(c), s.rules, k.tryWebSocket) // it has answered
	case k != nil && k.isWebSocket():
		s.refuse(c, errBadRequest)
	case c.Request.Method == http.MethodGet:
		s.overHTTP.Receive(c.Writer, c.Request, server.ReceiveRequest{Session: sid, Remote: server.ClientAddress(c)}, nil)
	case c.Request.Method == http.MethodPost:
		s.overHTTP.Send(c.Writer, c.Request, sid)
	default:
		s.refuse(c, errBadRequest)
	}
}

// begin makes a request a connection.
func (s *Server) begin(c *gin.Context, upgrade bool) {
	hi := helloOf(c)
	if refused := s.admit(c, hi); refused != nil {
		s.refuse(c, *refused)
		return
	}
	k := newConn(s, hi)
	if !s.add(k) {
		s.refuse(c, errTooMany)
		return
	}
	if !upgrade {
		by := server.ReceiveRequest{Session: k.sid, Remote: hi.remote}
		s.overHTTP.Receive(c.Writer, c.Request, by, k.openHTTP)
	} else {
		_ = s.opt.Sockets.AcceptWith(c.Writer, c.Request, hi.remote, s.rules, k.openWebSocket) // it has answered
	}
	if !k.opened.Load() { // the server stops, or the handshake failed
		s.remove(k)
		k.upper.Closed()
	}
}

// admit returns why a request may not become a connection; nil: it may.
func (s *Server) admit(c *gin.Context, hi hello) *handshakeError {
	switch {
	case s.opt.Sockets.IsStopping():
		return &errStopping
	case !s.opt.Origins.Allow(server.ForeignOrigin(c)):
		return &errBadOrigin
	case s.full() || !s.opt.Sockets.HasRoom(hi.remote):
		return &errTooMany
	case hi.key == "":
		return nil
	}
	return s.checkKey(c, hi.key)
}
