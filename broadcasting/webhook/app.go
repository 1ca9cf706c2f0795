package webhook

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
)

// kindNames are the names of the kinds on the wire.
var kindNames = map[broadcasting.Kind]string{
	broadcasting.Occupied:      apps.ChannelOccupied,
	broadcasting.Vacated:       apps.ChannelVacated,
	broadcasting.MemberAdded:   apps.MemberAdded,
	broadcasting.MemberRemoved: apps.MemberRemoved,
	broadcasting.CacheMissed:   apps.CacheMiss,
	broadcasting.Counted:       apps.SubscriptionCount,
	broadcasting.ClientSent:    apps.ClientEvent,
}

// endpoint is the current setting of one webhook of an app.
type endpoint struct {
	apps.Webhook
	app   apps.App
	index int    // in the app's list
	id    string // names its deliveries in the Store; stays when the rest changes
	host  string // for the log: a URL may hold a secret
	kinds [broadcasting.ClientSent + 1]bool
}

// wants reports whether e is told of events of the kind in the channel.
func (e *endpoint) wants(kind broadcasting.Kind, channel string) bool {
	return int(kind) < len(e.kinds) && e.kinds[kind] &&
		(len(e.Channels) == 0 || slices.ContainsFunc(e.Channels, func(prefix string) bool { return strings.HasPrefix(channel, prefix) }))
}

// settings are the endpoints by app. They are never changed, only replaced.
type settings map[string][]*endpoint

// newSettings checks and copies list.
func newSettings(list []apps.App) (settings, error) {
	s := settings{}
	for _, app := range list {
		if _, twice := s[app.ID]; twice {
			return nil, fmt.Errorf("webhook: app %q is there twice", app.ID)
		}
		if err := app.Check().Err(); err != nil {
			return nil, fmt.Errorf("webhook: app %q: %w", app.ID, err)
		}
		s[app.ID] = nil
		ids := app.WebhookIDs()
		for i, hook := range app.Webhooks {
			s[app.ID] = append(s[app.ID], newEndpoint(app, i, hook.Clone(), ids[i]))
		}
	}
	return s, nil
}

// newEndpoint returns an endpoint with one of the ids of app.WebhookIDs.
func newEndpoint(app apps.App, index int, hook apps.Webhook, id string) *endpoint {
	u, _ := url.Parse(hook.URL) // checked
	app.Webhooks, app.AllowedOrigins = nil, nil
	made := &endpoint{Webhook: hook, app: app, index: index, id: id, host: u.Hostname()}
	for kind, name := range kindNames {
		made.kinds[kind] = len(hook.Events) == 0 || slices.Contains(hook.Events, name)
	}
	return made
}

// gone returns the apps with endpoints that have none in next, or are other apps there
// under the same id.
func (s settings) gone(next settings) map[string]bool {
	gone := map[string]bool{}
	for app, list := range s {
		if len(list) > 0 && (len(next[app]) == 0 || next[app][0].app.Made != list[0].app.Made) {
			gone[app] = true
		}
	}
	return gone
}

// want reports whether any endpoint is told of any of the kinds in the app's channel.
func (s settings) want(app, channel string, kinds ...broadcasting.Kind) bool {
	for _, e := range s[app] {
		for _, kind := range kinds {
			if e.wants(kind, channel) {
				return true
			}
		}
	}
	return false
}
