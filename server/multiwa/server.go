package multiwa

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// What the protocol promises.
const (
	maxMessage  = 64 << 10 // bytes of a message from a client
	maxProfiles = 100      // of a socket
	maxChannels = 2 * maxProfiles
)

// rules are what the protocol promises of its sockets: they are pinged every 30 s, and dead
// after 60.
var rules = &server.WebSocketRules{MessageBytes: maxMessage, PingEvery: 30 * time.Second, PongTimeout: 30 * time.Second}

// Options of a Server. A zero limit means the default in brackets.
type Options struct {
	CRM      *crm.Service
	Lines    Lines
	Policy   channels.Policy
	Engine   *broadcasting.Engine
	App      string // the id of the app that has the CRM's channels
	Sockets  *server.Server
	Origins  apps.Origins // of browsers
	Refusals *refusals.Log
	Log      *slog.Logger

	MessagesPerSecond int // read from one socket, when it has sent more than MessageBurst [200]
	MessageBurst      int // read from one socket at once [1000]
	SocketsPerKey     int // on this node [1000]
}

// Server serves the sockets. It is safe for concurrent use.
type Server struct {
	// static
	opt    Options
	events *renderer
	faults server.FaultLog

	mu   sync.Mutex
	open map[int64]int // sockets by key; guarded by mu
}

// New returns a Server; its sockets live as long as o.Sockets runs.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for n, d := range map[*int]int{&o.MessagesPerSecond: 200, &o.MessageBurst: 1000, &o.SocketsPerKey: 1000} {
		if *n <= 0 {
			*n = d
		}
	}
	return &Server{opt: o, events: &renderer{lines: o.Lines, now: time.Now, log: o.Log}, open: map[int64]int{}}
}

// Register adds the routes of the sockets to r.
func (s *Server) Register(r gin.IRouter) { r.GET("/ws", s.connect) }

// keyOf returns the key of a request for a socket. Browsers cannot set headers.
func keyOf(c *gin.Context) string {
	for _, text := range [...]string{keyInHeader(c), c.Query("apiKey"), c.Query("token")} {
		if text != "" {
			return text
		}
	}
	return ""
}

// keyInHeader returns the key in a request's headers. An Authorization of another scheme is
// that of a proxy.
func keyInHeader(c *gin.Context) string {
	if text := c.GetHeader("x-api-key"); text != "" {
		return text
	}
	scheme, text, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(text)
}

// connect makes a request a socket. What it refuses it answers before the upgrade.
func (s *Server) connect(c *gin.Context) {
	if !websocket.IsWebSocketUpgrade(c.Request) {
		c.Header("Upgrade", "websocket")
		c.Header("Connection", "Upgrade")
		refuse(c, http.StatusUpgradeRequired, "UPGRADE_REQUIRED", "This is the address of a WebSocket, and the request does not ask for one")
		return
	}
	ctx := c.Request.Context()
	text := keyOf(c)
	actor, key, err := s.opt.CRM.AuthenticateKey(ctx, text)
	if err != nil {
		s.refuseKey(c, err)
		return
	}
	if origin := server.ForeignOrigin(c); !s.opt.Origins.Allow(origin) {
		s.opt.Refusals.Add(ctx, refusals.Connection, refusals.BadOrigin, "origin", shortened(origin), "address", server.ClientAddress(c))
		refuse(c, http.StatusForbidden, "FORBIDDEN", "This origin may not connect")
		return
	}
	if !s.enter(key.ID) {
		s.opt.Refusals.Add(ctx, refusals.Connection, refusals.Full, "key", key.ID, "address", server.ClientAddress(c))
		c.Header("Retry-After", "10")
		refuse(c, http.StatusTooManyRequests, "TOO_MANY_CONNECTIONS", "Too many connections with this API key")
		return
	}
	err = s.opt.Sockets.AcceptWith(c.Writer, c.Request, server.ClientAddress(c), rules, func(session *server.Session) server.Handler {
		return s.opened(ctx, session, actor, key, text)
	})
	if err != nil {
		s.leave(key.ID) // no handler was opened, so none will be closed
	}
	c.Abort() // Accept has answered
}

