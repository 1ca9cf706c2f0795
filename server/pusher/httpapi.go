package pusher

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/refusals"
	"chatcast/server"
)

// Publisher is what the HTTP API needs of the engine. Publish returns when the event is
// on its way, without waiting for any socket.
type Publisher interface {
	Publish(ctx context.Context, ev broadcasting.Event) error
}

// Optional interfaces of an engine. Requests that need a missing one are refused with a
// message.
type (
	// Counter counts the subscribers of a channel: sockets and, on a presence channel,
	// different users.
	Counter interface {
		Count(ctx context.Context, app, channel string) (subscriptions, users int, err error)
	}
	// Lister lists an app's channels that have subscribers and whose names begin with
	// prefix, in any order.
	Lister interface {
		Channels(ctx context.Context, app, prefix string) ([]broadcasting.Occupancy, error)
	}
	// Roster lists the ids of a presence channel's users, each once.
	Roster interface {
		Members(ctx context.Context, app, channel string) (userIDs []string, err error)
	}
	// Cacher returns the last event of a cache channel: its data, and how long it is
	// still kept.
	Cacher interface {
		Cached(ctx context.Context, app, channel string) (data string, ttl time.Duration, ok bool, err error)
	}
	// Terminator ends all sockets of an app that are signed in as a user, and returns
	// how many there were. With an error, some may be left.
	Terminator interface {
		Terminate(ctx context.Context, app, userID string) (sockets int, err error)
	}
)

// HTTPAPI is the Pusher HTTP API, for backends: signed requests that publish events and
// query channels and users. It is safe for concurrent use.
type HTTPAPI struct {
	Apps   *Apps
	Engine Publisher // may be a Counter, Lister, Roster, Cacher and Terminator too
	// BasePath stands before the paths that clients use; requests come without it.
	BasePath string
	History  History // nil: none
	Log      *slog.Logger
	Now      func() time.Time // time.Now when nil

	Refusals *refusals.Log // may be nil

	faults server.FaultLog
}

// route is a route of the HTTP API, with its path as gin writes it.
type route struct {
	method, path string
	serve        gin.HandlerFunc
}

func (h *HTTPAPI) routes() []route {
	return []route{
		{http.MethodPost, "/apps/:id/events", h.signed(refusals.Publish, oneEvent, h.events)},
		{http.MethodPost, "/apps/:id/batch_events", h.signed(refusals.Publish, oneBatch, h.batchEvents)},
		{http.MethodGet, "/apps/:id/channels", h.signed(refusals.Query, nothing, h.read(h.listChannels))},
		{http.MethodGet, "/apps/:id/channels/:name", h.signed(refusals.Query, nothing, h.read(h.channel))},
		{http.MethodGet, "/apps/:id/channels/:name/users", h.signed(refusals.Query, nothing, h.read(h.users))},
		{http.MethodGet, "/apps/:id/channels/:name/events", h.signed(refusals.Query, nothing, h.read(h.channelEvents))},
		{http.MethodPost, "/apps/:id/users/:user/terminate_connections", h.signed(refusals.Publish, nothing, h.terminate)},
		// Deprecated by Pusher, but still called by old libraries.
		{http.MethodGet, "/apps/:id/channels/:name/stats", h.signed(refusals.Query, nothing, h.read(h.channel))},
		{http.MethodPost, "/apps/:id/channels/:name/events", h.signed(refusals.Publish, oneData, h.oldEvent)},
	}
}

// Register adds the routes to r.
func (h *HTTPAPI) Register(r gin.IRouter) {
	for _, route := range h.routes() {
		r.Handle(route.method, route.path, route.serve)
	}
}

// NotFound answers a request to the API with an escaped slash in a name, and reports
// whether it was one. Call it in the router's NoRoute: the router sees decoded paths,
// in which that slash makes one more segment.
func (h *HTTPAPI) NotFound(c *gin.Context) bool {
	path := c.Request.URL.EscapedPath()
	if !strings.HasPrefix(path, "/apps/") || !strings.Contains(strings.ToUpper(path), "%2F") {
		return false
	}
	for _, route := range h.routes() {
		if params, ok := match(route.path, path); ok && route.method == c.Request.Method {
			c.Params = params // replaces the router's own parameters
			route.serve(c)
			return true
		}
	}
	return false
}

// match matches an escaped path against a pattern with parameters.
func match(pattern, path string) (gin.Params, bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	var params gin.Params
	for i := range want {
		segment, err := url.PathUnescape(have[i])
		if err != nil {
			return nil, false
		}
		if key, ok := strings.CutPrefix(want[i], ":"); ok {
			params = append(params, gin.Param{Key: key, Value: segment})
		} else if segment != want[i] {
			return nil, false
		}
	}
	return params, true
}

// request is a request that the app has signed.
type request struct {
	app   *App
	query query  // decoded as it was signed
	body  []byte // decompressed
}

// handler answers a request, or returns an error to answer with.
type handler func(c *gin.Context, r request) *apiError

// signed admits only requests that the app has signed, with a body of at most limit
// bytes. what is what it counts as when it is refused.
func (h *HTTPAPI) signed(what refusals.What, limit func(apps.Limits) int, next handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		server.BoundBody(c.Writer, c.Request) // applies to strangers, too
		r, began := request{app: h.Apps.ByID(c.Param("id"))}, h.now()
		var apiErr *apiError
		r.query, apiErr = verifyRequest(r.app, c.Request, h.BasePath, began)
		if apiErr == nil {
			r.body, apiErr = readBody(c, r.query, limit(r.app.Limits))
		}
		if now := h.Apps.ByID(c.Param("id")); apiErr == nil && now != r.app {
			r.app = now // the app has changed, or was removed, while the body came
			r.query, apiErr = verifyRequest(r.app, c.Request, h.BasePath, began)
		}
		if apiErr == nil {
			apiErr = next(c, r)
		}
		if apiErr != nil {
			h.refused(c, what, apiErr)
			writeError(c, apiErr)
		}
	}
}

// read limits next to the rate of reads.
func (h *HTTPAPI) read(next handler) handler {
	return func(c *gin.Context, r request) *apiError {
		if apiErr := r.app.take(reads, 1, h.now()); apiErr != nil {
			return apiErr
		}
		return next(c, r)
	}
}

func (h *HTTPAPI) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// able returns the engine as a T, if it is one.
func able[T any](h *HTTPAPI) (T, *apiError) {
	engine, ok := h.Engine.(T)
	if !ok {
		return engine, &apiError{Status: http.StatusServiceUnavailable, Message: "this server cannot answer that"}
	}
	return engine, nil
}

func badRequest(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// forbidden is the error for what no secret of an app allows.
func forbidden(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusForbidden, Message: fmt.Sprintf(format, args...)}
}

// tooLarge is the error for what is over its limit.
func tooLarge(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf(format, args...)}
}

// unavailable is the error for a failure of the engine; the log has the details.
func unavailable(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusServiceUnavailable, Message: fmt.Sprintf(format, args...)}
}
