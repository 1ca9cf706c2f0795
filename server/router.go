package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting/apps"
)

// RouterOptions are what a router is made of.
type RouterOptions struct {
	Origins        apps.Origins
	TrustedProxies []string // addresses and networks whose X-Forwarded-For is believed
	Log            *slog.Logger
}

// NewRouter returns a router with what stands in front of every route: panics are
// answered, requests are logged at debug, browsers get their CORS headers. It has
// no routes yet.
func NewRouter(o RouterOptions) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false // a redirect would lose the body of a POST
	if err := r.SetTrustedProxies(o.TrustedProxies); err != nil {
		return nil, err
	}
	r.Use(logRequests(o.Log), recoverPanics(o.Log), allowOrigins(o.Origins), noSniff)
	return r, nil
}

func noSniff(c *gin.Context) { c.Header("X-Content-Type-Options", "nosniff") }

// logRequests logs the route rather than the path and query, which may hold
// phone numbers and signatures.
func logRequests(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !log.Enabled(c.Request.Context(), slog.LevelDebug) {
			return
		}
		began := time.Now()
		c.Next()
		route := c.FullPath()
		if route == "" {
			route = "none"
		}
		log.DebugContext(c.Request.Context(), "request", "method", c.Request.Method, "route", route,
			"status", c.Writer.Status(), "bytes", c.Writer.Size(), "took", time.Since(began), "client", c.ClientIP())
	}
}

// recoverPanics answers "internal" for a panic of a handler and logs where it
// was. What net/http panics with to abort an answer goes on its way.
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
