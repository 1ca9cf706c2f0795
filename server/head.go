package server

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// headKey is the key of a servedHead in its request's context.
type headKey struct{}

// servedHead is a HEAD that is served like a GET.
type servedHead struct {
	allow string // the methods that have a route of the path
}

func headOf(r *http.Request) (head servedHead, ok bool) {
	head, ok = r.Context().Value(headKey{}).(servedHead)
	return head, ok
}

// Method returns the method that the client sent. It differs from r.Method for a HEAD
// that is served like a GET.
func Method(r *http.Request) string {
	if _, head := headOf(r); head {
		return http.MethodHead
	}
	return r.Method
}

// answerHeads serves a HEAD as a GET where the path has no HEAD of its own, so that its
// answer has the same headers; net/http leaves the body out. A HEAD never becomes a
// socket. answerHeads must run before all other handlers: those that are not answerHeads
// run once.
func answerHeads(r *gin.Engine) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.Method != http.MethodHead || c.FullPath() != "" {
			return
		}
		h := c.Writer.Header()
		get := c.Request.WithContext(context.WithValue(c.Request.Context(), headKey{}, servedHead{allow: h.Get("Allow")}))
		get.Method = http.MethodGet
		get.Header.Del("Upgrade")
		c.Request = get
		h.Del("Allow") // gin has answered 405 so far
		c.Status(http.StatusOK)
		r.HandleContext(c)
		c.Abort()
	}
}

// RefuseHead refuses a HEAD with 405. It stands before the handlers of a GET that changes
// something: who sends a HEAD, such as a program that checks links, wants no change.
func RefuseHead(c *gin.Context) {
	if head, ok := headOf(c.Request); ok {
		c.Header("Allow", head.allow)
		MethodNotAllowed(c)
	}
}

// MethodNotAllowed answers a request whose path does not have its method. Allow must be
// set.
func MethodNotAllowed(c *gin.Context) {
	c.AbortWithStatusJSON(http.StatusMethodNotAllowed, ErrorAnswer{Error: ErrorObject{
		Code: "ApiMethodNotAllowedError", Message: "this route does not allow the method " + Method(c.Request),
	}})
}
