package server

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	"chatcast/broadcasting/apps"
)

// preflightSeconds is how long a browser may remember the answer to a preflight;
// browsers cap it at two hours and less.
const preflightSeconds = 2 * 60 * 60

// allowOrigins lets pages of the allowed origins call the HTTP routes. It stands in front
// of all of them, so that preflights, which carry no token, and refusals are
// answered with its headers too.
//
// Any request header may be sent: pages add what they like (Laravel Echo an
// X-CSRF-TOKEN and X-Socket-ID, others their own). Credentials are not allowed:
// who a request is from is said in its Authorization header, never in a cookie,
// so a strange page has nothing to ride on.
func allowOrigins(origins apps.Origins) gin.HandlerFunc {
	options := cors.Options{
		AllowedMethods:       []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:       []string{"*"},
		ExposedHeaders:       []string{"Retry-After", "Content-Disposition"},
		MaxAge:               preflightSeconds,
		OptionsSuccessStatus: http.StatusNoContent,
	}
	if origins.Any() {
		options.AllowedOrigins = []string{"*"}
	} else {
		options.AllowOriginFunc = origins.Allow
	}
	handler := cors.New(options)
	return func(c *gin.Context) {
		handler.HandlerFunc(c.Writer, c.Request)
		if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
			c.AbortWithStatus(http.StatusNoContent)
		}
	}
}
