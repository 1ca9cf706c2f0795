package apps_test

import (
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
)

func TestOrigins(t *testing.T) {
	origins, err := apps.ParseOrigins([]string{"https://App.example", "http://localhost:8080", "https://*.example.org", "https://pr-*.example.net",
		"http://127.0.0.1:*", "http://[::1]:*", "https://*.dev.example:*"})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{
		"":                               true, // not a browser
		"https://app.example":            true,
		"HTTPS://APP.EXAMPLE":            true,
		"http://app.example":             false,
		"https://app.example.evil":       false,
		"https://app.example:444":        false,
		"http://localhost:8080":          true,
		"http://localhost:8081":          false,
		"https://a.example.org":          true,
		"https://a.b.example.org":        true,
		"https://.example.org":           false,
		"https://example.org":            false,
		"https://evil/.example.org":      false,
		"https://evil:1@a.example.org":   false,
		"https://pr-12.example.net":      true,
		"https://pr-12.example.net.evil": false,
		"null":                           false,
		"http://127.0.0.1":               true, // the port of http
		"http://127.0.0.1:3000":          true,
		"https://127.0.0.1:3000":         false,
		"http://127.0.0.1:":              false,
		"http://127.0.0.1:x":             false,
		"http://127.0.0.1:3000:4000":     false,
		"http://127.0.0.1.evil:3000":     false,
		"http://[::1]":                   true,
		"http://[::1]:5173":              true,
		"https://a.dev.example:8443":     true,
		"https://a.dev.example":          true,
		"https://.dev.example:1":         false,
		"https://evil:1@a.dev.example:1": false,
	} {
		if got := origins.Allow(origin); got != want {
			t.Errorf("Allow(%q) = %v, want %v", origin, got, want)
		}
	}
	for _, list := range [][]string{nil, {"*"}, {"https://app.example", "*"}} {
		if o, err := apps.ParseOrigins(list); err != nil || !o.Any() || !o.Allow("null") {
			t.Errorf("ParseOrigins(%v): %v, any %v", list, err, o.Any())
		}
	}
}

func TestOriginsThatNoBrowserSends(t *testing.T) {
	for _, entry := range []string{
		"", "app.example", "//app.example", "https://", "https://app.example/", "https://app.example/x",
		"https://app.example?x", "https://me@app.example", "https://*.*.example", "*://app.example",
		"https://app.example:443", "http://app.example:80", "null", "http://[::1", "https://a b",
		"http://localhost:80*", "http://localhost:8080:*", "localhost:*", "http:*", ":*", "http://*.*.example:*",
	} {
		if _, err := apps.ParseOrigins([]string{entry}); err == nil || !strings.Contains(err.Error(), "origin") {
			t.Errorf("ParseOrigins(%q): error %v, want one that names it", entry, err)
		}
	}
}
