package webhook_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/webhook"
)

func TestCheck(t *testing.T) {
	headers := func(name, value string) webhook.Endpoint {
		return webhook.Endpoint{URL: "https://x", Headers: map[string]string{name: value}}
	}
	many := map[string]string{}
	for i := range 33 {
		many[fmt.Sprint("X-", i)] = ""
	}
	for _, c := range []struct {
		e     webhook.Endpoint
		field string // empty: nothing is wrong
		says  string
	}{
		{webhook.Endpoint{URL: "https://example.com/pusher?a=b"}, "", ""},
		{webhook.Endpoint{URL: "HTTP://user:pass@[::1]:8080"}, "", ""},
		{webhook.Endpoint{URL: "https://x", Events: webhook.Events(), Channels: []string{"presence-"}, Headers: map[string]string{"X-A": "b\tc", "authorization": "d"}}, "", ""},
		{webhook.Endpoint{}, "url", "absolute"},
		{webhook.Endpoint{URL: "example.com/a"}, "url", "absolute"},
		{webhook.Endpoint{URL: "/a"}, "url", "absolute"},
		{webhook.Endpoint{URL: "ftp://x"}, "url", "absolute"},
		{webhook.Endpoint{URL: "http://"}, "url", "absolute"},
		{webhook.Endpoint{URL: "http://:80"}, "url", "absolute"},
		{webhook.Endpoint{URL: "http://x\ny"}, "url", "absolute"},
		{webhook.Endpoint{URL: "http://x:0"}, "url", "port"},
		{webhook.Endpoint{URL: "http://x:"}, "url", "port"},
		{webhook.Endpoint{URL: "http://x:65536"}, "url", "port"},
		{webhook.Endpoint{URL: "http://x/#a"}, "url", "#"},
		{webhook.Endpoint{URL: "http://x/#"}, "url", "#"},
		{webhook.Endpoint{URL: "http://x/" + strings.Repeat("a", 2040)}, "url", "2048"},
		{webhook.Endpoint{URL: "http://x", Events: []string{"cache_miss", "occupied"}}, "events[1]", "channel_vacated"},
		{webhook.Endpoint{URL: "http://x", Events: []string{"cache_miss", "cache_miss"}}, "events[1]", "twice"},
		{webhook.Endpoint{URL: "http://x", Channels: []string{""}}, "channels[0]", "200 bytes"},
		{webhook.Endpoint{URL: "http://x", Channels: slices.Repeat([]string{"a"}, 101)}, "channels", "100"},
		{headers("Content-Type", "text/plain"), "headers.Content-Type", "server"},
		{headers("x-pusher-key", "k"), "headers.x-pusher-key", "server"},
		{headers("X-Pusher-Anything", "k"), "headers.X-Pusher-Anything", "server"},
		{headers("Host", "k"), "headers.Host", "server"},
		{headers("content-length", "1"), "headers.content-length", "server"},
		{headers("", "1"), "headers.", "name"},
		{headers("a b", "1"), "headers.a b", "name"},
		{headers("ä", "1"), "headers.ä", "name"},
		{headers("X-A", "1\r\nX-B: 2"), "headers.X-A", "control"},
		{headers("X-A", "\x00"), "headers.X-A", "control"},
		{headers("X-A", strings.Repeat("a", 4097)), "headers.X-A", "4096"},
		{webhook.Endpoint{URL: "http://x", Headers: many}, "headers", "32"},
	} {
		violations := c.e.Check()
		if c.field == "" {
			if len(violations) > 0 {
				t.Errorf("%+v: %v", c.e, violations)
			}
			continue
		}
		if len(violations) != 1 || violations[0].Field != c.field || !strings.Contains(violations[0].Message, c.says) {
			t.Errorf("%.100v: %v, want %s to say %q", c.e, violations, c.field, c.says)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	h, err := webhook.New(t.Context(), webhook.Options{Store: &memory{}})
	if err != nil {
		t.Fatal(err)
	}
	for says, apps := range map[string][]webhook.App{
		"twice":             {{ID: "1"}, {ID: "1"}},
		"at most 32":        app(slices.Repeat([]webhook.Endpoint{to("http://x")}, 33)...),
		"webhooks[0].url: ": app(to("x")),
	} {
		if err := h.Set(apps); err == nil || !strings.Contains(err.Error(), `app "1"`) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want it to say %q", err, says)
		}
	}
	if _, err := webhook.New(t.Context(), webhook.Options{Store: &memory{}, Apps: app(to("x"))}); err == nil {
		t.Error("New takes what Set refuses")
	}
}

// FuzzCheck: what is found right can be requested.
func FuzzCheck(f *testing.F) {
	f.Add("https://user:pass@example.com:8080/a?b=c", "cache_miss", "Authorization", "Bearer 1")
	f.Add("http://[::1]:80", "", "X-A", "b\tc")
	f.Add("http://x\x7f:0#", "member_added", "Content-Type", "a\nb")
	f.Add("http://[fe80::1%25eth0]/", "x", "ä", "ö")
	f.Fuzz(func(t *testing.T, url, event, name, value string) {
		e := webhook.Endpoint{URL: url, Headers: map[string]string{name: value}}
		if event != "" {
			e.Events = []string{event}
		}
		if len(e.Check()) > 0 {
			return
		}
		req, err := http.NewRequest("POST", url, nil)
		if err != nil {
			t.Fatalf("%q was found right: %v", url, err)
		}
		req.Header.Set(name, value)
		if err := req.Header.WriteSubset(discard{}, nil); err != nil || req.URL.Host == "" {
			t.Fatalf("%q, %q: %v", name, value, err)
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
