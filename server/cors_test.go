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

func engine(t *testing.T, allowed ...string) http.Handler {
	t.Helper()
	origins, err := apps.ParseOrigins(allowed)
	if err != nil {
		t.Fatal(err)
	}
	g, err := server.NewRouter(server.RouterOptions{Origins: origins, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	g.POST("/broadcasting/auth", func(c *gin.Context) { c.Status(http.StatusForbidden) })
	return g
}

func do(h http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// The headers in a browser's preflight for Laravel Echo and for the documented page.
const echoHeaders = "authorization,content-type,x-csrf-token,x-requested-with,x-socket-id"

func TestPreflight(t *testing.T) {
	for name, test := range map[string]struct {
		allowed []string
		origin  string
		want    string // Access-Control-Allow-Origin
	}{
		"any origin":               {nil, "https://shop.example", "*"},
		"any origin, local file":   {nil, "null", "*"},
		"listed":                   {[]string{"https://crm.example"}, "https://crm.example", "https://crm.example"},
		"listed with a wildcard":   {[]string{"https://*.crm.example"}, "https://a.crm.example", "https://a.crm.example"},
		"not listed":               {[]string{"https://crm.example"}, "https://evil.example", ""},
		"listed with another port": {[]string{"https://crm.example"}, "https://crm.example:8443", ""},
		"listed with any port":     {[]string{"http://localhost:*"}, "http://localhost:5173", "http://localhost:5173"},
		"listed beside any origin": {[]string{"https://crm.example", "*"}, "https://crm.example", "*"},
	} {
		t.Run(name, func(t *testing.T) {
			res := do(engine(t, test.allowed...), http.MethodOptions, "/broadcasting/auth",
				"Origin", test.origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", echoHeaders)
			if res.StatusCode != http.StatusNoContent {
				t.Errorf("status %d, want 204", res.StatusCode)
			}
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != test.want {
				t.Errorf("Allow-Origin %q, want %q", got, test.want)
			}
			wantCredentials := ""
			if test.want != "" && test.want != "*" {
				wantCredentials = "true"
			}
			if got := res.Header.Get("Access-Control-Allow-Credentials"); got != wantCredentials {
				t.Errorf("Allow-Credentials %q, want %q", got, wantCredentials)
			}
			wantHeaders, wantAge := echoHeaders, "7200"
			if test.want == "" {
				wantHeaders, wantAge = "", ""
			}
			if got := res.Header.Get("Access-Control-Allow-Headers"); got != wantHeaders {
				t.Errorf("Allow-Headers %q, want %q", got, wantHeaders)
			}
			if got := res.Header.Get("Access-Control-Max-Age"); got != wantAge {
				t.Errorf("Max-Age %q, want %q", got, wantAge)
			}
			if !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
				t.Error("Vary does not name Origin: a cache could serve it to another page")
			}
		})
	}
}

func TestPreflightOfEveryMethodAndPath(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		res := do(engine(t), http.MethodOptions, "/v1/no/such/route",
			"Origin", "https://shop.example", "Access-Control-Request-Method", method)
		if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Methods") != method {
			t.Errorf("%s: %d, Allow-Methods %q", method, res.StatusCode, res.Header.Get("Access-Control-Allow-Methods"))
		}
	}
}

// A page must be able to read a refusal; otherwise it sees only "network error".
func TestRefusalsCarryTheHeaders(t *testing.T) {
	res := do(engine(t), http.MethodPost, "/broadcasting/auth", "Origin", "https://shop.example")
	if res.StatusCode != http.StatusForbidden || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d, Allow-Origin %q", res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"))
	}
	if got := res.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, "Retry-After") {
		t.Errorf("Expose-Headers %q lacks Retry-After", got)
	}
	res = do(engine(t), http.MethodOptions, "/broadcasting/auth", "Origin", "https://shop.example")
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("an OPTIONS that is no preflight: %d, want the router's 405", res.StatusCode)
	}
}
