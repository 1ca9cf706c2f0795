package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What the pages may load and do. All that they need comes from this server: no inline
// scripts, no scripts made from strings, no framing.
const (
	common = "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; " +
		"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "

	// The app makes no HTML from strings, so the policy forbids it: if a mistake lets
	// text of customers through, it stays text.
	appScripts = "script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "

	// /try runs the snippet that the user reads in the console. The console passes it
	// over a BroadcastChannel, which only pages of this origin can join, and the page
	// runs it as a blob. Only a script that already runs can make a blob's URL, and the
	// URL loads only in the origin that made it. So injected markup runs nothing, as on
	// the other pages. /try is a page of its own, so that the console's policy needs no
	// blobs.
	tryScripts = "script-src 'self' blob:; "

	landing = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// hostName matches a name or an IPv4 address. A Host header is chosen by the sender,
// and what is copied from it into a policy must not be able to end a source or a
// directive. Policies have no syntax for IPv6 addresses.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// sources returns the connect-src for a page of host that also knows the server's
// public URL. It names ws: and wss: sources beside 'self', which in older browsers does
// not cover them.
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

// validHost reports whether host is a name with an optional port.
func validHost(host string) bool {
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
			return false
		}
	}
	return hostName.MatchString(name) && !strings.Contains(name, "..")
}

// protect sets the headers of every page.
func protect(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
}
