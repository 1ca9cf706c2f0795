package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

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
}

// NewRouter returns a router without routes that handles what all routes share: it
// answers HEAD and panics, logs requests at debug level and sends browsers their CORS
// headers.
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
	r.Use(answerHeads(r), findClient(trusted), findOwnOrigin(o.PublicURL, trusted), logRequests(o.Log), recoverPanics(o.Log), boundBodies,
		allowOrigins(o.Origins), noSniff, strictTransport(o.HSTS, trusted))
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
		log.DebugContext(c.Request.Context(), "request", "method", Method(c.Request), "route", route,
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
