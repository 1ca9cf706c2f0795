package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
)

// kindNames are the events' names on the wire.
var kindNames = map[broadcasting.Kind]string{
	broadcasting.Occupied:      apps.ChannelOccupied,
	broadcasting.Vacated:       apps.ChannelVacated,
	broadcasting.MemberAdded:   apps.MemberAdded,
	broadcasting.MemberRemoved: apps.MemberRemoved,
	broadcasting.CacheMissed:   apps.CacheMiss,
	broadcasting.Counted:       apps.SubscriptionCount,
	broadcasting.ClientSent:    apps.ClientEvent,
}

// endpoint is a webhook of an app as it is now.
type endpoint struct {
	apps.Webhook
	app   apps.App
	index int    // in the app's list
	id    string // keeps its deliveries apart in the Store; stays when the rest changes
	host  string // for the log: a URL may hold a secret
	kinds [broadcasting.ClientSent + 1]bool
}

// wants says whether e is told of the kind, of the channel.
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
		seen := map[string]int{}
		for i, hook := range app.Webhooks {
			s[app.ID] = append(s[app.ID], newEndpoint(app, i, hook.Clone(), seen[hook.URL]))
			seen[hook.URL]++
		}
	}
	return s, nil
}

// newEndpoint names the endpoint by what its URL is, for the URL itself may hold a
// secret, by how many of the app had the same URL before it, and by which app it is:
// what waits for one that is gone is not for another under its id.
func newEndpoint(app apps.App, index int, hook apps.Webhook, nth int) *endpoint {
	sum := sha256.Sum256([]byte(hook.URL))
	u, _ := url.Parse(hook.URL) // checked
	id := hex.EncodeToString(sum[:16]) + "-" + strconv.Itoa(nth)
	if app.Made != 0 {
		id += "-" + strconv.FormatInt(app.Made, 10)
	}
	app.Webhooks, app.AllowedOrigins = nil, nil
	made := &endpoint{Webhook: hook, app: app, index: index, id: id, host: u.Hostname()}
	for kind, name := range kindNames {
		made.kinds[kind] = len(hook.Events) == 0 || slices.Contains(hook.Events, name)
	}
	return made
}

// gone are the apps with endpoints that next has no more, or others under their ids.
func (s settings) gone(next settings) map[string]bool {
	gone := map[string]bool{}
	for app, list := range s {
		if len(list) > 0 && (len(next[app]) == 0 || next[app][0].app.Made != list[0].app.Made) {
			gone[app] = true
		}
	}
	return gone
}

// want says whether anybody is told of any of the kinds, of the app's channel.
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
