package pusher

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
)

const (
	maxEventName = 200 // bytes

	// publishTimeout bounds how long a publish waits for the bus. It never waits for
	// sockets.
	publishTimeout = 5 * time.Second
)

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

// events publishes one event to one or more channels. It answers as soon as the event
// is on its way: with {} or, when info is requested, with the counts of each channel.
func (h *HTTPAPI) events(c *gin.Context, r request) *apiError {
	p, apiErr := parsePublication(r)
	if apiErr == nil {
		apiErr = p.validate(r.app, h.counts())
	}
	if apiErr == nil {
		apiErr = r.app.take(writes, 1, h.now())
	}
	if apiErr != nil {
		return apiErr
	}
	ctx, cancel := publishing(c)
	defer cancel()
	if h.kept(ctx, r.app, *p) != nil {
		return errNotKept()
	}
	if i, err := h.publish(ctx, r.app, p); err != nil {
		return unavailable("the event could not be published to %s; channels named before it have it", p.Channels[i])
	}
	if len(p.attributes) == 0 {
		writeEmpty(c)
		return nil
	}
	infos := make(map[string]channelInfo, len(p.Channels))
	for _, channel := range p.Channels {
		if infos[channel], apiErr = h.info(ctx, r.app, channel, p.attributes); apiErr != nil {
			return unavailable("the event is published, but the counts are not available now")
		}
	}
	writeJSON(c, http.StatusOK, map[string]any{"channels": infos})
	return nil
}

// publishing returns a context that bounds a publish. Once begun, the event goes to all
// its channels even if the client hangs up.
func publishing(c *gin.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Request.Context()), publishTimeout)
}

// publish publishes a valid publication to those of its channels that have no history, in
// order. The first failure is logged and ends it.
func (h *HTTPAPI) publish(ctx context.Context, app *App, p *publication) (failed int, err error) {
	for i, channel := range p.Channels {
		if h.keeps(app, channel) {
			continue // see kept
		}
		if err := h.Engine.Publish(ctx, p.event(app, channel)); err != nil {
			h.faults.Error(ctx, h.Log, "publish failed", "app", app.ID, "channel", channel, "event", p.Name, "error", err)
			return i, err
		}
		app.counters.published.Add(1)
	}
	return 0, nil
}

// event returns the event of one channel.
func (p *publication) event(app *App, channel string) broadcasting.Event {
	return broadcasting.Event{App: app.ID, Channel: channel, Name: p.Name, Data: *p.Data, Except: p.SocketID}
}

// parsePublication parses the body or, when there is none, the query.
func parsePublication(r request) (*publication, *apiError) {
	if len(r.body) == 0 {
		return publicationOfQuery(r.query), nil
	}
	if apiErr := checkUTF8(r.body); apiErr != nil {
		return nil, apiErr
	}
	p := &publication{}
	return p, decodeObject(r.body, p, wholeBody)
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

// excludable matches what may be given as the socket that does not get an event. pusher.com
// takes numbers without a dot as well. No socket has such an id, so everybody gets the event.
// Nothing is signed with it: see ValidSocketID.
var excludable = regexp.MustCompile(`\A\d{1,20}(?:\.\d{1,20})?\z`)

// validate returns the first error. It leaves every channel in p.Channels, once.
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
		app.counters.hit(limitEventBytes)
		return tooLarge("data: the content of this event is over %d bytes", app.Limits.EventBytes)
	case !utf8.ValidString(*p.Data):
		return badRequest("data is not valid UTF-8")
	case p.SocketID != "" && !excludable.MatchString(p.SocketID):
		return badRequest("socket_id must be digits, or digits, a dot and digits")
	}
	if apiErr := p.validateChannels(app); apiErr != nil {
		return apiErr
	}
	return p.validateInfo(counts)
}

// validateChannels lets an event go to several encrypted channels, as pusher.com does: whoever
// publishes it has encrypted it, and knows which of them can read it.
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
	for i, s := range p.Channels {
		name, err := channels.Parse(s)
		if err != nil {
			return badRequest("channels[%d]: %s", i, strings.TrimPrefix(err.Error(), "channels: "))
		}
		if name.Reserved() {
			return forbidden("channels[%d]: %s is a channel of the CRM, which alone publishes to it", i, s)
		}
		if !seen[s] {
			seen[s] = true
			unique = append(unique, s)
		}
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
