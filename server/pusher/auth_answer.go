package pusher

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/server"
)

// answerTimeout bounds an answer, so that not all who ask are kept waiting by a database
// that does not answer.
const answerTimeout = time.Minute

// Trouble is why a database cannot serve for now.
type Trouble struct {
	Word       string // for the log
	Message    string // for the client
	RetryAfter int    // seconds
}

// answer authenticates first, so that a stranger learns nothing, not even that the
// request is malformed. The result of sign goes to the user as JSON, or to the
// callback of the form.
func (a *Authorizer) answer(c *gin.Context, what refusals.What, sign func(who Session) (answer any, form *authForm, err error)) {
	c.Header("Cache-Control", "no-store")
	request := c.Request.Context()
	ctx, cancel := context.WithTimeout(request, answerTimeout)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	var form *authForm
	who, err := a.authenticate(ctx, server.AccessToken(c.Request))
	if err == nil {
		var answer any
		if answer, form, err = sign(who); err == nil {
			if form.callback != "" {
				writeJSONP(c, form.callback, answer)
			} else {
				writeJSON(c, http.StatusOK, answer)
			}
			return
		}
	}
	var refusal *authError
	switch {
	case errors.As(err, &refusal):
		a.refused(c, what, who, form, refusal)
	case server.ClientGone(request):
		c.AbortWithStatus(server.StatusClientGone)
		return
	case request.Err() != nil:
		refusal = errGivenUp
	default:
		refusal = a.failed(c, err)
	}
	writeJSON(c, refusal.status, refusal)
}

// failed logs an error of the server, and returns what is told of it.
func (a *Authorizer) failed(c *gin.Context, err error) *authError {
	ctx := c.Request.Context()
	if a.Trouble != nil {
		if trouble := a.Trouble(err); trouble != nil {
			a.faults.Error(ctx, a.Log, "the database cannot serve requests", "trouble", trouble.Word, "error", err)
			c.Header("Retry-After", strconv.Itoa(trouble.RetryAfter))
			return &authError{status: http.StatusServiceUnavailable, code: server.CodeUnavailable, message: trouble.Message}
		}
	}
	a.Log.ErrorContext(ctx, "authorization failed", "path", c.FullPath(), "error", err)
	return &authError{status: http.StatusInternalServerError, code: server.InternalError.Code, message: server.InternalError.Message}
}

// authError is a refusal in the shape of the CRM API, with a "message" where Laravel's
// clients expect it.
type authError struct {
	status  int
	code    string
	message string
	fields  map[string]string
	reason  refusals.Reason // empty: BadRequest
}

// Refusals that are always the same. errDenied does not reveal whether the channel
// exists.
var (
	errNoToken    = &authError{status: http.StatusUnauthorized, code: server.CodeInvalidToken, message: "an access token is required in the Authorization header", reason: refusals.NoToken}
	errBadToken   = &authError{status: http.StatusForbidden, code: server.CodeInvalidToken, message: "the access token is invalid or has expired", reason: refusals.BadToken}
	errNoSocket   = &authError{status: http.StatusForbidden, code: server.CodeAccessDenied, message: "no connection has this socket_id", reason: refusals.NoSocket}
	errOtherOwner = &authError{status: http.StatusForbidden, code: server.CodeAccessDenied, message: "this connection belongs to another user", reason: refusals.OtherOwner}
	errNotNow     = &authError{status: http.StatusServiceUnavailable, code: server.CodeUnavailable, message: "the connection could not be looked up now, please try again", reason: refusals.Unavailable}
	errGivenUp    = &authError{status: http.StatusServiceUnavailable, code: server.CodeUnavailable, message: "the server stops; try again"}
	errDenied     = &authError{status: http.StatusForbidden, code: server.CodeAccessDenied, message: "no access to this channel", reason: refusals.Denied}
)

func (e *authError) Error() string { return "pusher: " + e.message }

// MarshalJSON implements json.Marshaler.
func (e *authError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		server.ErrorAnswer
		Message string `json:"message"`
	}{server.ErrorAnswer{Error: server.ErrorObject{Code: e.code, Message: e.message, Fields: e.fields}}, e.message})
}
