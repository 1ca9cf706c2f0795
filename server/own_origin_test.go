package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting/apps"
	"chatcast/server"
)

// TestOwnOrigin: a list of origins shuts out neither the server's own pages nor those of
// its public URL, and lets in nobody who only says so.
func TestOwnOrigin(t *testing.T) {
	const direct, proxy = "198.51.100.7:4000", "10.0.0.1:4000"
	const public = "https://chat.example.com"
	for name, test := range map[string]struct {
		publicURL, from, host, origin string
		headers                       string // NAME: VALUE lines
		want                          bool
	}{
		"address":                        {"", direct, "192.0.2.1:6001", "http://192.0.2.1:6001", "", true},
		"name":                           {"", direct, "chat.example:6001", "http://CHAT.example:6001", "", true},
		"port of the scheme":             {"", direct, "chat.example", "http://chat.example", "", true},
		"port written out":               {"", direct, "chat.example:80", "http://chat.example", "", true},
		"IPv6":                           {"", direct, "[2001:db8::1]:6001", "http://[2001:db8::1]:6001", "", true},
		"another port":                   {"", direct, "chat.example:6001", "http://chat.example:6002", "", false},
		"another scheme":                 {"", direct, "chat.example", "https://chat.example", "", false},
		"another name":                   {"", direct, "chat.example:6001", "http://evil.example:6001", "", false},
		"not a page":                     {"", direct, "chat.example:6001", "app://chat.example:6001", "", false},
		"null":                           {"", direct, "chat.example:6001", "null", "", false},
		"no host":                        {"", direct, "", "http://", "", false},
		"nonsense":                       {"", direct, "chat.example", "http://[::1", "", false},
		"public URL":                     {public, direct, "127.0.0.1:6001", public, "", true},
		"public URL, other scheme":       {public, direct, "127.0.0.1:6001", "http://chat.example.com", "", false},
		"public URL, other port":         {public, direct, "127.0.0.1:6001", public + ":8443", "", false},
		"public URL with a port":         {public + ":8443", direct, "127.0.0.1:6001", public + ":8443", "", true},
		"a name that was led here":       {public, direct, "evil.example:6001", "http://evil.example:6001", "", false},
		"address beside a public URL":    {public, direct, "192.0.2.1:6001", "http://192.0.2.1:6001", "", true},
		"localhost beside a public URL":  {public, direct, "localhost:6001", "http://localhost:6001", "", true},
		"proxy ends TLS":                 {"", proxy, "chat.example", "https://chat.example", "X-Forwarded-Proto: https", true},
		"proxy without TLS":              {"", proxy, "chat.example", "https://chat.example", "X-Forwarded-Proto: http", false},
		"proxy tells wss":                {"", proxy, "chat.example", "https://chat.example", "X-Forwarded-Proto: wss", true},
		"proxy does not tell the scheme": {"", proxy, "chat.example", "https://chat.example", "", true},
		"proxy replaces the host":        {"", proxy, "127.0.0.1:6001", "https://chat.example", "X-Forwarded-Host: chat.example\nX-Forwarded-Proto: https", true},
		"proxies in a row":               {"", proxy, "b", "https://chat.example", "X-Forwarded-Host: other.example, chat.example", true},
		"proxy drops the port":           {"", proxy, "chat.example", "https://chat.example:8443", "X-Forwarded-Port: 8443", true},
		"proxy on another port":          {"", proxy, "chat.example", "https://chat.example:8443", "X-Forwarded-Port: 443", false},
		"a client that says it":          {"", direct, "127.0.0.1:6001", "https://evil.example", "X-Forwarded-Host: evil.example\nX-Forwarded-Proto: https", false},
		"a client that tells the scheme": {"", direct, "chat.example", "https://chat.example", "X-Forwarded-Proto: https", false},
	} {
		t.Run(name, func(t *testing.T) {
			origins, err := apps.ParseOrigins([]string{"https://crm.example"})
			if err != nil {
				t.Fatal(err)
			}
			g, err := server.NewRouter(server.RouterOptions{
				Origins: origins, PublicURL: test.publicURL, TrustedProxies: []string{"10.0.0.0/8"}, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			g.GET("/", func(c *gin.Context) { c.String(http.StatusOK, server.ForeignOrigin(c)) })
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = test.from, test.host
			r.Header.Set("Origin", test.origin)
			for line := range strings.Lines(test.headers) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				r.Header.Set(key, value)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			wantForeign, wantAllowed := test.origin, ""
			if test.want {
				wantForeign, wantAllowed = "", test.origin
			}
			if got := w.Body.String(); got != wantForeign {
				t.Errorf("the foreign origin is %q, want %q", got, wantForeign)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != wantAllowed {
				t.Errorf("Access-Control-Allow-Origin is %q, want %q", got, wantAllowed)
			}
		})
	}
}
