package server

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestStrictTransport checks in which answers browsers are told to use https alone.
func TestStrictTransport(t *testing.T) {
	const year, want, stranger, proxy, domain = 365 * 24 * time.Hour, "max-age=31536000", "192.0.2.1:5", "127.0.0.1:5", "chat.example.com"
	for name, c := range map[string]struct {
		age       time.Duration
		tls       bool
		peer      string
		host      string
		forwarded []string
		want      string
	}{
		"https":                            {year, true, stranger, "chat.example.com:6001", nil, want},
		"http":                             {year, false, stranger, domain, nil, ""},
		"off":                              {0, true, stranger, domain, nil, ""},
		"a proxy's https":                  {year, false, proxy, domain, []string{"HTTPS"}, want},
		"a proxy's http":                   {year, false, proxy, domain, []string{"http"}, ""},
		"a proxy that appends":             {year, false, proxy, domain, []string{"http, https"}, want},
		"a proxy that appends http":        {year, false, proxy, domain, []string{"https", "https, http"}, ""},
		"a stranger who says so":           {year, false, stranger, domain, []string{"https"}, ""},
		"an address":                       {year, true, stranger, "[2001:db8::1]:443", nil, ""},
		"an IPv4 address":                  {year, true, stranger, "192.0.2.7", nil, ""},
		"this machine":                     {year, true, proxy, "localhost:6001", nil, ""},
		"a name of this machine, absolute": {year, true, proxy, "Chat.Localhost.", nil, ""},
		"no host":                          {year, true, stranger, "", nil, ""},
	} {
		r, err := NewRouter(RouterOptions{HSTS: c.age, TrustedProxies: []string{"127.0.0.0/8"}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/none", http.NoBody)
		req.RemoteAddr, req.Host = c.peer, c.host
		if c.tls {
			req.TLS = &tls.ConnectionState{}
		}
		req.Header["X-Forwarded-Proto"] = c.forwarded
		rec := httptest.NewRecorder()
		r.ServeHTTP(rec, req)
		if got := rec.Header().Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
