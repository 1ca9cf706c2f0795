package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"chatcast/server"
)

func TestUnderPath(t *testing.T) {
	h := server.UnderPath("/a/chat", nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.URL.Path, r.URL.EscapedPath(), r.URL.RawQuery)
	}))
	for target, want := range map[string]string{
		"GET /a/chat/v1/me?x=1":           "200 /v1/me /v1/me x=1",
		"GET /a/chat/":                    "200 / / ",
		"GET /a/chat/apps/1/a%2Fb":        "200 /apps/1/a/b /apps/1/a%2Fb ",
		"GET /v1/me?x=1":                  "200 /v1/me /v1/me x=1", // a proxy has taken it away
		"GET /":                           "200 / / ",
		"GET /a/chats":                    "200 /a/chats /a/chats ",
		"GET /a/chat/a/chat/x":            "200 /a/chat/x /a/chat/x ", // once
		"GET /a/chat?code=1":              "308 to /a/chat/?code=1",
		"HEAD /a/chat":                    "308 to /a/chat/",
		"POST /a/chat":                    "200 / / ",
		"GET //evil.example/a/chat":       "200 //evil.example/a/chat //evil.example/a/chat ",
		"GET /a/chat//evil.example/..%2f": "200 //evil.example/../ //evil.example/..%2f ",
	} {
		var method, path string
		fmt.Sscan(target, &method, &path)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
		body, _ := io.ReadAll(w.Body)
		got := fmt.Sprintf("%d %s", w.Code, body)
		if to := w.Header().Get("Location"); to != "" {
			got = fmt.Sprintf("%d to %s", w.Code, to)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}
