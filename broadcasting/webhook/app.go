package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chatcast/broadcasting"
)

// App is an app with its webhooks.
type App struct {
	ID        string
	Key       string // goes out as X-Pusher-Key
	Secret    string // of that key; signs
	Made      int64  // when the app was made: another time is another app; 0: it has always been
	Endpoints []Endpoint
}

// Endpoint is where an app is told what happens to its channels.
type Endpoint struct {
	URL      string            // absolute, http or https; may hold a secret
	Events   []string          // names as in Events(); empty: all
	Channels []string          // only of channels whose name begins with one of these; empty: all
	Headers  map[string]string // sent with every POST
	Single   bool              // one event in each POST, as an app of Pusher without batching
}

// Bounds of what is configured.
const (
	MaxEndpoints = 32 // of an app
	maxURL       = 2048
	maxPrefixes  = 100
	maxPrefix    = 200
	maxHeaders   = 32
	maxHeader    = 4096 // bytes of a value
)

// kindNames are the events' names on the wire.
var kindNames = map[broadcasting.Kind]string{
	broadcasting.Occupied:      "channel_occupied",
	broadcasting.Vacated:       "channel_vacated",
	broadcasting.MemberAdded:   "member_added",
	broadcasting.MemberRemoved: "member_removed",
	broadcasting.CacheMissed:   "cache_miss",
	broadcasting.Counted:       "subscription_count",
	broadcasting.ClientSent:    "client_event",
}

// Events lists the names of all events, sorted.
func Events() []string { return slices.Sorted(maps.Values(kindNames)) }

// FieldError is what is wrong with one field of an Endpoint. It never holds the
// field's value where that may be a secret.
type FieldError struct {
	Field   string // url, events[0], channels[0], headers.NAME
	Message string
}

// Error implements error.
func (e FieldError) Error() string { return e.Field + ": " + e.Message }

// Check lists everything that is wrong with e.
func (e Endpoint) Check() (violations []FieldError) {
	violation := func(field, format string, args ...any) {
		violations = append(violations, FieldError{field, fmt.Sprintf(format, args...)})
	}
	if message := checkURL(e.URL); message != "" {
		violation("url", "%s", message)
	}
	known := Events()
	for i, name := range e.Events {
		if !slices.Contains(known, name) {
			violation(item("events", i), "must be one of %s, not %q", strings.Join(known, ", "), name)
		} else if slices.Contains(e.Events[:i], name) {
			violation(item("events", i), "%s is there twice", name)
		}
	}
	if len(e.Channels) > maxPrefixes {
		violation("channels", "must be at most %d prefixes", maxPrefixes)
	}
	for i, prefix := range e.Channels {
		if prefix == "" || len(prefix) > maxPrefix {
			violation(item("channels", i), "must be the beginning of a channel's name, 1 to %d bytes", maxPrefix)
		}
	}
	if len(e.Headers) > maxHeaders {
		violation("headers", "must be at most %d", maxHeaders)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if message := checkHeader(name, e.Headers[name]); message != "" {
			violation("headers."+name, "%s", message)
		}
	}
	return violations
}

func item(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

func checkURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL:
		return fmt.Sprintf("must be at most %d bytes", maxURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "must be absolute, like https://example.com/pusher"
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "must have no # and nothing behind it"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "the port must be from 1 to 65535"
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return "the port must be from 1 to 65535"
	}
	return ""
}

// ownHeaders are those that a webhook may not set: what makes it a webhook, and what
// frames the request.
var ownHeaders = []string{
	"content-type", "content-length", "content-encoding", "transfer-encoding", "host", "connection", "keep-alive",
	"upgrade", "te", "trailer", "expect", "proxy-connection", "proxy-authorization", "http2-settings",
}

func checkHeader(name, value string) string {
	lower := strings.ToLower(name)
	switch {
	case name == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }):
		return "is no name of a header"
	case strings.HasPrefix(lower, "x-pusher-") || slices.Contains(ownHeaders, lower):
		return "is set by the server"
	case len(value) > maxHeader:
		return fmt.Sprintf("the value must be at most %d bytes", maxHeader)
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return "the value must have no control characters"
		}
	}
	return ""
}

// isToken is RFC 9110's tchar.
func isToken(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// endpoint is an Endpoint of an app as it is now.
type endpoint struct {
	Endpoint
	app   App
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

// newSettings checks and copies apps.
func newSettings(apps []App) (settings, error) {
	s := settings{}
	for _, app := range apps {
		if _, twice := s[app.ID]; twice {
			return nil, fmt.Errorf("webhook: app %q is there twice", app.ID)
		}
		if len(app.Endpoints) > MaxEndpoints {
			return nil, fmt.Errorf("webhook: app %q: %w", app.ID, FieldError{"webhooks", fmt.Sprintf("must be at most %d", MaxEndpoints)})
		}
		s[app.ID] = nil
		seen := map[string]int{}
		for i, e := range app.Endpoints {
			for _, violation := range e.Check() {
				violation.Field = item("webhooks", i) + "." + violation.Field
				return nil, fmt.Errorf("webhook: app %q: %w", app.ID, violation)
			}
			s[app.ID] = append(s[app.ID], newEndpoint(app, i, e, seen[e.URL]))
			seen[e.URL]++
		}
	}
	return s, nil
}

// newEndpoint names the endpoint by what its URL is, for the URL itself may hold a
// secret, by how many of the app had the same URL before it, and by which app it is:
// what waits for one that is gone is not for another under its id.
func newEndpoint(app App, index int, e Endpoint, nth int) *endpoint {
	sum := sha256.Sum256([]byte(e.URL))
	u, _ := url.Parse(e.URL) // checked
	id := hex.EncodeToString(sum[:16]) + "-" + strconv.Itoa(nth)
	if app.Made != 0 {
		id += "-" + strconv.FormatInt(app.Made, 10)
	}
	made := &endpoint{app: app, index: index, id: id, host: u.Hostname()}
	made.app.Endpoints = nil
	made.Endpoint = Endpoint{URL: e.URL, Events: slices.Clone(e.Events), Channels: slices.Clone(e.Channels), Headers: maps.Clone(e.Headers), Single: e.Single}
	for kind, name := range kindNames {
		made.kinds[kind] = len(e.Events) == 0 || slices.Contains(e.Events, name)
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
