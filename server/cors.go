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
// adds X-CSRF-TOKEN and X-Socket-ID). Pages of listed origins may send credentials, as
// axios does when it is told to: a browser would drop our answer otherwise. They mean
// nothing here, because the Authorization header alone identifies the sender of a
// request, never a cookie. Where any page may call, none may send them.
func allowOrigins(origins apps.Origins) gin.HandlerFunc {
	options := cors.Options{
		AllowedMethods:       []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:       []string{"*"},
		ExposedHeaders:       []string{"Retry-After", "Content-Disposition"},
		MaxAge:               preflightSeconds,
		OptionsSuccessStatus: http.StatusNoContent,
	}
	everybody, listed := options, options
	everybody.AllowedOrigins = []string{"*"}
	listed.AllowCredentials = true
	own := listed // for pages of this server
	listed.AllowOriginFunc = origins.Allow
	own.AllowOriginFunc = func(string) bool { return true }
	toEverybody, toListed, toOwn := cors.New(everybody), cors.New(listed), cors.New(own)
	return func(c *gin.Context) {
		handler := toListed
		switch {
		case origins.Any(): // it may change
			handler = toEverybody
		case ForeignOrigin(c) == "":
			handler = toOwn
		}
		handler.HandlerFunc(c.Writer, c.Request)
		if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
			c.AbortWithStatus(http.StatusNoContent)
		}
	}
}
