package apps_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
)

// shop is a valid app.
func shop(change func(a *apps.App)) apps.App {
	a := apps.Default()
	a.ID, a.Key, a.Secret = "shop", "shop-key", "hidden-secret"
	change(&a)
	return a
}

// hook is shop with a webhook.
func hook(w apps.Webhook) apps.App {
	return shop(func(a *apps.App) { a.Webhooks = []apps.Webhook{w} })
}

func TestCheck(t *testing.T) {
	header := func(name, value string) apps.App {
		return hook(apps.Webhook{URL: "https://x", Headers: map[string]string{name: value}})
	}
	headers := func(n int) map[string]string {
		many := map[string]string{}
		for i := range n {
			many[fmt.Sprint("X-", i)] = ""
		}
		return many
	}
	origins := func(list ...string) apps.App { return shop(func(a *apps.App) { a.AllowedOrigins = list }) }
	full := shop(func(a *apps.App) {
		a.ID, a.Key, a.Name = strings.Repeat("a", 64), "A_-9", strings.Repeat("ü", 255)
		a.AllowedOrigins = slices.Repeat([]string{"https://a.example", " https://*.b.example ", "*"}, 400)
		a.Webhooks = slices.Repeat([]apps.Webhook{{
			URL: "http://x/" + strings.Repeat("ü", 2039), Headers: headers(32), Channels: slices.Repeat([]string{strings.Repeat("a", 200)}, 100),
			Events: append(apps.WebhookEvents(), apps.WebhookEvents()...),
		}}, 32)
		for _, limit := range apps.Table() {
			*limit.Field(&a.Limits) = limit.Max
		}
	})
	for _, c := range []struct {
		app   apps.App
		field string // empty: the app is valid
		says  string
	}{
		{full, "", ""},
		{shop(func(a *apps.App) { a.Secret = "" }), "", ""},
		{hook(apps.Webhook{URL: "https://example.com/pusher?a=b"}), "", ""},
		{hook(apps.Webhook{URL: "HTTP://user:pass@[::1]:8080"}), "", ""},
		{header("authorization", "ä\tb"), "", ""},
		{shop(func(a *apps.App) { a.ID = "" }), "id", "1 to 64"},
		{shop(func(a *apps.App) { a.ID = strings.Repeat("a", 65) }), "id", "1 to 64"},
		{shop(func(a *apps.App) { a.ID = "a\n" }), "id", "paths"},
		{shop(func(a *apps.App) { a.Key = "a/b" }), "key", "paths"},
		{shop(func(a *apps.App) { a.Name = strings.Repeat("ü", 256) }), "name", "255 characters"},
		{shop(func(a *apps.App) { a.Name = "\xff" }), "name", "UTF-8"},
		{shop(func(a *apps.App) { a.Name = "a\x00" }), "name", "U+0000"},
		{origins("https://a.example", ""), "allowed_origins[1]", "scheme"},
		{origins("https://a.example/x"), "allowed_origins[0]", "https://app.example.com"},
		{hook(apps.Webhook{}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "example.com/a"}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "/a"}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "ftp://x"}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "http://"}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "http://:80"}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "http://x\ny"}), "webhooks[0].url", "absolute"},
		{hook(apps.Webhook{URL: "http://x:0"}), "webhooks[0].url", "port"},
		{hook(apps.Webhook{URL: "http://x:"}), "webhooks[0].url", "port"},
		{hook(apps.Webhook{URL: "http://x:65536"}), "webhooks[0].url", "port"},
		{hook(apps.Webhook{URL: "http://x/#a"}), "webhooks[0].url", "#"},
		{hook(apps.Webhook{URL: "http://x/#"}), "webhooks[0].url", "#"},
		{hook(apps.Webhook{URL: "http://x/" + strings.Repeat("a", 2040)}), "webhooks[0].url", "2048"},
		{hook(apps.Webhook{URL: "http://x", Events: []string{"cache_miss", "occupied"}}), "webhooks[0].events[1]", "channel_vacated"},
		{hook(apps.Webhook{URL: "http://x", Channels: []string{""}}), "webhooks[0].channels[0]", "200 bytes"},
		{hook(apps.Webhook{URL: "http://x", Channels: []string{strings.Repeat("a", 201)}}), "webhooks[0].channels[0]", "200 bytes"},
		{hook(apps.Webhook{URL: "http://x", Channels: slices.Repeat([]string{"a"}, 101)}), "webhooks[0].channels", "100"},
		{header("Content-Type", "text/plain"), "webhooks[0].headers.Content-Type", "server"},
		{header("x-pusher-key", "k"), "webhooks[0].headers.x-pusher-key", "server"},
		{header("X-Pusher-Anything", "k"), "webhooks[0].headers.X-Pusher-Anything", "server"},
		{header("Host", "k"), "webhooks[0].headers.Host", "server"},
		{header("content-length", "1"), "webhooks[0].headers.content-length", "server"},
		{header("", "1"), "webhooks[0].headers.", "name"},
		{header("a b", "1"), "webhooks[0].headers.a b", "name"},
		{header("ä", "1"), "webhooks[0].headers.ä", "name"},
		{header("X-A", "1\r\nX-B: 2"), "webhooks[0].headers.X-A", "control"},
		{header("X-A", "\x00"), "webhooks[0].headers.X-A", "control"},
		{header("X-A", strings.Repeat("a", 4097)), "webhooks[0].headers.X-A", "4096"},
		{hook(apps.Webhook{URL: "http://x", Headers: headers(33)}), "webhooks[0].headers", "32"},
		{shop(func(a *apps.App) { a.Webhooks = slices.Repeat([]apps.Webhook{{URL: "http://x"}}, 33) }), "webhooks", "32"},
		{shop(func(a *apps.App) { a.Limits.Sockets = -1 }), "limits.sockets", "from 0"},
		{shop(func(a *apps.App) { a.Limits.EventBytes = 1<<24 + 1 }), "limits.event_bytes", "16777216"},
	} {
		violations := c.app.Check()
		if c.field == "" {
			if len(violations) > 0 {
				t.Errorf("%s: %v", c.app.ID, violations)
			}
			continue
		}
		if len(violations) != 1 || violations[0].Field != c.field || !strings.Contains(violations[0].Message, c.says) {
			t.Errorf("%v, want %s to say %q", violations, c.field, c.says)
		}
	}
}

