package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What the pages may load and do. All that they need comes from here: no inline
// script, no script made from a string, nobody's frame.
const (
	common = "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; " +
		"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "

	// The app makes no HTML out of strings, so none may be made: text of customers
	// that a mistake would let through stays text.
	appScripts = "script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "

	// /try runs the snippet that the user reads in the console. The console hands
	// it over in a BroadcastChannel, which only pages of this origin can enter, and
	// the page runs it as a blob. The URL of a blob can be made only by a script
	// that runs already, and loads only in the origin that made it. So markup that
	// somebody smuggles in runs nothing, as on the other pages. And it is a page of
	// its own: the console's policy stays without blobs.
	tryScripts = "script-src 'self' blob:; "

	landing = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// hostName is a name or an IPv4 address. A Host header is the sender's word, and
// what is copied from it into a policy must not be able to end a source or a
// directive. IPv6 addresses have no spelling in policies.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// sources is the connect-src for a page of host that also knows the server's
// public URL. Sockets are named beside 'self', which older browsers do not
// stretch to ws: and wss:.
func sources(host, publicURL string) string {
	list := "connect-src 'self'"
	if validHost(host) {
		list += " ws://" + host + " wss://" + host
	}
	if u, err := url.Parse(publicURL); err == nil && u.Host != host && validHost(u.Host) {
		switch u.Scheme {
		case "https":
			list += " https://" + u.Host + " wss://" + u.Host
		case "http":
			list += " http://" + u.Host + " ws://" + u.Host
		}
	}
	return list
}

// validHost says whether host is a name, and perhaps a port.
func validHost(host string) bool {
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
			return false
		}
	}
	return hostName.MatchString(name) && !strings.Contains(name, "..")
}

// protect sets what stands on every page.
func protect(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
}
