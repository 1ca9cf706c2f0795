package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/channels/clientaddr"
)

// RouterOptions are the options of NewRouter.
type RouterOptions struct {
	Origins        apps.Origins
	PublicURL      string        // the URL that clients use, if it is configured
	TrustedProxies []string      // addresses and networks whose X-Forwarded headers are believed
	HSTS           time.Duration // how long browsers shall use https alone after an answer over https; 0: as they like
	Log            *slog.Logger
	// Observe is called after each request that a route has answered, with the route as it
	// was registered, "none" when there is none; nil: it is not. It must be quick.
	Observe func(method, route string, status int, took time.Duration)
}

// NewRouter returns a router without routes that handles what all routes share: it
// answers HEAD, panics and requests that were given up, logs requests at debug level and
// sends browsers their CORS headers.
func NewRouter(o RouterOptions) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false // a redirect would lose the body of a POST
	r.ForwardedByClientIP = false   // see ClientAddress
	trusted, err := clientaddr.ParseProxies(o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	r.Use(answerHeads(r))
	if o.Observe != nil {
		r.Use(observeRequests(o.Observe))
	}
	r.Use(findClient(trusted), findOwnOrigin(o.PublicURL, trusted), logRequests(o.Log), recoverPanics(o.Log), answerGivenUp, boundBodies,
		allowOrigins(o.Origins), noSniff, strictTransport(o.HSTS, trusted))
	return r, nil
}

func noSniff(c *gin.Context) { c.Header("X-Content-Type-Options", "nosniff") }

// observeRequests measures requests by their route, never by their path.
func observeRequests(observe func(method, route string, status int, took time.Duration)) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := time.Now()
		c.Next()
		status := c.Writer.Status()
		if status == http.StatusOK && websocket.IsWebSocketUpgrade(c.Request) {
			status = http.StatusSwitchingProtocols // the connection is a socket now, and gin was not told
		}
		observe(methodOf(c.Request), routeOf(c), status, time.Since(began))
	}
}

// methodOf returns the request's method, "other" for one that no route has: clients can
// make methods up.
func methodOf(r *http.Request) string {
	switch m := Method(r); m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

func routeOf(c *gin.Context) string {
	if route := c.FullPath(); route != "" {
		return route
	}
	return "none"
}

// logRequests logs the route rather than the path and query, which may hold
// phone numbers and signatures.
func logRequests(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !log.Enabled(c.Request.Context(), slog.LevelDebug) {
			return
		}
		began := time.Now()
		c.Next()
		log.DebugContext(c.Request.Context(), "request", "method", Method(c.Request), "route", routeOf(c),
			"status", c.Writer.Status(), "bytes", c.Writer.Size(), "took", time.Since(began), "client", ClientAddress(c))
	}
}

// recoverPanics answers "internal" when a handler panics, and logs where. The panic
// value with which net/http aborts a response is passed on.
func recoverPanics(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			log.ErrorContext(c.Request.Context(), "a handler panicked",
				"method", c.Request.Method, "route", c.FullPath(), "panic", p, "stack", string(debug.Stack()))
			if c.Writer.Written() {
				c.Abort()
				return
			}
			c.AbortWithStatusJSON(http.StatusInternalServerError, ErrorAnswer{Error: InternalError})
		}()
		c.Next()
	}
}
