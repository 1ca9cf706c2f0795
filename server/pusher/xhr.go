package pusher

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting/apps"
	"chatcast/server"
)

// The fallback transports xhr_streaming and xhr_polling of pusher-js, for clients
// behind proxies that block WebSockets. server.HTTPSessions and server.SockJS document
// how they work; this file has their paths and admission.
//
// The client chooses the session: SERVER, up to three digits, and SESSION, eight random
// characters. With the app's key they are its name. It is not bound to the client's
// address, because clients that need it are behind proxies, which may send each request
// from another address. An eavesdropper must guess more than 40 bits, and is refused
// while the client itself is connected.

// xhrPaths are the default of pusher-js (httpPath), and the path that is left when a
// proxy removes that prefix.
var xhrPaths = []string{"/pusher/app/:key/:server/:session", "/app/:key/:server/:session"}

func (s *Server) registerXHR(r gin.IRouter) {
	for _, path := range xhrPaths {
		r.POST(path+"/xhr_streaming", func(c *gin.Context) { s.receiveXHR(c, true) })
		r.POST(path+"/xhr", func(c *gin.Context) { s.receiveXHR(c, false) })
		r.POST(path+"/xhr_send", s.sendXHR)
	}
}

// xhrName returns the name of the session that c is about, "" if it cannot be one.
func xhrName(c *gin.Context) string {
	key, node, session := c.Param("key"), c.Param("server"), c.Param("session")
	const guessable = 8 // shorter names are guessable
	if !apps.ValidID(key) || !apps.ValidID(node) || !apps.ValidID(session) || len(session) < guessable {
		return ""
	}
	return key + "/" + node + "/" + session
}

func (s *Server) receiveXHR(c *gin.Context, streaming bool) {
	defer c.Abort() // the server has answered
	by := server.ReceiveRequest{Session: xhrName(c), Remote: server.ClientAddress(c), Streaming: streaming}
	if by.Session == "" {
		unknownXHR(c)
		return
	}
	t := s.opt.Apps.stateOf(c.Param("key"))
	refusal := s.admit(c, t)
	if refusal.number != 0 && refusal != codeStopping { // a session that ends still has to tell its client
		by.Session = "" // a refused client neither finds a session nor leaves one behind
	}
	s.overHTTP.Receive(c.Writer, c.Request, by, func(session *server.HTTPSession) server.Handler {
		if refusal.number == 0 && !t.enter() {
			refusal = codeAppFull
		}
		if refusal.number != 0 {
			return s.refuse(session, refusal, c.GetHeader("Origin"))
		}
		return s.open(session, t, server.ForeignOrigin(c))
	})
}

func (s *Server) sendXHR(c *gin.Context) {
	defer c.Abort()
	name := xhrName(c)
	if name == "" {
		unknownXHR(c)
		return
	}
	s.overHTTP.Send(c.Writer, c.Request, name)
}

func unknownXHR(c *gin.Context) {
	http.Error(c.Writer, "a session is named by digits and at least 8 letters or digits", http.StatusNotFound)
}
