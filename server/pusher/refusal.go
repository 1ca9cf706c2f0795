package pusher

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/server"
)

// What was refused is counted and logged here. Signatures, secrets and tokens are never
// among the attributes, and what clients send is shortened.

// refused notes a refusal of /broadcasting/auth or /broadcasting/user-auth. form is nil
// when it could not be read.
func (a *Authorizer) refused(c *gin.Context, what refusals.What, who Session, form *authForm, refusal *authError) {
	reason := refusal.reason
	if reason == "" {
		reason = refusals.BadRequest
	}
	attrs := []any{"address", server.ClientAddress(c)}
	if who.UserID != 0 {
		attrs = append(attrs, "user", who.UserID)
	}
	if form != nil {
		attrs = append(attrs, "socket", form.socketID)
		if form.channel.Full != "" {
			attrs = append(attrs, "channel", form.channel.Full)
		}
	}
	if reason == refusals.BadRequest {
		attrs = append(attrs, "detail", shortened(refusal.message))
	}
	a.Refusals.Add(c.Request.Context(), what, reason, attrs...)
}

// refused notes a refusal of the HTTP API.
func (h *HTTPAPI) refused(c *gin.Context, what refusals.What, apiErr *apiError) {
	h.Refusals.Add(c.Request.Context(), what, apiErr.why(), "app", shortened(c.Param("id")), "route", c.FullPath(),
		"detail", shortened(apiErr.Message), "address", server.ClientAddress(c))
}

// why returns the reason of the error for the log and the metrics.
func (e *apiError) why() refusals.Reason {
	switch e.Status {
	case http.StatusUnauthorized:
		return refusals.BadSignature
	case http.StatusForbidden:
		if e == errAppDisabled {
			return refusals.Disabled
		}
		return refusals.Denied
	case http.StatusRequestEntityTooLarge:
		return refusals.TooLarge
	case http.StatusTooManyRequests:
		return refusals.Throttled
	case http.StatusServiceUnavailable:
		return refusals.Unavailable
	}
	return refusals.BadRequest
}

// refused notes that something was refused to the socket. channel may be empty.
func (k *socket) refused(what refusals.What, reason refusals.Reason, channel string) {
	attrs := []any{"socket", k.id, "app", k.app().ID, "address", k.session.Remote()}
	if user := k.conn.User(); user != "" {
		attrs = append(attrs, "user", user)
	}
	if channel != "" {
		attrs = append(attrs, "channel", shortened(channel))
	}
	k.srv.opt.Refusals.Add(context.Background(), what, reason, attrs...)
}

// connectionReasons are the reasons of the codes with which connections are refused.
var connectionReasons = map[server.Reason]refusals.Reason{
	codeUnknownApp.word: refusals.UnknownApp, codeAppDisabled.word: refusals.Disabled, codeAppFull.word: refusals.Full,
	codeBadOrigin.word: refusals.BadOrigin,
}

// refuse tells a socket why it is refused. origin is that of its page.
func (s *Server) refuse(session transport, refusal code, origin string) server.Handler {
	if refusal == codeStopping { // that is nobody's fault
		session.Close(refusal.disconnect())
		return refused{}
	}
	reason, listed := connectionReasons[refusal.word]
	if !listed { // a path or a version that there is not
		reason = refusals.BadRequest
	}
	s.opt.Refusals.Add(context.Background(), refusals.Connection, reason,
		"detail", refusal.sentence, "origin", shortened(origin), "address", session.Remote())
	s.opt.Log.Debug("socket refused", "reason", string(refusal.word), "remote", session.Remote())
	session.Close(refusal.disconnect())
	return refused{}
}
