package console_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

// bare is a dist folder in which nothing was built.
var bare = fstest.MapFS{"README.txt": {Data: []byte("kept")}}

func TestPageShowsWhereItWasAskedAt(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		want    []string
	}{
		"plain": {nil, []string{
			"wsHost: 'chat.example'", "wsPort: 6001", "forceTLS: false", "authEndpoint: 'http://chat.example:6001/broadcasting/auth'",
			"'ChatsAppApiProdKey'", "private-v1.licenses.1229.messengers.telegram", "private-v1.companies.2224", "private-v1.users.685",
			"1.2.3", `href="schemas/chatResponsiblePin.json"`, "YOUR_EMAIL", "app_685_1", "cluster: ''",
		}},
		"behind a proxy that ends TLS": {
			[]string{"Host", "chat.example", "X-Forwarded-Proto", "https"},
			[]string{"wsHost: 'chat.example'", "wssPort: 443", "forceTLS: true", "https://chat.example/broadcasting/auth"},
		},
	} {
		w := ask(t, server(t, bare), "GET", "/", c.headers...)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", name, w.Code)
		}
		for _, want := range c.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: the page does not show %q", name, want)
			}
		}
	}
}

func TestPageSaysWhyThereIsNoConsole(t *testing.T) {
	handler := server(t, bare)
	w := ask(t, handler, "GET", "/")
	for _, want := range []string{"The console is not in this build", "Node.js 22.12", "20.19", "npm", "make run"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, path := range []string{"/try", "/licenses.txt", "/assets/index.js", "/lib/pusher.js"} {
		if w := ask(t, handler, "GET", path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestPageTrustsNothingOfTheRequest(t *testing.T) {
	w := ask(t, server(t, bare), "GET", "/", "Host", `"><script>alert(1)</script>`)
	body := w.Body.String()
	if strings.Contains(body, "<script") {
		t.Error("the page carries a script of the Host header")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}
	body = strings.ReplaceAll(body, `&lt;script src="`, "") // part of the snippet, shown as text
	for _, outside := range []string{`src="`, `<link`, "url("} {
		if strings.Contains(body, outside) {
			t.Errorf("the page loads something: %s", outside)
		}
	}
}
