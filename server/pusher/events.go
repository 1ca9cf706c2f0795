package pusher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
)

const (
	maxEventName = 200 // bytes

	// publishTimeout bounds what a publish waits for the bus; sockets are never
	// waited for.
	publishTimeout = 5 * time.Second
)

// Publisher is what the HTTP API needs of the engine. Publish returns when the
// event is on its way, without waiting for any socket.
type Publisher interface {
	Publish(ctx context.Context, ev broadcasting.Event) error
}

// Counter is an engine that can also say who is there. Without it "info" is
// refused.
type Counter interface {
	// Count is how many sockets are subscribed to a channel now and, on a
	// presence channel, how many different users.
	Count(ctx context.Context, app, channel string) (subscriptions, users int, err error)
}

// HTTPAPI is the Pusher HTTP API, for backends: signed requests that publish.
// Safe for concurrent use.
type HTTPAPI struct {
	Apps   *Apps
	Engine Publisher // may be a Counter too
	Log    *slog.Logger
	Now    func() time.Time // time.Now when nil
}

// Register adds the routes to r.
func (h *HTTPAPI) Register(r gin.IRouter) {
	r.POST("/apps/:id/events", h.signed(h.events))
}

// signed reads the whole body before anything else looks at it, because the
// signature covers its bytes, and lets only requests of the app through.
func (h *HTTPAPI) signed(next func(c *gin.Context, app *App, q query, body []byte) *apiError) gin.HandlerFunc {
	now := h.Now
	if now == nil {
		now = time.Now
	}
	return func(c *gin.Context) {
		app := h.Apps.ByID(c.Param("id"))
		body, fault := readBody(c, app)
		var q query
		if fault == nil {
			q, fault = verifyRequest(app, c.Request, body, now())
		}
		if fault == nil {
			fault = next(c, app, q, body)
		}
		if fault != nil {
			writeJSON(c, fault.Status, fault)
		}
	}
}

// readBody returns the body as it came, if it is not larger than any valid
// publish: each byte of data may be escaped as six, and the rest is small.
func readBody(c *gin.Context, app *App) ([]byte, *apiError) {
	limits := Limits{}.withDefaults()
	if app != nil {
		limits = app.Limits
	}
	limit := int64(6*limits.EventBytes + limits.ChannelsPerEvent*(channels.MaxLength+8) + 8<<10)
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &apiError{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the body is over %d bytes", limit)}
	case err != nil:
		return nil, badRequest("the body could not be read to its end")
	}
	return body, nil
}

// publication is the body of POST /apps/{id}/events.
type publication struct {
	Name     string   `json:"name"`
	Data     *string  `json:"data"`
	Channel  *string  `json:"channel"`
	Channels []string `json:"channels"`
	SocketID string   `json:"socket_id"`
	Info     string   `json:"info"`

	attributes []string // of Info
}

// events publishes one event to one or more channels, and answers as soon as it
// is on its way: {} or, when info is asked for, the counts of each channel.
func (h *HTTPAPI) events(c *gin.Context, app *App, q query, body []byte) *apiError {
	p, fault := parsePublication(q, body)
	if fault == nil {
		fault = p.validate(app, h.counter() != nil)
	}
	if fault != nil {
		return fault
	}
	// Once begun, the event goes to all its channels even if the client hangs up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), publishTimeout)
	defer cancel()
	for _, channel := range p.Channels {
		ev := broadcasting.Event{App: app.ID, Channel: channel, Name: p.Name, Data: *p.Data, Except: p.SocketID}
		if err := h.Engine.Publish(ctx, ev); err != nil {
			h.Log.ErrorContext(ctx, "publish failed", "app", app.ID, "channel", channel, "event", p.Name, "error", err)
			return &apiError{Status: http.StatusServiceUnavailable, Message: "the event could not be published to " + channel + "; channels named before it have it"}
		}
	}
	if len(p.attributes) == 0 {
		writeJSON(c, http.StatusOK, struct{}{})
		return nil
	}
	return h.answerInfo(ctx, c, app, p)
}

func (h *HTTPAPI) counter() Counter {
	counter, _ := h.Engine.(Counter)
	return counter
}

// channelInfo is what "info" asked to know of a channel.
type channelInfo struct {
	UserCount         *int `json:"user_count,omitempty"`
	SubscriptionCount *int `json:"subscription_count,omitempty"`
}

func (h *HTTPAPI) answerInfo(ctx context.Context, c *gin.Context, app *App, p *publication) *apiError {
	infos := make(map[string]channelInfo, len(p.Channels))
	for _, channel := range p.Channels {
		subscriptions, users, err := h.counter().Count(ctx, app.ID, channel)
		if err != nil {
			h.Log.ErrorContext(ctx, "count failed", "app", app.ID, "channel", channel, "error", err)
			return &apiError{Status: http.StatusServiceUnavailable, Message: "the event is published, but the counts are not available now"}
		}
		var info channelInfo
		for _, attribute := range p.attributes {
			name, _ := channels.Parse(channel)
			switch {
			case attribute == "subscription_count":
				info.SubscriptionCount = &subscriptions
			case name.Kind == channels.Presence: // user_count is of presence channels alone
				info.UserCount = &users
			}
		}
		infos[channel] = info
	}
	writeJSON(c, http.StatusOK, map[string]any{"channels": infos})
	return nil
}

