// Package clientaddr tells which address a request comes from, and which network an
// address is counted as by a limit per address. It imports nothing of ours.
//
// A proxy appends the address of whoever connected to it to X-Forwarded-For. So only
// what trusted proxies have appended is known; what stands before was sent by the
// client, and may be anything. Other headers, such as X-Real-IP, are not read: a proxy
// that does not set one passes on the client's.
package clientaddr

import (
	"fmt"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For is believed. The zero value trusts
// nobody.
type Proxies []netip.Prefix

// ParseProxies reads a list of addresses and networks such as 10.0.0.0/8. Its error
// names the first wrong one.
func ParseProxies(list []string) (Proxies, error) {
	var p Proxies
	for _, text := range list {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, err
		}
		p = append(p, network)
	}
	return p, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("must be an address or a network such as 10.0.0.0/8, not %q", text)
	}
	return network, nil
}

// Contains reports whether addr is a trusted proxy. An IPv4 address is the same one
// when it is written as IPv6.
func (p Proxies) Contains(addr netip.Addr) bool {
	addr = plain(addr)
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Client returns the address that a request comes from. peer is the address of its
// connection, with or without port, and forwarded holds the values of X-Forwarded-For in
// their order. The addresses are read from the right, as long as a trusted proxy has
// written them, up to the first that is not a trusted proxy. An entry that is no address
// ends the search: the request is its proxy's. Client returns the zero Addr when peer
// is no address.
func (p Proxies) Client(peer string, forwarded []string) netip.Addr {
	client, ok := Parse(peer)
	if !ok {
		return netip.Addr{}
	}
	for i := len(forwarded) - 1; i >= 0; i-- {
		for rest, more := forwarded[i], true; more; {
			if !p.Contains(client) {
				return client
			}
			entry := rest
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, entry = rest[:at], rest[at+1:]
			} else {
				more = false
			}
			next, ok := Parse(strings.Trim(entry, " \t"))
			if !ok {
				return client
			}
			client = next
		}
	}
	return client
}

// Parse reads an address, with or without a port and brackets: 192.0.2.1,
// 192.0.2.1:443, 2001:db8::1, [2001:db8::1] and [2001:db8::1]:443. It drops the port and
// the zone. An IPv4 address that is written as IPv6 becomes IPv4.
func Parse(text string) (netip.Addr, bool) {
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return plain(addr), err == nil && addr.Is6()
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return plain(addr), true
	}
	ap, err := netip.ParseAddrPort(text)
	return plain(ap.Addr()), err == nil
}

func plain(addr netip.Addr) netip.Addr { return addr.WithZone("").Unmap() }

// Network returns the network that limits count addr as: an IPv4 address itself, and
// the /64 of an IPv6 address, because one customer has a whole /64.
func Network(addr netip.Addr) netip.Prefix { return network(addr, 32, 64) }

// Neighbourhood returns the network that an attacker may be expected to have many
// addresses of: the /24 of an IPv4 address, and the /48 of an IPv6 address.
func Neighbourhood(addr netip.Addr) netip.Prefix { return network(addr, 24, 48) }

func network(addr netip.Addr, bits4, bits6 int) netip.Prefix {
	addr = plain(addr)
	bits := bits6
	if addr.Is4() {
		bits = bits4
	}
	p, _ := addr.Prefix(bits) // it fails only for the zero Addr, which has the zero Prefix
	return p
}
