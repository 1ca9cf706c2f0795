package crm

import (
	"fmt"
	"net/url"

	"chatcast/broadcasting/apps"
	"chatcast/channels"
)

// HiddenHeader replaces the value of a webhook's header in answers, because the value
// is never shown. A client that sends it back leaves the value as it is.
const HiddenHeader = "********"

// hideSecrets hides the values of headers and the passwords of URLs in list. It
// changes list and its headers in place.
func hideSecrets(list []apps.Webhook) []apps.Webhook {
	for i, w := range list {
		if u, err := url.Parse(w.URL); err == nil && u.User != nil { // only a webhook of the configuration can have one
			list[i].URL = u.Redacted()
		}
		for name := range w.Headers {
			w.Headers[name] = HiddenHeader
		}
	}
	return list
}

// unhide returns a copy of list, as a client sent it, in which hidden headers have the
// values of old. It refuses values that could not be shown and sent back again: a
// hidden value that old does not have, and a URL with a password, which
// apps.App.Check allows.
func unhide(list, old []apps.Webhook) ([]apps.Webhook, error) {
	var violations []error
	shown := make([]apps.Webhook, len(list))
	for i, w := range list {
		field := fmt.Sprintf("webhooks[%d]", i)
		shown[i] = w
		shown[i].Headers = make(map[string]string, len(w.Headers))
		for name, value := range w.Headers {
			if value == HiddenHeader {
				value = oldHeader(old, w.URL, name)
			}
			if value == HiddenHeader {
				violations = append(violations, Invalid(field+".headers", "has %q with the value that stands for a hidden one; there is none to keep", shortName(name)))
			}
			shown[i].Headers[name] = value
		}
		if u, err := url.Parse(w.URL); err == nil && u.User != nil {
			violations = append(violations, Invalid(field+".url", "must not hold a name or password; put it in a header"))
		}
		for j, prefix := range w.Channels {
			violations = append(violations, checkText(fmt.Sprintf("%s.channels[%d]", field, j), prefix, channels.MaxLength))
		}
	}
	return shown, allViolations(violations...)
}

// oldHeader returns the value of a header of the webhook with this URL, or
// HiddenHeader when there is none.
func oldHeader(old []apps.Webhook, url, name string) string {
	for _, w := range old {
		if value, ok := w.Headers[name]; ok && w.URL == url {
			return value
		}
	}
	return HiddenHeader
}
