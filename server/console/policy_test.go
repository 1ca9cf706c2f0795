package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// directives parses a Content-Security-Policy.
func directives(t *testing.T, h http.Header) map[string][]string {
	t.Helper()
	if n := len(h.Values("Content-Security-Policy")); n != 1 {
		t.Fatalf("%d policies", n)
	}
	all := map[string][]string{}
	for directive := range strings.SplitSeq(h.Get("Content-Security-Policy"), ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		if _, twice := all[words[0]]; twice {
			t.Errorf("%s stands twice", words[0])
		}
		all[words[0]] = words[1:]
	}
	return all
}

func TestPolicies(t *testing.T) {
	handler := server(t, built())
	for path, scripts := range map[string][]string{"/": {"'self'"}, "/try": {"'self'", "blob:"}} {
		w := ask(t, handler, "GET", path)
		policy := directives(t, w.Header())
		for name, want := range map[string][]string{
			"default-src": {"'none'"}, "script-src": scripts, "style-src": {"'self'"}, "font-src": {"'self'"}, "manifest-src": {"'self'"},
			"img-src": {"'self'", "data:", "blob:"}, "media-src": {"'self'", "blob:"},
			"base-uri": {"'none'"}, "form-action": {"'none'"}, "frame-ancestors": {"'none'"},
			"connect-src": {"'self'", "ws://chat.example:6001", "wss://chat.example:6001", "https://public.example", "wss://public.example"},
		} {
			if !slices.Equal(policy[name], want) {
				t.Errorf("%s: %s is %v, want %v", path, name, policy[name], want)
			}
		}
		if _, trusted := policy["require-trusted-types-for"]; trusted != (path == "/") {
			t.Errorf("%s: trusted types %v", path, trusted)
		}
		for header, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		if w.Header().Get("Permissions-Policy") == "" {
			t.Errorf("%s has no Permissions-Policy", path)
		}
	}
}

// TestPolicyTrustsNoHost: a policy includes only a host name with an optional port.
func TestPolicyTrustsNoHost(t *testing.T) {
	handler := server(t, built())
	connect := func(host string) []string {
		t.Helper()
		return directives(t, ask(t, handler, "GET", "/", "Host", host).Header())["connect-src"]
	}
	for _, host := range []string{
		"evil.example; script-src *", "evil.example script-src", "*", "*.example", "a,b", "a'b", "a\r\nX-Evil: 1", "a\tb", "é.example",
		"a:b", "a:0", "a:70000", "a:1:2", "a:", "a:06001", ":6001", "a/b", "a@b", "a..b", ".a", "a.", "[::1]:6001", "", strings.Repeat("a", 300), "%61",
	} {
		if got := connect(host); !slices.Equal(got, []string{"'self'", "https://public.example", "wss://public.example"}) {
			t.Errorf("Host %q: connect-src %v", host, got)
		}
	}
	for _, host := range []string{"127.0.0.1:6001", "localhost", "chat.example.com:443", "a", "xn--e1afmkfd.xn--p1ai"} {
		if got := connect(host); !slices.Contains(got, "ws://"+host) || !slices.Contains(got, "wss://"+host) {
			t.Errorf("Host %q: connect-src %v", host, got)
		}
	}
}
