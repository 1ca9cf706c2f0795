package api

import (
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// API serves the CRM's routes.
type API struct {
	CRM *crm.Service
	Log *slog.Logger
}

// Register adds the routes to r. Each noun registers its own in its file:
// v1 is open to everybody, signedIn wants an access token, line is one
// messenger of one licence.
func (a *API) Register(r gin.IRouter) {
	v1 := r.Group("/v1", a.recoverPanic)
	a.registerTokens(v1)

	signedIn := v1.Group("", a.authenticate)
	a.registerMe(signedIn)
	a.registerLicenses(signedIn)
	a.registerEmployees(signedIn)
	a.registerEvents(signedIn)
	a.registerCatalogues(signedIn)
	a.registerQuickResponses(signedIn)

	line := signedIn.Group("/licenses/:licenseId/messengers/:messengerType")
	a.registerChats(signedIn, line)
}

// NoRoute answers for a path under /v1 that does not exist.
func (a *API) NoRoute(c *gin.Context) {
	a.fail(c, &crm.Error{Code: crm.CodeNotFound, Message: "there is no such route"})
}

// NoMethod answers for a path under /v1 that has no such method. The router has
// set Allow.
func (a *API) NoMethod(c *gin.Context) {
	c.AbortWithStatusJSON(http.StatusMethodNotAllowed, answer{Error: &answerError{
		Code: "ApiMethodNotAllowedError", Message: "this route does not know the method " + c.Request.Method,
	}})
}

// recoverPanic answers "internal" for a panic of a handler and logs where it
// was. What net/http panics with to abort an answer goes on its way.
func (a *API) recoverPanic(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		a.Log.ErrorContext(c.Request.Context(), "a handler panicked",
			"method", c.Request.Method, "route", c.FullPath(), "panic", p, "stack", string(debug.Stack()))
		if c.Writer.Written() {
			c.Abort()
			return
		}
		c.AbortWithStatusJSON(http.StatusInternalServerError, internal)
	}()
	c.Next()
}