// opened makes the handler of a new socket and greets it. The key is looked at once more
// when the socket is known as its holder's: a revocation before that did not find it.
func (s *Server) opened(ctx context.Context, session transport, actor crm.Actor, key *crm.KeyData, text string) *socket {
	k := &socket{
		srv: s, session: session, out: &outlet{transport: session}, actor: actor, key: key, profiles: map[string]crm.Line{},
		inbound: newPace(s.opt.MessagesPerSecond, s.opt.MessageBurst),
	}
	for k.conn == nil { // an id will hardly ever be taken, but the check costs nothing
		k.id = newID()
		k.conn, _ = s.opt.Engine.Connect(broadcasting.Peer{
			App: s.opt.App, ID: k.id, Dialect: dialect{of: s.events}, Out: k.out,
			Disconnect: func(c broadcasting.DisconnectCause) {
				if c == broadcasting.CutOff {
					session.Close(closeCutOff.disconnect())
					return
				}
				session.Close(closeRevoked.disconnect())
			},
		})
	}
	_, err := s.opt.Engine.Identify(ctx, s.opt.App, k.id, k.owner())
	if err == nil {
		_, _, err = s.opt.CRM.AuthenticateKey(ctx, text)
	}
	switch {
	case isKeyError(err):
		session.Close(closeRevoked.disconnect())
	case err != nil:
		s.opt.Log.ErrorContext(ctx, "a socket could not be opened", "error", err)
		session.Close(closeTrouble.disconnect())
	default:
		session.Queue(frame(message{Type: "ack", Payload: greeting{"Connected to MultiWA WebSocket API", k.id, iso(time.Now())}}))
		s.opt.Log.Debug("socket opened", "socket", k.id, "key", key.ID, "remote", session.Remote())
	}
	return k
}

// newID returns a random id of a socket.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return "c_" + hex.EncodeToString(b[:])
}

// enter counts a socket of a key, and reports whether it may have one more.
func (s *Server) enter(key int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[key] >= s.opt.SocketsPerKey {
		return false
	}
	s.open[key]++
	return true
}

// leave undoes enter.
func (s *Server) leave(key int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[key]--; s.open[key] == 0 {
		delete(s.open, key)
	}
}

// isKeyError reports whether there is no such key.
func isKeyError(err error) bool {
	var e *crm.Error
	return errors.As(err, &e) && (e.Code == crm.CodeNoToken || e.Code == crm.CodeBadToken)
}

// refuseKey answers a request for a socket without a valid key.
func (s *Server) refuseKey(c *gin.Context, err error) {
	ctx := c.Request.Context()
	if isKeyError(err) {
		reason := refusals.BadToken
		if keyOf(c) == "" {
			reason = refusals.NoToken
		}
		s.opt.Refusals.Add(ctx, refusals.Connection, reason, "address", server.ClientAddress(c))
		refuse(c, http.StatusUnauthorized, "UNAUTHORIZED", "Invalid API key")
		return
	}
	if server.ClientGone(ctx) {
		c.AbortWithStatus(server.StatusClientGone)
		return
	}
	s.faults.Error(ctx, s.opt.Log, "an API key could not be looked up", "error", err)
	c.Header("Retry-After", "5")
	refuse(c, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "The server cannot check the API key now")
}

// refuse answers a request for a socket that does not become one.
func refuse(c *gin.Context, status int, code, text string) {
	c.Header("Cache-Control", "no-store")
	writeJSON(c, status, struct {
		Success bool      `json:"success"`
		Error   errorBody `json:"error"`
	}{Error: errorBody{code, text}})
}

// errorBody is the error of an answer.
type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// writeJSON answers with v and ends the request.
func writeJSON(c *gin.Context, status int, v any) {
	text, err := encode(v)
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	server.WriteJSON(c, status, text)
	c.Abort()
}