// All violations are found at once, and none shows a secret.
func TestCheckNamesEverything(t *testing.T) {
	const hidden = "hunter2"
	a := apps.App{ID: "/", Key: "/", Name: "\x00", AllowedOrigins: []string{"x"}, Secret: hidden, Webhooks: []apps.Webhook{
		{URL: "ftp://" + hidden, Events: []string{"x"}, Channels: []string{""}, Headers: map[string]string{"Host": hidden, "X-A": hidden + "\n"}},
	}}
	for _, limit := range apps.Table() {
		*limit.Field(&a.Limits) = -1
	}
	want := []string{"id", "key", "name", "allowed_origins[0]", "webhooks[0].url", "webhooks[0].events[0]", "webhooks[0].channels[0]",
		"webhooks[0].headers.Host", "webhooks[0].headers.X-A"}
	for _, limit := range apps.Table() {
		want = append(want, "limits."+limit.Name)
	}
	var fields []string
	violations := a.Check()
	for _, v := range violations {
		fields = append(fields, v.Field)
	}
	if !slices.Equal(fields, want) {
		t.Errorf("found %v\nwant %v", fields, want)
	}
	if err := violations.Err(); err == nil || strings.Contains(err.Error(), hidden) || !strings.Contains(err.Error(), "webhooks[0].url: must be absolute") {
		t.Errorf("the error: %v", err)
	}
	a.Secret = ""
	if more := a.CheckServed(); len(more) != len(want)+1 || more[len(want)].Field != "secret" {
		t.Errorf("an app without a secret: %v", more)
	}
	if err := shop(func(*apps.App) {}).CheckServed().Err(); err != nil {
		t.Errorf("nothing is wrong, and the error is %v", err)
	}
}

func TestCheckUnique(t *testing.T) {
	list := []apps.App{{ID: "a", Key: "k"}, {ID: "b", Key: "k"}, {ID: "a", Key: "l"}, {ID: "c", Key: "a"}}
	if got := apps.CheckUnique(list).Error(); got != `apps[1].key: "k" is already used by apps[0]; apps[2].id: "a" is already used by apps[0]` {
		t.Error(got)
	}
}

// FuzzCheck checks that a valid app can be requested, matched and served.
func FuzzCheck(f *testing.F) {
	f.Add("shop", "Shop", "https://*.a.example", "https://user:pass@example.com:8080/a?b=c", "cache_miss", "a", "Authorization", "Bearer 1", 5)
	f.Add("a/b", "\x00", "null", "http://[::1]:80", "", "", "X-A", "b\tc", -1)
	f.Add("", "\xff", "https://a.example/", "http://x\x7f:0#", "member_added", "presence-", "Content-Type", "a\nb", 1<<30)
	f.Add("Ä", "ü", " https://A.example ", "http://[fe80::1%25eth0]/", "x", "#", "ä", "ö", 0)
	f.Fuzz(func(t *testing.T, id, name, origin, url, event, prefix, header, value string, limit int) {
		a := shop(func(a *apps.App) {
			a.ID, a.Key, a.Name, a.AllowedOrigins, a.Limits.Sockets = id, id, name, []string{origin}, limit
			a.Webhooks = []apps.Webhook{{URL: url, Channels: []string{prefix}, Headers: map[string]string{header: value}}}
		})
		if event != "" {
			a.Webhooks[0].Events = []string{event}
		}
		violations := a.Check()
		if again := a.Clone().Check(); !slices.Equal(again, violations) {
			t.Fatalf("the copy has others: %v, %v", again, violations)
		}
		_, err := apps.ParseOrigins(a.AllowedOrigins)
		if refused := slices.ContainsFunc(violations, func(v apps.Violation) bool { return v.Field == "allowed_origins[0]" }); refused != (err != nil) {
			t.Fatalf("the origin %q: %v, %v", origin, violations, err)
		}
		if len(violations) > 0 {
			return
		}
		req, err := http.NewRequest("POST", url, nil)
		if err != nil {
			t.Fatalf("%q was found right: %v", url, err)
		}
		req.Header.Set(header, value)
		if err := req.Header.WriteSubset(discard{}, nil); err != nil || req.URL.Host == "" {
			t.Fatalf("%q, %q: %v", header, value, err)
		}
		if err := a.Limits.Set("sockets", limit); err != nil || strings.ContainsAny(id, "/?# ") || limit < 0 {
			t.Fatalf("%q, %d was found right: %v", id, limit, err)
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
