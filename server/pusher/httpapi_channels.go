package pusher

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// Attributes of a channel that info may ask for.
const (
	infoUsers         = "user_count"
	infoSubscriptions = "subscription_count" // answered when the app has it enabled
	infoCache         = "cache"
)

// channelInfo holds the requested attributes of a channel.
type channelInfo struct {
	UserCount         *int `json:"user_count,omitempty"`
	SubscriptionCount *int `json:"subscription_count,omitempty"`
}

// set fills in the requested attributes that the channel and the app have: user counts
// exist only on presence channels, subscription counts only when the app enables them.
func (i *channelInfo) set(app *App, kind channels.Kind, attributes []string, subscriptions, users int) {
	for _, attribute := range attributes {
		switch {
		case attribute == infoUsers && kind == channels.Presence:
			i.UserCount = &users
		case attribute == infoSubscriptions && app.SubscriptionCount:
			i.SubscriptionCount = &subscriptions
		}
	}
}

// counts reports whether the engine is a Counter.
func (h *HTTPAPI) counts() bool {
	_, ok := h.Engine.(Counter)
	return ok
}

// count calls the Counter and logs its error.
func (h *HTTPAPI) count(ctx context.Context, app *App, channel string) (subscriptions, users int, apiErr *apiError) {
	counter, apiErr := able[Counter](h)
	if apiErr != nil {
		return 0, 0, apiErr
	}
	subscriptions, users, err := counter.Count(ctx, app.ID, channel)
	if err != nil {
		h.faults.Error(ctx, h.Log, "count failed", "app", app.ID, "channel", channel, "error", err)
		return 0, 0, unavailable("the counts are not available now")
	}
	return subscriptions, users, nil
}

// info returns the requested attributes of a valid channel.
func (h *HTTPAPI) info(ctx context.Context, app *App, channel string, attributes []string) (info channelInfo, apiErr *apiError) {
	if len(attributes) == 0 {
		return info, nil
	}
	subscriptions, users, apiErr := h.count(ctx, app, channel)
	if apiErr == nil {
		name, _ := channels.Parse(channel)
		info.set(app, name.Kind, attributes, subscriptions, users)
	}
	return info, apiErr
}

// attributesOf splits info, which may ask only for the attributes in among.
func attributesOf(info, known string, among ...string) ([]string, *apiError) {
	if info == "" {
		return nil, nil
	}
	list := strings.Split(info, ",")
	for _, attribute := range list {
		if !slices.Contains(among, attribute) {
			return nil, badRequest("info may ask for %s, not for %.40q", known, attribute)
		}
	}
	return list, nil
}

// listChannels answers GET /apps/{id}/channels: the channels with subscribers, without
// those of the CRM. Users' own channels are left out unless the request filters by their
// prefix.
func (h *HTTPAPI) listChannels(c *gin.Context, r request) *apiError {
	attributes, apiErr := attributesOf(r.query.get("info"), "user_count and subscription_count", infoUsers, infoSubscriptions)
	if apiErr != nil {
		return apiErr
	}
	prefix := r.query.get("filter_by_prefix")
	first, _ := channels.Parse(prefix + "x") // the kind of all those names, if they have one kind
	if slices.Contains(attributes, infoUsers) && first.Kind != channels.Presence {
		return badRequest("info may ask for user_count only with a filter_by_prefix that begins with presence-")
	}
	lister, apiErr := able[Lister](h)
	if apiErr != nil {
		return apiErr
	}
	list, err := lister.Channels(c.Request.Context(), r.app.ID, prefix)
	if err != nil {
		h.faults.Error(c.Request.Context(), h.Log, "listing channels failed", "app", r.app.ID, "error", err)
		return unavailable("the channels are not available now")
	}
	infos := make(map[string]channelInfo, len(list))
	for _, o := range list {
		name, _ := channels.Parse(o.Name)
		if name.Kind == channels.User && first.Kind != channels.User || name.Reserved() {
			continue
		}
		var info channelInfo
		info.set(r.app, name.Kind, attributes, o.Subscriptions, o.Users)
		infos[o.Name] = info
	}
	writeJSON(c, http.StatusOK, map[string]any{"channels": infos})
	return nil
}

var _ Lister = (*broadcasting.Engine)(nil)

// channelState answers GET /apps/{id}/channels/{name}.
type channelState struct {
	Occupied bool `json:"occupied"`
	channelInfo
	Cache any `json:"cache,omitempty"` // *cachedEvent when requested; a nil one becomes null
}

// cachedEvent is the last event of a cache channel.
type cachedEvent struct {
	Data string `json:"data"`
	TTL  int64  `json:"ttl"` // seconds, rounded up
}

// channel answers for one channel, which may have no subscribers.
func (h *HTTPAPI) channel(c *gin.Context, r request) *apiError {
	name, apiErr := channelName(c)
	if apiErr != nil {
		return apiErr
	}
	attributes, apiErr := attributesOf(r.query.get("info"), "user_count, subscription_count and cache", infoUsers, infoSubscriptions, infoCache)
	if apiErr != nil {
		return apiErr
	}
	var state channelState
	if slices.Contains(attributes, infoUsers) && name.Kind != channels.Presence {
		return badRequest("info may ask for user_count only on presence channels")
	}
	if slices.Contains(attributes, infoCache) {
		if !name.Cache {
			return badRequest("info may ask for cache only on cache channels")
		}
		if state.Cache, apiErr = h.cached(c.Request.Context(), r.app, name.Full); apiErr != nil {
			return apiErr
		}
	}
	subscriptions, users, apiErr := h.count(c.Request.Context(), r.app, name.Full)
	if apiErr != nil {
		return apiErr
	}
	state.Occupied = subscriptions > 0
	state.set(r.app, name.Kind, attributes, subscriptions, users)
	writeJSON(c, http.StatusOK, state)
	return nil
}

var _ Counter = (*broadcasting.Engine)(nil)

func (h *HTTPAPI) cached(ctx context.Context, app *App, channel string) (*cachedEvent, *apiError) {
	cacher, apiErr := able[Cacher](h)
	if apiErr != nil {
		return nil, apiErr
	}
	data, ttl, ok, err := cacher.Cached(ctx, app.ID, channel)
	if err != nil {
		h.faults.Error(ctx, h.Log, "reading the cache failed", "app", app.ID, "channel", channel, "error", err)
		return nil, unavailable("the cache is not available now")
	}
	if !ok {
		return nil, nil
	}
	return &cachedEvent{Data: data, TTL: int64((ttl + time.Second - 1) / time.Second)}, nil
}

// channelName returns the channel that the path names. What is going on in the channels
// of the CRM is not for backends.
func channelName(c *gin.Context) (channels.Name, *apiError) {
	name, err := channels.Parse(c.Param("name"))
	if err != nil {
		return name, badRequest("channel: %s", strings.TrimPrefix(err.Error(), "channels: "))
	}
	if name.Reserved() {
		return name, forbidden("channel: %s is a channel of the CRM", name.Full)
	}
	return name, nil
}
