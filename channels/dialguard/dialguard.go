// Package dialguard keeps the program from dialing addresses that users must not
// reach through it: this machine, its networks, a cloud's metadata service. It guards
// requests to URLs that users give, such as those of webhooks and files.
//
// It imports nothing of ours. The list of special-purpose networks comes from the
// library, which is generated from IANA's registries.
package dialguard

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// ErrNotPublic reports that a name or URL leads to an address outside the public
// internet. The errors of Control and of a transport from NewTransport match it.
var ErrNotPublic = errors.New("the address is not of the public internet")

// azureHost is where Azure serves every virtual machine on its host: agents,
// certificates, settings. The address is public, but it is routed inside Azure alone.
var azureHost = netip.MustParsePrefix("168.63.129.16/32")

var guardian = ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(azureHost))

// NewTransport returns a transport for URLs that users give. Unless allowPrivate is
// set, it dials only addresses of the public internet. Redirects are checked too, as
// each dials again. It ignores the proxies of the environment: a proxy would resolve
// the name itself, where Control cannot check the address. timeout bounds the dial and
// the TLS handshake, each. The caller owns the transport and may set its other fields.
func NewTransport(timeout time.Duration, allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.Control = Control
	}
	return &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, DisableCompression: true}
}

// Control is a net.Dialer's Control. It refuses addresses outside the public internet
// with ErrNotPublic. It checks the address about to be dialed, after the name was
// resolved, so a name that resolves differently the second time gains nothing.
func Control(network, address string, c syscall.RawConn) error {
	if ap, err := netip.ParseAddrPort(address); err == nil && nat64.Contains(ap.Addr()) {
		b := ap.Addr().As16()
		inner := netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:])), ap.Port())
		network, address = "tcp4", inner.String()
	}
	if err := guardian.Safe(network, address, c); err != nil {
		return fmt.Errorf("%w: %w", ErrNotPublic, err)
	}
	return nil
}

// nat64 addresses hold an IPv4 address in their last four bytes. A host without IPv4
// reaches the public internet through them, and its own networks too. The library
// refuses all of them.
var nat64 = ssrf.IPv6NAT64Prefix

// Public reports whether an address is of the public internet.
func Public(address netip.Addr) bool {
	address = address.Unmap()
	network := "tcp6"
	if address.Is4() {
		network = "tcp4"
	}
	return Control(network, netip.AddrPortFrom(address, 80).String(), nil) == nil
}
