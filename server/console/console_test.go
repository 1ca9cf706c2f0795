package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/server/console"
)

func get(t *testing.T, prepare func(r *http.Request)) (*httptest.ResponseRecorder, string) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	(&console.Console{
		Version: "1.2.3", AppKey: "ChatsAppApiProdKey", Email: "owner@example.com", AppID: "app_685_1",
		CompanyID: 2224, UserID: 685, LicenseID: 1229, Messengers: []string{"telegram"},
	}).Register(engine)
	r := httptest.NewRequest(http.MethodGet, "http://chat.example:6001/", nil)
	prepare(r)
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w, w.Body.String()
}

func TestPageShowsWhereItWasAskedAt(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(r *http.Request)
		want    []string
	}{
		"plain": {func(*http.Request) {}, []string{
			"wsHost: 'chat.example'", "wsPort: 6001", "forceTLS: false", "authEndpoint: 'http://chat.example:6001/broadcasting/auth'",
			"'ChatsAppApiProdKey'", "private-v1.licenses.1229.messengers.telegram", "private-v1.companies.2224", "private-v1.users.685",
			"1.2.3", `href="/schemas/chatResponsiblePin.json"`, "owner@example.com", "app_685_1", "cluster: ''",
		}},
		"behind a proxy that ends TLS": {func(r *http.Request) {
			r.Host = "chat.example"
			r.Header.Set("X-Forwarded-Proto", "https")
		}, []string{"wsHost: 'chat.example'", "wssPort: 443", "forceTLS: true", "https://chat.example/broadcasting/auth"}},
	} {
		w, body := get(t, c.prepare)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", name, w.Code)
		}
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not show %q", name, want)
			}
		}
	}
}

func TestPageTrustsNothingOfTheRequest(t *testing.T) {
	w, body := get(t, func(r *http.Request) { r.Host = `"><script>alert(1)</script>` })
	if strings.Contains(body, "<script") {
		t.Error("the page carries a script of the Host header")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}
	body = strings.ReplaceAll(body, `&lt;script src="`, "") // the snippet's, shown as text
	for _, outside := range []string{`src="`, `<link`, "url("} {
		if strings.Contains(body, outside) {
			t.Errorf("the page loads something: %s", outside)
		}
	}
}
