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

// Who makes an app under the id and the key of one that is gone finds nothing of it:
// no cached event, nobody in its channels, and no socket of it comes back, even if
// those sockets' clients do not read that they have to go. It is the same whether the
// server has seen that there was no such app for a while or not.
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
			seen.expect(t, 0) // the ends of the old app's channels are told before the new one is there
			h.publishes(t, "first secret", `{"name":"e","channel":"private-a","data":"d"}`, 401)
			h.publishes(t, "second secret", `{"name":"e","channel":"private-a","data":"d"}`, 200)
			r.expect(saysUnknown)
			r.expectClose(4001)
		})
	}
}

// An app that changes is the same one still.
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

// A request whose body comes slowly is one of the app that there is when it has come.
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

// slowly is a body before whose first byte something happens.
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

// happened counts what is open: channels that are occupied and members that are in.
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

// Whether subscribers are told how many they are is as the app is now, also for who
// goes.
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
