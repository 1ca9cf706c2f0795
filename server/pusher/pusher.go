package pusher

import (
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/refusals"
	"chatcast/server"
)

// Options of a Server. A zero limit means the default in brackets.
type Options struct {
	Apps    *Apps
	Engine  *broadcasting.Engine
	Sockets *server.Server
	Origins apps.Origins // of browsers, for every app; each app has its own as well
	Log     *slog.Logger

	MessagesPerSecond int // read from one socket, when it has sent more than MessageBurst [200]; see SetMessageRate
	MessageBurst      int // read from one socket at once [1000]

	Refusals *refusals.Log // may be nil
	History  History       // nil: none

	ProveWithin time.Duration // for a socket to prove a user, in apps with UserAuthentication [30 s]
}

// Server owns the sockets that speak Pusher. It is safe for concurrent use.
type Server struct {
	// static
	opt           Options
	authDeadlines *authDeadlines
	overHTTP      *server.HTTPSessions
	rate          atomic.Pointer[messageRate]
	plain         plainGets
	faults        server.FaultLog // of the bus, which clients meet
}

// New returns a Server; its sockets live as long as o.Sockets runs.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ProveWithin <= 0 {
		o.ProveWithin = 30 * time.Second
	}
	s := &Server{
		opt: o, authDeadlines: newAuthDeadlines(o.ProveWithin),
		overHTTP: server.NewHTTPSessions(o.Sockets, server.SockJS{}),
	}
	s.SetMessageRate(o.MessagesPerSecond, o.MessageBurst)
	return s
}

// messageRate is how many messages one socket may send.
type messageRate struct{ perSecond, burst int }

// SetMessageRate replaces MessagesPerSecond and MessageBurst, for all sockets.
func (s *Server) SetMessageRate(perSecond, burst int) {
	rate := messageRate{perSecond, burst}
	if rate.perSecond <= 0 {
		rate.perSecond = 200
	}
	if rate.burst <= 0 {
		rate.burst = 1000
	}
	s.rate.Store(&rate)
}

// Register adds the routes of the sockets to r.
func (s *Server) Register(r gin.IRouter) {
	r.GET("/app/:key", s.connect)
	s.registerXHR(r)
}

// NotFound answers a WebSocket on an unknown path as the protocol does, and reports
// whether the request was one. Call it in the router's NoRoute.
func (s *Server) NotFound(c *gin.Context) bool {
	if !websocket.IsWebSocketUpgrade(c.Request) {
		return false
	}
	s.accept(c, nil, codeUnknownPath)
	return true
}

func (s *Server) connect(c *gin.Context) {
	if !websocket.IsWebSocketUpgrade(c.Request) {
		s.explain(c)
		return
	}
	t := s.opt.Apps.stateOf(c.Param("key"))
	refusal := s.admit(c, t)
	if refusal.number == 0 && !t.enter() {
		refusal = codeAppFull
	}
	s.accept(c, t, refusal)
}

// admit returns why the request may not become a socket; the zero code means that it
// may.
func (s *Server) admit(c *gin.Context, t *appState) code {
	if s.opt.Sockets.IsStopping() {
		return codeStopping
	}
	if refusal := checkVersion(c.Request); refusal.number != 0 {
		return refusal
	}
	if t == nil {
		return codeUnknownApp
	}
	origin := server.ForeignOrigin(c)
	if refusal := t.refuses(origin); refusal.number != 0 {
		return refusal
	}
	if !s.opt.Origins.Allow(origin) {
		return codeBadOrigin
	}
	return code{}
}

// checkVersion accepts 5, 6 and 7. Older versions know fewer close codes and no
// activity_timeout, and neither does any harm.
func checkVersion(r *http.Request) code {
	text := r.URL.Query().Get("protocol")
	version, err := strconv.Atoi(text)
	switch {
	case text == "":
		return codeNoVersion
	case err != nil:
		return codeBadVersion
	case version < 5 || version > 7:
		return codeOtherVersion
	}
	return code{}
}

// accept makes the request a socket. It does so even for a refusal, because a page
// cannot read one from an HTTP response.
func (s *Server) accept(c *gin.Context, t *appState, refusal code) {
	err := s.opt.Sockets.Accept(c.Writer, c.Request, server.ClientAddress(c), func(session *server.Session) server.Handler {
		if refusal.number != 0 {
			return s.refuse(session, refusal, c.GetHeader("Origin"))
		}
		return s.open(session, t, server.ForeignOrigin(c))
	})
	if err != nil && refusal.number == 0 {
		t.leave() // no handler was opened, so none will be closed
	}
	c.Abort() // Accept has answered
}

// open greets a socket of a page of this origin: see server.ForeignOrigin.
func (s *Server) open(session transport, t *appState, origin string) server.Handler {
	k := &socket{srv: s, state: t, session: session, origin: origin}
	app := k.app()
	k.limit(s.rate.Load())
	k.events = newBucket(app.Limits.ClientEventsPerSecond, app.Limits.ClientEventsPerSecond)
	for k.conn == nil { // an id will hardly ever be taken, but the check costs nothing
		k.id = newSocketID()
		k.conn, _ = s.opt.Engine.Connect(broadcasting.Peer{
			App: app.ID, ID: k.id, Dialect: dialect{}, Out: session,
			Disconnect: func(c broadcasting.DisconnectCause) {
				switch c {
				case broadcasting.Terminated:
					session.Close(codeTerminated.disconnect())
				case broadcasting.CutOff:
					session.Close(codeCutOff.disconnect())
				default:
					session.Close(codeAccessEnded.disconnect())
				}
			},
			Replayed:      func() { k.Idle() },
			CountsEnabled: func() bool { return k.app().SubscriptionCount },
		})
	}
	if app.UserAuthentication {
		k.pendingAuth = k.srv.authDeadlines.add(func() { session.Close(codeAuthTimeout.disconnect()) })
	}
	session.Queue(establishedFrame(k.id, int(s.opt.Sockets.ActivityTimeout()/time.Second)))
	s.opt.Log.Debug("socket opened", "socket", k.id, "app", app.ID, "remote", session.Remote())
	t.join(k)
	return k
}

// newSocketID returns a random id, because anybody who knows a socket's id can have
// signatures made for it.
func newSocketID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	const digits = 1e15
	id := strconv.AppendUint(make([]byte, 0, 32), binary.LittleEndian.Uint64(b[:8])%digits, 10)
	id = append(id, '.')
	return string(strconv.AppendUint(id, binary.LittleEndian.Uint64(b[8:])%digits, 10))
}

// refused is the handler of a socket that is only told why it is refused.
type refused struct{}

var _ server.Handler = refused{}

func (refused) Message([]byte)                             {}
func (refused) Idle()                                      {}
func (refused) Disconnect(server.Reason) server.Disconnect { return server.Disconnect{} }
func (refused) Closed(server.Reason)                       {}
func (refused) Info() server.Info                          { return server.Info{ID: "refused"} }

// shortened makes a client's text short enough to be sent back to it.
func shortened(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
