package clientaddr_test

import (
	"net/netip"
	"strings"
	"testing"

	"chatcast/channels/clientaddr"
)

func proxies(t testing.TB, list ...string) clientaddr.Proxies {
	t.Helper()
	p, err := clientaddr.ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestClient(t *testing.T) {
	p := proxies(t, "127.0.0.1", "10.0.0.0/8", "::1/128", "2001:db8:ffff::/48")
	for _, tt := range []struct {
		name, peer, want string
		forwarded        []string
	}{
		{"without a proxy", "192.0.2.1:4711", "192.0.2.1", nil},
		{"a client that calls itself another", "192.0.2.1:4711", "192.0.2.1", []string{"203.0.113.9"}},
		{"behind a proxy", "127.0.0.1:1", "203.0.113.9", []string{"203.0.113.9"}},
		{"behind two", "127.0.0.1:1", "203.0.113.9", []string{"203.0.113.9, 10.1.2.3"}},
		{"with a made up one in front", "127.0.0.1:1", "203.0.113.9", []string{"198.51.100.1, 203.0.113.9,10.1.2.3"}},
		{"a made up header line", "127.0.0.1:1", "203.0.113.9", []string{"198.51.100.1", "203.0.113.9"}},
		{"a made up line that ends with a proxy", "127.0.0.1:1", "203.0.113.9", []string{"198.51.100.1, 10.1.1.1", "203.0.113.9, 10.1.2.3"}},
		{"with a port, as Azure writes", "127.0.0.1:1", "203.0.113.9", []string{"203.0.113.9:52011"}},
		{"IPv6", "[::1]:1", "2001:db8::1", []string{"2001:db8::1"}},
		{"IPv6 in brackets", "[::1]:1", "2001:db8::1", []string{"[2001:db8::1]"}},
		{"IPv6 with a port", "[::1]:1", "2001:db8::1", []string{"[2001:db8::1]:443"}},
		{"IPv4 as IPv6", "[::ffff:127.0.0.1]:1", "203.0.113.9", []string{"::ffff:203.0.113.9"}},
		{"a zone", "[fe80::1%eth0]:1", "fe80::1", nil},
		{"only proxies", "127.0.0.1:1", "10.1.1.1", []string{"10.1.1.1, 10.2.2.2"}},
		{"a name of no address", "127.0.0.1:1", "10.2.2.2", []string{"198.51.100.1, unknown, 10.2.2.2"}},
		{"an empty value", "127.0.0.1:1", "127.0.0.1", []string{""}},
		{"a value that ends with a comma", "127.0.0.1:1", "127.0.0.1", []string{"198.51.100.1,"}},
		{"a peer that is no address", "@", "invalid IP", []string{"198.51.100.1"}},
	} {
		if got := p.Client(tt.peer, tt.forwarded).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestParseProxies(t *testing.T) {
	for _, wrong := range []string{"loopback", "", "10.0.0.0/33", "::ffff:10.0.0.0/104", "10.0.0.1:80"} {
		if _, err := clientaddr.ParseProxies([]string{"127.0.0.1", wrong}); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if p := proxies(t, "::ffff:10.0.0.1"); !p.Contains(netip.MustParseAddr("10.0.0.1")) {
		t.Error("an IPv4 address that is written as IPv6 is another one")
	}
}

func TestNetworks(t *testing.T) {
	for addr, want := range map[string][2]string{
		"192.0.2.77":               {"192.0.2.77/32", "192.0.2.0/24"},
		"::ffff:192.0.2.77":        {"192.0.2.77/32", "192.0.2.0/24"},
		"2001:db8:1:2:3:4:5:6":     {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"2001:db8:1:2:ffff::%eth0": {"2001:db8:1:2::/64", "2001:db8:1::/48"},
	} {
		a := netip.MustParseAddr(addr)
		if got := [2]string{clientaddr.Network(a).String(), clientaddr.Neighbourhood(a).String()}; got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
}

// FuzzClient appends the address that a trusted proxy has seen to whatever a client
// sends. Nothing that the client sends may hide it.
func FuzzClient(f *testing.F) {
	p := proxies(f, "127.0.0.1", "10.0.0.0/8", "::1")
	for _, s := range []string{"", ",", "198.51.100.1", "[2001:db8::1]:443", "unknown", "10.0.0.1, ", "[[::1]", "1.2.3.4:99999", ",,,[", "::ffff:10.0.0.1%x"} {
		f.Add(s, uint8(0))
	}
	seen := []string{"203.0.113.9", "203.0.113.9:1", "2001:db8::9", "[2001:db8::9]", "[2001:db8::9]:443"}
	f.Fuzz(func(t *testing.T, sent string, form uint8) {
		by := seen[int(form)%len(seen)]
		want, _ := clientaddr.Parse(by)
		for name, forwarded := range map[string][]string{"one line": {sent + "," + by}, "two lines": {sent, by}, "two proxies": {sent + ", " + by + ", 10.0.0.1:80"}} {
			if got := p.Client("127.0.0.1:1", forwarded); got != want {
				t.Errorf("%s of %q and %s: %s", name, sent, by, got)
			}
		}
		if got := p.Client("192.0.2.1:1", []string{sent}); got != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("%q from nobody's proxy: %s", sent, got)
		}
		if a, ok := clientaddr.Parse(sent); ok {
			if again, ok := clientaddr.Parse(a.String()); !ok || again != a || a.Is4In6() || a.Zone() != "" {
				t.Errorf("%q: %v, then %v", sent, a, again)
			}
		}
	})
}
