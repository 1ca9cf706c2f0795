package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// statuses maps the codes of crm to HTTP statuses and ChatApp's error codes.
var statuses = map[crm.Code]struct {
	status int
	code   string
}{
	crm.CodeInvalid:     {http.StatusUnprocessableEntity, server.CodeValidation},
	crm.CodeNoToken:     {http.StatusUnauthorized, server.CodeInvalidToken},
	crm.CodeBadToken:    {http.StatusForbidden, server.CodeInvalidToken},
	crm.CodeDenied:      {http.StatusForbidden, server.CodeAccessDenied},
	crm.CodeNotFound:    {http.StatusNotFound, "ApiNotFoundError"},
	crm.CodeConflict:    {http.StatusConflict, "ApiConflictError"},
	crm.CodeTooLarge:    {http.StatusRequestEntityTooLarge, server.CodeTooLarge},
	crm.CodeThrottled:   {http.StatusTooManyRequests, "ApiTooManyRequestsError"},
	crm.CodeUnavailable: {http.StatusServiceUnavailable, "ApiUnavailableError"},
}

type answer struct {
	Success bool                `json:"success"`
	Data    any                 `json:"data,omitempty"`
	Error   *server.ErrorObject `json:"error,omitempty"`
}

// fail answers with err. An error that is not of crm is answered as "internal" and
// logged, unless the request has ended meanwhile: then the cause is the answer, because
// err only follows from it.
func (a *API) fail(c *gin.Context, err error) {
	var e *crm.Error
	if ctx := c.Request.Context(); !errors.As(err, &e) && !errors.As(context.Cause(ctx), &e) {
		if server.ClientGone(ctx) {
			c.AbortWithStatus(server.StatusClientGone)
			return
		}
		var trouble string
		if e, trouble = crm.TroubleError(err); e != nil {
			a.faults.Error(ctx, a.Log, troubleMessage, "trouble", trouble, "error", err)
		}
	}
	if e == nil {
		a.Log.ErrorContext(c.Request.Context(), "request failed", "method", c.Request.Method, "route", c.FullPath(), "error", err)
		c.AbortWithStatusJSON(http.StatusInternalServerError, answer{Error: &server.InternalError})
		return
	}
	to := statuses[e.Code]
	if e.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	c.AbortWithStatusJSON(to.status, answer{Error: &server.ErrorObject{Code: to.code, Message: e.Message, Fields: e.Fields}})
}

// serve makes a handler of do. It answers with do's error, or else with its data,
// which may be nil.
func (a *API) serve(do func(c *gin.Context) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		data, err := do(c)
		if err != nil {
			a.fail(c, err)
			return
		}
		c.JSON(http.StatusOK, answer{Success: true, Data: data})
	}
}
