package server

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// methodKey is the key of a request's own method in its context.
type methodKey struct{}

// Method returns the method that the client sent. It differs from r.Method for a HEAD
// that is served like a GET.
func Method(r *http.Request) string {
	if own, ok := r.Context().Value(methodKey{}).(string); ok {
		return own
	}
	return r.Method
}

// answerHeads serves a HEAD as a GET where the path has no HEAD of its own, so that its
// answer has the same headers; net/http leaves the body out. It must run before all other
// handlers: those that are not answerHeads run once.
func answerHeads(r *gin.Engine) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.Method != http.MethodHead || c.FullPath() != "" {
			return
		}
		get := c.Request.WithContext(context.WithValue(c.Request.Context(), methodKey{}, http.MethodHead))
		get.Method = http.MethodGet
		c.Request = get
		c.Writer.Header().Del("Allow") // gin has answered 405 so far
		c.Status(http.StatusOK)
		r.HandleContext(c)
		c.Abort()
	}
}
