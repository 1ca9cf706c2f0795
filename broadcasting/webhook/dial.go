package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate says that an endpoint's name leads to an address that is not of the
// public internet.
var ErrPrivate = errors.New("webhook: the address is private, loopback, link-local or otherwise not public; webhooks.allow_private_targets lets webhooks go there")

// Bounds of an answer.
const (
	answerHeader = 16 << 10
	answerBody   = 4 << 10 // read to use the connection again; more is cut
)

// newTransport dials itself, past any proxy of the environment: behind one, the
// addresses could not be seen.
func newTransport(allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{Timeout: postTime, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.ControlContext = refusePrivate
	}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: postTime, MaxResponseHeaderBytes: answerHeader,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
}

// refusePrivate is asked with the very address that is about to be dialled, after
// its name was resolved: a name that resolves differently the second time gains
// nothing.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrPrivate, address)
	}
	if !public(ap.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivate, ap.Addr())
	}
	return nil
}

// notPublic are what netip does not name: IANA's special-purpose registries.
var notPublic = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

// nat64 holds an IPv4 address in its last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// public says whether a is an address of the public internet.
func public(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		return public(netip.AddrFrom4([4]byte(b[12:])))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
