package evolution

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// refusal is an error in Evolution's words.
type refusal struct {
	status     int
	message    any // mostly a list of texts
	retryAfter int // seconds; 0: not said
	flat       bool
	whole      any // the whole body; nil: built from the others
}

func (r *refusal) Error() string { return "evolution: " + http.StatusText(r.status) }

// unauthorized is the only error whose message is a text.
var unauthorized = &refusal{status: http.StatusUnauthorized, message: "Unauthorized"}

func bad(texts ...string) *refusal { return &refusal{status: http.StatusBadRequest, message: texts} }
func absent(texts ...string) *refusal {
	return &refusal{status: http.StatusNotFound, message: texts}
}
func failed(texts ...string) *refusal {
	return &refusal{status: http.StatusInternalServerError, message: texts}
}

// notOffered refuses a route that this server does not have.
func notOffered(what string) *refusal {
	return &refusal{status: http.StatusNotImplemented, message: []string{"not supported by this server: " + what}}
}

// hasCode reports whether err is an error of the rules with the code.
func hasCode(err error, code crm.Code) bool {
	var e *crm.Error
	return errors.As(err, &e) && e.Code == code
}

// keyReason returns why a key was refused, or "" when the error is another.
func keyReason(err error) refusals.Reason {
	switch {
	case hasCode(err, crm.CodeNoToken):
		return refusals.NoToken
	case hasCode(err, crm.CodeBadToken):
		return refusals.BadToken
	}
	return ""
}

// refusalOf translates an error of the rules.
func refusalOf(e *crm.Error) *refusal {
	texts := []string{e.Message}
	switch e.Code {
	case crm.CodeNoToken, crm.CodeBadToken:
		return unauthorized
	case crm.CodeDenied:
		return &refusal{status: http.StatusForbidden, message: texts}
	case crm.CodeNotFound:
		return &refusal{status: http.StatusNotFound, message: texts}
	case crm.CodeTooLarge:
		return &refusal{status: http.StatusRequestEntityTooLarge, message: texts}
	case crm.CodeThrottled:
		return &refusal{status: http.StatusTooManyRequests, message: []string{"rate limit"}, retryAfter: e.RetryAfter}
	case crm.CodeUnavailable:
		if e.RetryAfter > 0 { // the database, or too many requests
			return &refusal{status: http.StatusServiceUnavailable, message: texts, retryAfter: e.RetryAfter}
		}
		return bad("Error: " + e.Message) // the messenger
	}
	return bad(e.Message)
}

// fail answers with an error. One that is neither a refusal nor of the rules says nothing of
// itself, and is logged.
func (e *Evolution) fail(c *gin.Context, err error) {
	var r *refusal
	var of *crm.Error
	ctx := c.Request.Context()
	switch {
	case errors.As(err, &r):
	case errors.As(err, &of):
		r = refusalOf(of)
	case errors.As(context.Cause(ctx), &of):
		r = refusalOf(of)
	case server.ClientGone(ctx):
		c.AbortWithStatus(server.StatusClientGone)
		return
	default:
		r = e.internal(c, err)
	}
	if r.retryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(r.retryAfter))
	}
	c.Abort()
	writeJSON(c, r.status, r.wire())
}

// internal returns the answer to an error inside the server.
func (e *Evolution) internal(c *gin.Context, err error) *refusal {
	ctx := c.Request.Context()
	if of, trouble := crm.TroubleError(err); of != nil {
		e.faults.Error(ctx, e.Log, "the database cannot serve requests", "trouble", trouble, "error", err)
		return refusalOf(of)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &refusal{status: http.StatusServiceUnavailable, message: []string{"the request took too long; try again"}}
	}
	e.Log.ErrorContext(ctx, "request failed", "method", c.Request.Method, "route", c.FullPath(), "error", err)
	return &refusal{status: http.StatusInternalServerError, message: "internal error"}
}

type errorResponse struct {
	Message any `json:"message"`
}

// wire returns the body.
func (r *refusal) wire() any {
	if r.whole != nil {
		return r.whole
	}
	if r.flat {
		return struct {
			Status  int    `json:"status"`
			Error   string `json:"error"`
			Message any    `json:"message"`
		}{r.status, http.StatusText(r.status), r.message}
	}
	return struct {
		Status   int           `json:"status"`
		Error    string        `json:"error"`
		Response errorResponse `json:"response"`
	}{r.status, http.StatusText(r.status), errorResponse{r.message}}
}

// writeJSON writes an answer as JavaScript would: <, > and & stay as they are.
func writeJSON(c *gin.Context, status int, body any) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err) // a type of ours that JSON has no form for
	}
	text := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	c.Header("Cache-Control", "no-store")
	server.WriteJSON(c, status, text)
}

// blames reports whether err is an error of the rules about a field.
func blames(err error, field string) bool {
	var e *crm.Error
	return errors.As(err, &e) && e.Code == crm.CodeInvalid && e.Fields[field] != ""
}
