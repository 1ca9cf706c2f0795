package server

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	"chatcast/broadcasting/apps"
)

// preflightSeconds is how long a browser may cache the response to a preflight;
// browsers cap it at two hours or less.
const preflightSeconds = 2 * 60 * 60

// allowOrigins lets pages of the allowed origins call the HTTP routes. It runs before
// all of them, so that preflights, which carry no token, and refusals get its headers
// too.
//
// Any request header may be sent, because pages add headers of their own (Laravel Echo
// adds X-CSRF-TOKEN and X-Socket-ID). Credentials are not allowed: the Authorization
// header alone identifies the sender of a request, never a cookie, so a foreign page
// has no credentials to abuse.
func allowOrigins(origins apps.Origins) gin.HandlerFunc {
	options := cors.Options{
		AllowedMethods:       []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:       []string{"*"},
		ExposedHeaders:       []string{"Retry-After", "Content-Disposition"},
		MaxAge:               preflightSeconds,
		OptionsSuccessStatus: http.StatusNoContent,
	}
	everybody, some := options, options
	everybody.AllowedOrigins = []string{"*"}
	some.AllowOriginFunc = origins.Allow
	toAll, toSome := cors.New(everybody), cors.New(some)
	return func(c *gin.Context) {
		handler := toSome
		if origins.Any() { // it may change
			handler = toAll
		}
		handler.HandlerFunc(c.Writer, c.Request)
		if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
			c.AbortWithStatus(http.StatusNoContent)
		}
	}
}
