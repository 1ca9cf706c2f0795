package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/channels/clientaddr"
)

// ownOriginKey marks the context of a request from a page of this server.
const ownOriginKey = "chatcast.ownOrigin"

// ForeignOrigin returns the origin of the page that a request comes from. It is empty
// when the sender is not a browser, and when the page is this server's own, which no
// list of origins shuts out.
func ForeignOrigin(c *gin.Context) string {
	if c.GetBool(ownOriginKey) {
		return ""
	}
	return c.GetHeader("Origin")
}

// ownOrigin knows the pages of this server.
type ownOrigin struct {
	publicURL *url.URL // nil: not configured
	trusted   clientaddr.Proxies
}

// findOwnOrigin notes whether a request comes from a page of this server. publicURL may
// be empty.
func findOwnOrigin(publicURL string, trusted clientaddr.Proxies) gin.HandlerFunc {
	own := ownOrigin{trusted: trusted}
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		own.publicURL = u
	}
	return func(c *gin.Context) {
		if own.matches(c.Request) {
			c.Set(ownOriginKey, true)
		}
	}
}

// matches reports whether r comes from a page of the public URL, or of the address that
// r itself was sent to.
//
// The sender chooses the Host header, and so does the owner of a name that leads to this
// server (DNS rebinding): a page of such a name would pass for the server's own. A
// configured public URL therefore is the server's only name. Addresses, and localhost,
// belong to nobody who could lead them elsewhere.
func (o ownOrigin) matches(r *http.Request) bool {
	page, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || page.Host == "" || page.Opaque != "" {
		return false
	}
	if u := o.publicURL; u != nil {
		if sameOrigin(page, u.Scheme, u.Host, "") {
			return true
		}
		if !unmovable(page.Hostname()) {
			return false
		}
	}
	peer, ok := clientaddr.Parse(r.RemoteAddr)
	if !ok || !o.trusted.Contains(peer) {
		return sameOrigin(page, schemeOf(r), r.Host, "")
	}
	return o.matchesForwarded(page, r)
}

// matchesForwarded is matches for a request of a trusted proxy, whose headers say what
// the browser sees. Many proxies do not tell the scheme; then it is not compared.
func (o ownOrigin) matchesForwarded(page *url.URL, r *http.Request) bool {
	scheme, port := last(r.Header, "X-Forwarded-Proto"), last(r.Header, "X-Forwarded-Port")
	switch scheme {
	case "":
		scheme = page.Scheme
	case "ws", "wss":
		scheme = "http" + strings.TrimPrefix(scheme, "ws")
	}
	hosts := []string{r.Host}
	if host := last(r.Header, "X-Forwarded-Host"); host != "" {
		hosts = append(hosts, host)
	}
	for _, host := range hosts {
		if sameOrigin(page, scheme, host, port) {
			return true
		}
	}
	return false
}

// sameOrigin reports whether page is an origin of this scheme and host. If host has no
// port, port is its port; if that is empty too, the scheme's own.
func sameOrigin(page *url.URL, scheme, host, port string) bool {
	u := url.URL{Scheme: scheme, Host: host}
	if page.Scheme != "http" && page.Scheme != "https" || !strings.EqualFold(page.Scheme, scheme) ||
		!strings.EqualFold(page.Hostname(), u.Hostname()) {
		return false
	}
	if p := u.Port(); p != "" {
		port = p
	}
	return portOf(page.Scheme, page.Port()) == portOf(page.Scheme, port)
}

func portOf(scheme, port string) string {
	switch {
	case port != "":
		return port
	case scheme == "https":
		return "443"
	}
	return "80"
}

// unmovable reports whether no name server decides where host leads.
func unmovable(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// last returns the last value of a header, which may be a list: the one that the nearest
// proxy has written.
func last(h http.Header, name string) string {
	values := h.Values(name)
	if len(values) == 0 {
		return ""
	}
	list := values[len(values)-1]
	return strings.ToLower(strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:]))
}
