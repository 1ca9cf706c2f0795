package socketio

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

// Paths are those that Register adds.
var Paths = []string{"/socket.io", "/whatsapp/socket.io"}

// Register adds the routes of the sockets to r.
func (s *Server) Register(r gin.IRouter) {
	for _, path := range Paths {
		s.register(r, path)
		s.register(r, path+"/")
	}
}

func (s *Server) register(r gin.IRouter, path string) {
	r.GET(path, server.RefuseHead, s.serve)
	for _, method := range [...]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		r.Handle(method, path, s.serve)
	}
	r.OPTIONS(path, func(c *gin.Context) { c.AbortWithStatus(http.StatusNoContent) })
}

// checkKey asks Rooms about the key of a handshake. A client whose key has too many namespaces is asked
// to come back at once: it would be closed when it enters one.
func (s *Server) checkKey(c *gin.Context, key string) *handshakeError {
	ctx, cancel := context.WithTimeout(c.Request.Context(), s.opt.AskTimeout)
	defer cancel()
	userID, err := s.opt.Rooms.CheckKey(ctx, key)
	var refusal *Refusal
	switch {
	case err == nil && s.keyFull(userID):
		return &errTooMany
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return &handshakeError{status: http.StatusForbidden, Code: 4, Message: refusal.Message}
	}
	s.unavailable(ctx, "a key", err)
	return &errUnavailable
}