// parsePublication takes the body or, when there is none, the query.
func parsePublication(q query, body []byte) (*publication, *apiError) {
	if len(body) == 0 {
		return publicationOfQuery(q), nil
	}
	if !utf8.Valid(body) {
		return nil, badRequest("the body is not valid UTF-8")
	}
	var p publication
	err := json.Unmarshal(body, &p)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "data":
		return nil, badRequest("data must be a string, not %s: encode the JSON yourself", wrong.Value)
	case errors.As(err, &wrong) && wrong.Field != "":
		return nil, badRequest("%s may not be %s", wrong.Field, wrong.Value)
	case errors.As(err, &wrong):
		return nil, badRequest("the body must be a JSON object, not %s", wrong.Value)
	case err != nil:
		return nil, badRequest("the body is not JSON: %v", err)
	}
	return &p, nil
}

func publicationOfQuery(q query) *publication {
	p := &publication{Name: q.get("name"), Channels: q.all("channels"), SocketID: q.get("socket_id"), Info: q.get("info")}
	for _, kv := range q {
		switch kv.key {
		case "data":
			p.Data = &kv.value
		case "channel":
			p.Channel = &kv.value
		}
	}
	return p
}

// validate finds the first fault. It leaves every channel in p.Channels, once.
func (p *publication) validate(app *App, counts bool) *apiError {
	switch {
	case p.Name == "":
		return badRequest("name is missing")
	case len(p.Name) > maxEventName:
		return badRequest("name is over %d bytes", maxEventName)
	case !utf8.ValidString(p.Name):
		return badRequest("name is not valid UTF-8")
	case strings.HasPrefix(p.Name, "pusher:"), strings.HasPrefix(p.Name, "pusher_internal:"):
		return badRequest("name may not start with pusher: or pusher_internal:")
	case p.Data == nil:
		return badRequest("data is missing: it must be a string, which may be empty")
	case len(*p.Data) > app.Limits.EventBytes:
		return &apiError{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("data is over %d bytes", app.Limits.EventBytes)}
	case !utf8.ValidString(*p.Data):
		return badRequest("data is not valid UTF-8")
	case p.SocketID != "" && !ValidSocketID(p.SocketID):
		return badRequest("socket_id must be digits, a dot and digits")
	}
	if fault := p.validateChannels(app); fault != nil {
		return fault
	}
	return p.validateInfo(counts)
}

func (p *publication) validateChannels(app *App) *apiError {
	if p.Channel != nil {
		if len(p.Channels) > 0 {
			return badRequest("give channel or channels, not both")
		}
		p.Channels = []string{*p.Channel}
	}
	if len(p.Channels) == 0 {
		return badRequest("channels is missing")
	}
	if len(p.Channels) > app.Limits.ChannelsPerEvent {
		return badRequest("%d channels are named, at most %d are allowed", len(p.Channels), app.Limits.ChannelsPerEvent)
	}
	seen := make(map[string]bool, len(p.Channels))
	unique := make([]string, 0, len(p.Channels))
	encrypted := false
	for i, s := range p.Channels {
		name, err := channels.Parse(s)
		if err != nil {
			return badRequest("channels[%d]: %s", i, strings.TrimPrefix(err.Error(), "channels: "))
		}
		encrypted = encrypted || name.Encrypted
		if !seen[s] {
			seen[s] = true
			unique = append(unique, s)
		}
	}
	if encrypted && len(unique) > 1 {
		return badRequest("an event on an encrypted channel goes to that channel alone: each has a secret of its own")
	}
	p.Channels = unique
	return nil
}

func (p *publication) validateInfo(counts bool) *apiError {
	if p.Info == "" {
		return nil
	}
	p.attributes = strings.Split(p.Info, ",")
	for _, attribute := range p.attributes {
		switch {
		case attribute != "user_count" && attribute != "subscription_count":
			return badRequest("info may ask for user_count and subscription_count, not for %.40q", attribute)
		case !counts:
			return badRequest("info: this server does not count %s", attribute)
		}
	}
	return nil
}

func badRequest(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// writeJSON answers with v. Not gin's way, because clients compare the content
// type as a whole, and some read the body so too.
func writeJSON(c *gin.Context, status int, v any) {
	body, _ := json.Marshal(v) // shapes of this package, of strings and numbers: they always marshal
	c.Data(status, "application/json", body)
	c.Abort()
}
