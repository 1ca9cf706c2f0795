package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdk "github.com/pusher/pusher-http-go/v5"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/e2e"
)

// TestLaravelResumes opens a page with Laravel Echo, and what docs/laravel.md adds to it to
// miss nothing. It loses its connection again and again while its application publishes,
// and the server is restarted. It gets each event once, in order, on every kind of channel.
func TestLaravelResumes(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].Secret = "a-secret-of-the-shop"
	cfg.Apps[0].History = []apps.History{{Channels: "*orders*", Retention: "1h"}}
	p := e2e.Start(t, cfg)
	shop := newLaravel(t, p)
	cable := e2e.LayCable(t, p.Address())
	host, port, _ := strings.Cut(cable.Address(), ":")
	blocks := pageBlocks(t, "docs/laravel.md", "js")
	i := slices.IndexFunc(blocks, func(block string) bool { return strings.Contains(block, "chatcast:resume'") })
	if i < 0 {
		t.Fatal("docs/laravel.md does not say how to resume")
	}
	page := e2e.OpenHTML(t, fmt.Sprintf(`<!doctype html><meta charset="utf-8"><script src="/lib/pusher-js/dist/web/pusher.min.js"></script>
<script type="module">
import Echo from '/lib/laravel-echo/dist/echo.js';
window.Pusher = Pusher;
window.Echo = new Echo({ broadcaster: 'pusher', key: '%s', cluster: '', wsHost: '%s', wsPort: %s, forceTLS: false, enabledTransports: ['ws'] });
%s
const log = (channel) => ({ n }) => console.log(channel, n);
window.Echo.private('orders').listen('.shipped', log('private')).listen('.chatcast:resume_failed', log('failed'));
window.Echo.join('orders').listen('.shipped', log('presence'));
window.Echo.channel('orders').listen('.shipped', log('public'));
</script>`, cfg.Apps[0].Key, host, port, blocks[i]), map[string]http.Handler{"POST /broadcasting/auth": shopAuth(shop.client)})
	page.AllowStrange() // the cuts
	page.Subscribed(3)
	const each, rounds = 40, 3
	n := 0
	publish := func() {
		t.Helper()
		for range each {
			n++
			if err := shop.client.TriggerMulti([]string{"private-orders", "presence-orders", "orders"}, "shipped", map[string]int{"n": n}); err != nil {
				t.Fatal(err)
			}
		}
	}
	await := func(n int) {
		t.Helper()
		page.Wait(fmt.Sprint(3*n, " events"), func(logged []json.RawMessage, _ []string) bool { return len(logged) >= 3*n })
	}
	publish()
	await(n)
	for range rounds {
		cable.Pull()
		publish()
		cable.Mend()
		publish() // as the page comes back
		await(n)
	}
	cable.Pull()
	publish()
	p.Stop()
	p = e2e.Start(t, cfg)
	shop.client.Host = p.Address()
	cable.Plug(p.Address())
	publish()
	await(n)

	got := map[string][]string{}
	for _, entry := range page.Logs() {
		var line [2]any
		if err := json.Unmarshal(entry, &line); err != nil {
			t.Fatal(err)
		}
		channel := fmt.Sprint(line[0])
		got[channel] = append(got[channel], fmt.Sprint(line[1]))
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i+1))
	}
	for _, channel := range []string{"private", "presence", "public"} {
		if !slices.Equal(got[channel], want) {
			t.Errorf("%s: %d events, want %d, each once and in order:\n%v", channel, len(got[channel]), n, got[channel])
		}
	}
	if len(got) != 3 {
		t.Errorf("%v", got["failed"])
	}
}

// shopAuth lets everybody into every channel, as one user.
func shopAuth(client *sdk.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var answer []byte
		if err == nil && strings.Contains(string(body), "presence-") {
			answer, err = client.AuthorizePresenceChannel(body, sdk.MemberData{UserID: "1"})
		} else if err == nil {
			answer, err = client.AuthorizePrivateChannel(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(answer)
	})
}
