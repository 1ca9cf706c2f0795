package apps

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chatcast/channels"
)

// Webhook is an endpoint that is told what happens to the channels of an app. A POST is
// signed with the app's secret at the time of sending, so a retry may have another
// signature than the first attempt.
type Webhook struct {
	URL      string            `json:"url" secret:"url"`     // absolute, http or https; may hold a secret
	Events   []string          `json:"events"`               // names as in WebhookEvents; empty: all
	Channels []string          `json:"channels"`             // only channels whose name begins with one of these; empty: all
	Headers  map[string]string `json:"headers" secret:"all"` // sent with every POST
	Single   bool              `json:"single"`               // one event in each POST, like a Pusher app without batching
}

// String returns the only text that may be printed of a webhook: its URL and headers
// hold secrets.
func (w Webhook) String() string { return "a webhook" }

// GoString keeps %#v from showing the URL and headers.
func (w Webhook) GoString() string { return w.String() }

// Clone returns a copy of w that shares nothing with it. Its lists and map are not nil,
// and no event is listed twice.
func (w Webhook) Clone() Webhook {
	events := make([]string, 0, len(w.Events))
	for _, event := range w.Events {
		if !slices.Contains(events, event) {
			events = append(events, event)
		}
	}
	w.Events = events
	w.Channels = append([]string{}, w.Channels...)
	headers := make(map[string]string, len(w.Headers))
	maps.Copy(headers, w.Headers)
	w.Headers = headers
	return w
}

// Names of webhook events on the wire.
const (
	ChannelOccupied   = "channel_occupied"
	ChannelVacated    = "channel_vacated"
	MemberAdded       = "member_added"
	MemberRemoved     = "member_removed"
	ClientEvent       = "client_event"
	CacheMiss         = "cache_miss"
	SubscriptionCount = "subscription_count"
)

var webhookEvents = []string{ChannelOccupied, ChannelVacated, MemberAdded, MemberRemoved, ClientEvent, CacheMiss, SubscriptionCount}

// WebhookEvents returns the names of all webhook events. The caller may change the
// list.
func WebhookEvents() []string { return slices.Clone(webhookEvents) }

// Bounds of webhooks.
const (
	MaxWebhooks        = 32   // of an app
	MaxWebhookURL      = 2048 // characters
	MaxWebhookChannels = 100  // prefixes of one webhook; each has up to channels.MaxLength bytes
	MaxWebhookHeaders  = 32   // of one webhook

	maxHeaderName  = 100  // bytes
	maxHeaderValue = 4096 // bytes
)

// checkWebhooks checks the webhooks of an app.
func checkWebhooks(c *checker, list []Webhook) {
	if len(list) > MaxWebhooks {
		c.add("webhooks", "must be at most %d", MaxWebhooks)
	}
	for i, hook := range list {
		hook.check(c, item("webhooks", i))
	}
}

func (w Webhook) check(c *checker, field string) {
	if message := CheckWebhookURL(w.URL); message != "" {
		c.add(field+".url", "%s", message)
	}
	for i, name := range w.Events {
		if !slices.Contains(webhookEvents, name) {
			c.add(item(field+".events", i), "must be one of %s", strings.Join(webhookEvents, ", "))
		}
	}
	if len(w.Channels) > MaxWebhookChannels {
		c.add(field+".channels", "must be at most %d prefixes", MaxWebhookChannels)
	}
	for i, prefix := range w.Channels {
		if prefix == "" || len(prefix) > channels.MaxLength {
			c.add(item(field+".channels", i), "must be the beginning of a channel's name, 1 to %d bytes", channels.MaxLength)
		}
	}
	if len(w.Headers) > MaxWebhookHeaders {
		c.add(field+".headers", "must be at most %d", MaxWebhookHeaders)
	}
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		if message := checkHeader(name, w.Headers[name]); message != "" {
			c.add(field+".headers."+name, "%s", message)
		}
	}
}

// CheckWebhookURL returns what is wrong with the URL of a webhook: "has a port that is not from
// 1 to 65535". It does not repeat the URL, which may hold a secret. Empty: nothing is.
func CheckWebhookURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case utf8.RuneCountInString(text) > MaxWebhookURL:
		return fmt.Sprintf("must be at most %d characters", MaxWebhookURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "must be absolute, like https://example.com/pusher"
	case strings.Contains(text, "#"):
		return "must have no # and nothing behind it"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "has a port that is not from 1 to 65535"
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return "has a port that is not from 1 to 65535"
	}
	return ""
}

// ownHeaders are the headers that a webhook may not set: those that make it a webhook,
// and those that frame the request.
var ownHeaders = []string{
	"content-type", "content-length", "content-encoding", "transfer-encoding", "host", "connection", "keep-alive",
	"upgrade", "te", "trailer", "expect", "proxy-connection", "proxy-authorization", "http2-settings",
}

// checkHeader never includes the value, which may be a secret, in its message.
func checkHeader(name, value string) string {
	lower := strings.ToLower(name)
	switch {
	case name == "" || len(name) > maxHeaderName || strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }):
		return "is no name of a header"
	case strings.HasPrefix(lower, "x-pusher-") || slices.Contains(ownHeaders, lower):
		return "is set by the server"
	case len(value) > maxHeaderValue:
		return fmt.Sprintf("has a value of more than %d bytes", maxHeaderValue)
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return "has a value with control characters"
		}
	}
	return ""
}

// isToken reports whether r is a tchar of RFC 9110.
func isToken(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
