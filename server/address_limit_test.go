package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/channels/clientaddr"
	"chatcast/server"
)

// TestPerAddressCountsNetworks opens four sockets from each list of addresses, where two
// are allowed, and counts those that are refused.
func TestPerAddressCountsNetworks(t *testing.T) {
	proxies, err := clientaddr.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		address string // with the number of the socket
		refused int
	}{
		{"one IPv4 address", "192.0.2.1", 2},
		{"IPv4 addresses", "192.0.2.N", 0},
		{"one IPv4 address, as IPv6", "::ffff:192.0.2.1", 2},
		{"one /64", "2001:db8::N", 2},
		{"several /64", "2001:db8:0:N::1", 0},
		{"loopback", "127.0.0.1", 0},
		{"loopback of IPv6", "::1", 0},
		{"a proxy that names no client", "10.0.0.1", 0},
		{"a Unix socket", "@", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused := 0
			h := startXHR(t, server.Options{PerAddress: 2, Proxies: proxies, Linger: 100 * time.Millisecond})
			for i := range 4 {
				h.remote = strings.Replace(tt.address, "N", fmt.Sprint(i+1), 1)
				if strings.Contains(h.ask(fmt.Sprintf("/s%d/xhr", i), ""), "address_full") {
					refused++
				}
			}
			if refused != tt.refused {
				t.Errorf("%d sockets were refused, want %d", refused, tt.refused)
			}
		})
	}
}
