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
	"chatcast/server"
)

// Publisher is what the HTTP API needs of the engine. Publish returns when the
// event is on its way, without waiting for any socket.
type Publisher interface {
	Publish(ctx context.Context, ev broadcasting.Event) error
}

// What an engine may be besides a Publisher. What it is not is refused in words.
type (
	// Counter can say how many are in a channel: sockets now and, on a presence
	// channel, different users.
	Counter interface {
		Count(ctx context.Context, app, channel string) (subscriptions, users int, err error)
	}
	// Lister lists an app's channels with subscribers, those whose names begin with
	// prefix, in any order.
	Lister interface {
		Channels(ctx context.Context, app, prefix string) ([]broadcasting.Occupancy, error)
	}
	// Roster knows the ids of a presence channel's users, each once.
	Roster interface {
		Members(ctx context.Context, app, channel string) (userIDs []string, err error)
	}
	// Cacher keeps the last event of cache channels: its data, and for how long still.
	Cacher interface {
		Cached(ctx context.Context, app, channel string) (data string, ttl time.Duration, ok bool, err error)
	}
	// Terminator ends all sockets of an app that are signed in as a user, and says how
	// many those were. With an error, some may be left.
	Terminator interface {
		Terminate(ctx context.Context, app, userID string) (sockets int, err error)
	}
)

// HTTPAPI is the Pusher HTTP API, for backends: signed requests that publish and
// ask who is there. Safe for concurrent use.
type HTTPAPI struct {
	Apps   *Apps
	Engine Publisher // may be a Counter, Lister, Roster, Cacher and Terminator too
	Log    *slog.Logger
	Now    func() time.Time // time.Now when nil

	rates rates
}

// route is one of the HTTP API, its path as gin writes it.
type route struct {
	method, path string
	serve        gin.HandlerFunc
}

func (h *HTTPAPI) routes() []route {
	return []route{
		{http.MethodPost, "/apps/:id/events", h.signed(oneEvent, h.events)},
		{http.MethodPost, "/apps/:id/batch_events", h.signed(oneBatch, h.batchEvents)},
		{http.MethodGet, "/apps/:id/channels", h.signed(nothing, h.read(h.listChannels))},
		{http.MethodGet, "/apps/:id/channels/:name", h.signed(nothing, h.read(h.channel))},
		{http.MethodGet, "/apps/:id/channels/:name/users", h.signed(nothing, h.read(h.users))},
		{http.MethodPost, "/apps/:id/users/:user/terminate_connections", h.signed(nothing, h.terminate)},
		// Deprecated by Pusher, and still called by old libraries.
		{http.MethodGet, "/apps/:id/channels/:name/stats", h.signed(nothing, h.read(h.channel))},
		{http.MethodPost, "/apps/:id/channels/:name/events", h.signed(oneData, h.oldEvent)},
	}
}

// Register adds the routes to r.
func (h *HTTPAPI) Register(r gin.IRouter) {
	for _, route := range h.routes() {
		r.Handle(route.method, route.path, route.serve)
	}
}

// NotFound answers a request of the API with an escaped slash in a name, and says
// whether it was one. It is for the router's NoRoute: the router sees paths decoded,
// where that slash is one more segment.
func (h *HTTPAPI) NotFound(c *gin.Context) bool {
	path := c.Request.URL.EscapedPath()
	if !strings.HasPrefix(path, "/apps/") || !strings.Contains(strings.ToUpper(path), "%2F") {
		return false
	}
	for _, route := range h.routes() {
		if params, ok := match(route.path, path); ok && route.method == c.Request.Method {
			c.Params = params // instead of what the router made of it
			route.serve(c)
			return true
		}
	}
	return false
}

// match holds an escaped path against one with parameters.
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

// request is one that the app has signed.
type request struct {
	app   *App
	query query  // in the reading that was signed
	body  []byte // as it was before it was compressed
}

// handler answers a request, or says why not.
type handler func(c *gin.Context, r request) *apiError

// signed lets only requests of the app through, with a body of at most limit bytes.
func (h *HTTPAPI) signed(limit func(apps.Limits) int, next handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		server.BoundBody(c.Writer) // also for strangers
		r, began := request{app: h.Apps.ByID(c.Param("id"))}, h.now()
		var apiErr *apiError
		r.query, apiErr = verifyRequest(r.app, c.Request, began)
		if apiErr == nil {
			r.body, apiErr = readBody(c, r.query, limit(r.app.Limits))
		}
		if now := h.Apps.ByID(c.Param("id")); apiErr == nil && now != r.app {
			r.app = now // it has changed, or gone, while the body came
			r.query, apiErr = verifyRequest(r.app, c.Request, began)
		}
		if apiErr == nil {
			apiErr = next(c, r)
		}
		if apiErr != nil {
			writeError(c, apiErr)
		}
	}
}

// read is next within the rate of reads.
func (h *HTTPAPI) read(next handler) handler {
	return func(c *gin.Context, r request) *apiError {
		if apiErr := h.rates.take(r.app, reads, 1, h.now()); apiErr != nil {
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

// able is the engine as a T, if it is one.
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

// tooLarge is said of what is over its limit.
func tooLarge(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf(format, args...)}
}

// unavailable is said when the engine failed, which the log says more of.
func unavailable(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusServiceUnavailable, Message: fmt.Sprintf(format, args...)}
}
