package server

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/channels/clientaddr"
)

// strictTransport tells browsers in answers over https to use no http on this host for
// the given time (RFC 6797). It says so neither over http, where anybody could have
// written it, nor on a machine's own name, where other programs serve http.
func strictTransport(age time.Duration, trusted clientaddr.Proxies) gin.HandlerFunc {
	value := "max-age=" + strconv.FormatInt(int64(age/time.Second), 10)
	return func(c *gin.Context) {
		if age > 0 && overTLS(c.Request, trusted) && hasDomain(c.Request.Host) {
			c.Header("Strict-Transport-Security", value)
		}
	}
}

// overTLS reports whether the client reached this server, or the trusted proxy before it,
// over https.
func overTLS(r *http.Request, trusted clientaddr.Proxies) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header.Values("X-Forwarded-Proto")
	peer, ok := clientaddr.Parse(r.RemoteAddr)
	if len(said) == 0 || !ok || !trusted.Contains(peer) {
		return false
	}
	last := said[len(said)-1] // a proxy that appends puts its own last
	return strings.EqualFold(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]), "https")
}

// hasDomain reports whether a Host header names a domain: not an address, and not this
// machine.
func hasDomain(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	_, err = netip.ParseAddr(strings.Trim(name, "[]"))
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return err != nil && name != "" && name != "localhost" && !strings.HasSuffix(name, ".localhost")
}
