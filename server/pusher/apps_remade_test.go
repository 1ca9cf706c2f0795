package pusher_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/server/pusher"
)

// An app made with the id and key of a removed app has nothing of it: no cached event,
// no subscribers, and none of its sockets comes back, even if their clients do not read
// that they have to go. It makes no difference whether the server noticed that the app
// was missing for a while.
func TestRemadeAppIsAnother(t *testing.T) {
	remade := shop(func(a *apps.App) { a.Secret, a.Made = "second secret", 2 })
	for how, lists := range map[string][][]apps.App{
		"gone, then made": {nil, {remade}},
		"at once":         {{remade}},
	} {
		t.Run(how, func(t *testing.T) {
			seen := &happened{}
			h := newHarness(t, func(s *setup) { s.record, s.sockets.Linger = seen, testwait.Long })
			h.replace(t, shop(func(a *apps.App) { a.Made = 1 }))
			r := h.shopper(t, "") // it will not answer the close frame
			r.signs("first secret", "private-a")
			r.expect(succeeded("private-a"))
			h.subscribed(t, r, "presence-a", `{"user_id":"old"}`)
			h.publishes(t, "first secret", `{"name":"e","channel":"cache-a","data":"of the old app"}`, 200)
			if _, _, ok := h.cached("77", "cache-a"); !ok {
				t.Fatal("nothing is cached")
			}
			for _, list := range lists {
				h.replace(t, list...)
			}
			if data, _, ok := h.cached("77", "cache-a"); ok {
				t.Errorf("the new app has %q cached", data)
			}
			if list := h.channelsOf("77", ""); len(list) != 0 {
				t.Errorf("the new app has %+v", list)
			}
			seen.expect(t, 0) // the ends of the old app's channels are reported before the new app exists
			h.publishes(t, "first secret", `{"name":"e","channel":"private-a","data":"d"}`, 401)
			h.publishes(t, "second secret", `{"name":"e","channel":"private-a","data":"d"}`, 200)
			r.expect(saysUnknown)
			r.expectClose(4001)
		})
	}
}

// A changed app is still the same app.
func TestChangedAppIsTheSame(t *testing.T) {
	h := newHarness(t)
	h.replace(t, shop(func(a *apps.App) { a.Made = 1 }))
	r := h.shopper(t, "")
	h.publishes(t, "first secret", `{"name":"e","channel":"cache-a","data":"kept"}`, 200)
	h.replace(t, shop(func(a *apps.App) { a.Made, a.Secret = 1, "second secret" }))
	r.subscribe("cache-a", "", "")
	r.expect(succeeded("cache-a"))
	r.expect(`{"event":"e","channel":"cache-a","data":"kept"}`)
}

// A request whose body comes slowly belongs to the app that exists when the body is
// complete.
func TestAppGoesWhileABodyComes(t *testing.T) {
	for how, list := range map[string][]apps.App{
		"gone":      nil,
		"disabled":  {shop(func(a *apps.App) { a.Enabled = false })},
		"made anew": {shop(func(a *apps.App) { a.Secret, a.Made = "second secret", 2 })},
		"rotated":   {shop(func(a *apps.App) { a.Secret = "second secret" })},
	} {
		t.Run(how, func(t *testing.T) {
			h := newHarness(t)
			h.replace(t, shop())
			const body = `{"name":"e","channel":"cache-a","data":"d"}`
			query := pusher.SignRequest("shop", "first secret", "POST", "/apps/77/events", nil, []byte(body), time.Now())
			req := httptest.NewRequest("POST", "/apps/77/events?"+query, &slowly{text: strings.NewReader(body), before: func() { h.replace(t, list...) }})
			req.ContentLength = int64(len(body))
			rec := httptest.NewRecorder()
			h.web.ServeHTTP(rec, req)
			want := http.StatusUnauthorized
			if how == "disabled" {
				want = http.StatusForbidden
			}
			if rec.Code != want {
				t.Errorf("answered %d %s, want %d", rec.Code, rec.Body, want)
			}
			if _, _, ok := h.cached("77", "cache-a"); ok {
				t.Error("it is published")
			}
		})
	}
}

// slowly is a body that runs a function before its first byte.
type slowly struct {
	text   *strings.Reader
	before func()
}

func (s *slowly) Read(b []byte) (int, error) {
	if s.before != nil {
		s.before()
		s.before = nil
	}
	return s.text.Read(b)
}

// subscribed enters a presence channel of the shop.
func (h *harness) subscribed(t *testing.T, r *raw, channel, data string) {
	t.Helper()
	r.subscribe(channel, "shop:"+hmacHex("first secret", r.id+":"+channel+":"+data), data)
	if got := r.read(); !strings.Contains(got, "subscription_succeeded") {
		t.Fatal(got)
	}
}

func (h *harness) publishes(t *testing.T, secret, body string, status int) {
	t.Helper()
	query := pusher.SignRequest("shop", secret, "POST", "/apps/77/events", nil, []byte(body), time.Now())
	res, err := http.Post(h.url+"/apps/77/events?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != status {
		t.Errorf("publishing is answered %d, want %d", res.StatusCode, status)
	}
}

// happened counts what is open: occupied channels and present members.
type happened struct{ open int }

func (s *happened) Record(h broadcasting.ChannelEvent) {
	switch h.Kind {
	case broadcasting.Occupied, broadcasting.MemberAdded:
		s.open++
	case broadcasting.Vacated, broadcasting.MemberRemoved:
		s.open--
	}
}

func (s *happened) expect(t *testing.T, open int) {
	t.Helper()
	if s.open != open {
		t.Errorf("%d channels and members have not ended, want %d", s.open, open)
	}
}

// Whether subscribers are told their number depends on the app's current setting, also
// when one of them leaves.
func TestCountsAreSwitched(t *testing.T) {
	h := newHarness(t)
	with := func(on bool) func(*apps.App) {
		return func(a *apps.App) { a.SubscriptionCount = on }
	}
	count := func(n int) string {
		return fmt.Sprintf(`{"event":"pusher_internal:subscription_count","channel":"a","data":"{\"subscription_count\":%d}"}`, n)
	}
	h.replace(t, shop(with(true)))
	a, b, c := h.shopper(t, ""), h.shopper(t, ""), h.shopper(t, "")
	all := []*raw{a, b, c}
	for i, r := range all {
		r.subscribe("a", "", "")
		r.expect(succeeded("a"))
		for _, socket := range all[:i+1] {
			socket.expect(count(i + 1))
		}
	}
	h.replace(t, shop(with(false)))
	c.send(`{"event":"pusher:unsubscribe","data":{"channel":"a"}}`)
	c.silence()
	a.silence()
	h.replace(t, shop(with(true)))
	b.send(`{"event":"pusher:unsubscribe","data":{"channel":"a"}}`)
	a.expect(count(1))
}
