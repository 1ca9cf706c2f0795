package crm

import (
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chatcast/channels"
)

// AppWebhook is where an app is told of what happens on its channels.
type AppWebhook struct {
	URL      string            `json:"url"`
	Events   []string          `json:"events"`   // kinds; empty: all
	Channels []string          `json:"channels"` // beginnings of names; empty: all
	Headers  map[string]string `json:"headers"`  // to send along; shown as HiddenHeader
	Single   bool              `json:"single"`   // one event in each request
}

// String keeps URLs and headers, which may hold secrets, out of logs.
func (AppWebhook) String() string { return "a webhook" }

// GoString keeps %#v from showing more.
func (w AppWebhook) GoString() string { return w.String() }

// HiddenHeader stands in answers for the value of a webhook's header, which is
// never shown. Sent back, it leaves the value as it is.
const HiddenHeader = "********"

const (
	maxAppHooks   = 20
	maxHookURL    = 2048
	maxHookHeader = 20
	maxHookValue  = 4096
	maxHookPrefix = 100 // of Channels
)

// appHookEvents are the kinds of events of the Pusher protocol's webhooks.
var appHookEvents = []string{
	"channel_occupied", "channel_vacated", "member_added", "member_removed", "client_event", "cache_miss", "subscription_count",
}

// readHooks is in as it is kept; hidden headers have the values of old.
func readHooks(in, old []AppWebhook) ([]AppWebhook, error) {
	if len(in) > maxAppHooks {
		return nil, Invalid("webhooks", "has more than %d entries", maxAppHooks)
	}
	var violations []error
	list := make([]AppWebhook, len(in))
	for i, w := range in {
		field := fmt.Sprintf("webhooks[%d]", i)
		list[i] = AppWebhook{URL: w.URL, Events: []string{}, Channels: append([]string{}, w.Channels...), Headers: map[string]string{}, Single: w.Single}
		violations = append(violations, checkHookURL(field+".url", w.URL), checkHookChannels(field+".channels", w.Channels))
		for j, kind := range w.Events {
			if !slices.Contains(appHookEvents, kind) {
				violations = append(violations, Invalid(fmt.Sprintf("%s.events[%d]", field, j), "must be one of %s", strings.Join(appHookEvents, ", ")))
			} else if !slices.Contains(list[i].Events, kind) {
				list[i].Events = append(list[i].Events, kind)
			}
		}
		if len(w.Headers) > maxHookHeader {
			violations = append(violations, Invalid(field+".headers", "has more than %d headers", maxHookHeader))
			continue
		}
		for name, value := range w.Headers {
			if value == HiddenHeader {
				value = oldHeader(old, w.URL, name)
			}
			violations = append(violations, checkHookHeader(field+".headers", name, value))
			list[i].Headers[name] = value
		}
	}
	return list, allViolations(violations...)
}

func checkHookChannels(field string, prefixes []string) error {
	if len(prefixes) > maxHookPrefix {
		return Invalid(field, "has more than %d entries", maxHookPrefix)
	}
	for i, prefix := range prefixes {
		if prefix == "" || len(prefix) > channels.MaxLength || checkText(field, prefix, channels.MaxLength) != nil {
			return Invalid(fmt.Sprintf("%s[%d]", field, i), "must be the beginning of a channel's name, 1 to %d bytes", channels.MaxLength)
		}
	}
	return nil
}

// oldHeader is the value of a header of the webhook with this URL; HiddenHeader
// when there is none.
func oldHeader(old []AppWebhook, url, name string) string {
	for _, w := range old {
		if value, ok := w.Headers[name]; ok && w.URL == url {
			return value
		}
	}
	return HiddenHeader
}

func checkHookURL(field, text string) error {
	if err := checkText(field, text, maxHookURL); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", strings.Contains(text, "#"):
		return Invalid(field, "must be like https://example.com/hooks")
	case u.User != nil:
		return Invalid(field, "must not hold a name or password; put it in a header")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if u.Port() != "" && (err != nil || port == 0) || strings.HasSuffix(u.Host, ":") {
		return Invalid(field, "has a port that is not from 1 to 65535")
	}
	return nil
}

// hookHeaderForm are the characters of a header's name.
const hookHeaderForm = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// reservedHeaders are those that the sender of webhooks sets itself.
var reservedHeaders = []string{
	"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host", "Http2-Settings", "Keep-Alive",
	"Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func checkHookHeader(field, name, value string) error {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case name == "" || len(name) > 100 || strings.Trim(name, hookHeaderForm) != "":
		return Invalid(field, "has %q, which is no name of a header", shortName(name))
	case slices.Contains(reservedHeaders, canonical), strings.HasPrefix(canonical, "X-Pusher-"):
		return Invalid(field, "has %s, which is not for you to set", canonical)
	case value == HiddenHeader:
		return Invalid(field, "has %s with the value that stands for a hidden one; there is none to keep", canonical)
	case len(value) > maxHookValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }):
		return Invalid(field, "has a value of %s that is no header's: at most %d printable ASCII characters", canonical, maxHookValue)
	}
	return nil
}

// HideHeaders is list without the values of headers and the passwords of URLs, as
// it may be shown.
func HideHeaders(list []AppWebhook) []AppWebhook {
	shown := make([]AppWebhook, len(list))
	for i, w := range list {
		shown[i] = AppWebhook{
			URL: hidePassword(w.URL), Events: append([]string{}, w.Events...), Channels: append([]string{}, w.Channels...),
			Headers: map[string]string{}, Single: w.Single,
		}
		for name := range w.Headers {
			shown[i].Headers[name] = HiddenHeader
		}
	}
	return shown
}

// hidePassword is a URL without its password: that of the configuration may have
// one.
func hidePassword(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	return u.Redacted()
}
