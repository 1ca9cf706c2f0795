package pusher_test

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/server/pusher"
)

// shop returns an app besides the documentation's, with changes.
func shop(change ...func(*apps.App)) apps.App {
	a := apps.App{ID: "77", Key: "shop", Secret: "first secret", Enabled: true, ClientEvents: true}
	for _, f := range change {
		f(&a)
	}
	return a
}

func (h *harness) replace(t *testing.T, list ...apps.App) {
	t.Helper()
	if err := h.apps.Replace(append([]apps.App{docApp()}, list...)); err != nil {
		t.Fatal(err)
	}
}

// shopper opens a socket of the shop from a page of this origin.
func (h *harness) shopper(t *testing.T, origin string) *raw {
	t.Helper()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	r := h.dial(t, "/app/shop?protocol=7", header)
	first := r.read()
	match := established.FindStringSubmatch(first)
	if match == nil {
		t.Fatalf("the handshake is %s", first)
	}
	r.id = match[1]
	return r
}

// signs subscribes to a channel of the shop with a secret.
func (r *raw) signs(secret, channel string) {
	r.t.Helper()
	r.subscribe(channel, "shop:"+hmacHex(secret, r.id+":"+channel), "")
}

// asked returns the status of a publish to the shop, signed with a secret.
func (h *harness) asked(t *testing.T, secret string) int {
	t.Helper()
	const body = `{"name":"e","channel":"c","data":"d"}`
	query := pusher.SignRequest("shop", secret, "POST", "/apps/77/events", nil, []byte(body), time.Now())
	res, err := http.Post(h.url+"/apps/77/events?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

const (
	saysUnknown  = `{"event":"pusher:error","data":{"code":4001,"message":"The application does not exist"}}`
	saysDisabled = `{"event":"pusher:error","data":{"code":4003,"message":"The application is disabled"}}`
	saysOrigin   = `{"event":"pusher:error","data":{"code":4009,"message":"This origin may not connect to the application"}}`
)

// An app is added, disabled, enabled and removed, while it has 100 sockets and another
// app has one that notices nothing.
func TestAppsComeAndGo(t *testing.T) {
	h := newHarness(t)
	other := h.connect(t)
	refused := func(says string, code, status int) {
		t.Helper()
		r := h.dial(t, "/app/shop?protocol=7", nil)
		r.expect(says)
		r.expectClose(code)
		if got := h.asked(t, "first secret"); got != status {
			t.Errorf("the HTTP API says %d, want %d", got, status)
		}
	}
	refused(saysUnknown, 4001, 401)
	for _, end := range []struct {
		says         string
		code, status int
		list         []apps.App
	}{
		{saysDisabled, 4003, 403, []apps.App{shop(func(a *apps.App) { a.Enabled = false })}},
		{saysUnknown, 4001, 401, nil},
	} {
		h.replace(t, shop())
		all := make([]*raw, 100)
		for i := range all {
			all[i] = h.shopper(t, "")
			all[i].signs("first secret", "private-a")
			all[i].expect(succeeded("private-a"))
		}
		if got := h.asked(t, "first secret"); got != 200 {
			t.Errorf("the HTTP API says %d", got)
		}
		h.replace(t, end.list...)
		for _, r := range all {
			r.expect(end.says)
			r.expectClose(end.code)
		}
		refused(end.says, end.code, end.status)
	}
	other.silence()
	h.waitForSockets(t, 1)
	h.replace(t, shop())
	h.shopper(t, "").silence()
}

// A change of an app applies to its open sockets.
func TestChangesActOnOpenSockets(t *testing.T) {
	h := newHarness(t)
	h.replace(t, shop())
	page, program := h.shopper(t, "https://a.example"), h.shopper(t, "")
	for _, r := range []*raw{page, program} {
		r.signs("first secret", "private-a")
		r.expect(succeeded("private-a"))
	}
	says := func(message string) {
		t.Helper()
		program.send(`{"event":"client-x","channel":"private-a","data":"12345678"}`)
		program.expect(errorSays(4301, message))
	}
	h.replace(t, shop(func(a *apps.App) { a.ClientEvents = false }))
	says("The app does not have client events enabled")
	h.replace(t, shop(func(a *apps.App) { a.Limits.EventBytes = 5 }))
	says("Client event rejected: its data is over 5 bytes")
	h.replace(t, shop(func(a *apps.App) { a.Limits.ClientEventsPerSecond = 1 }))
	program.send(`{"event":"client-x","channel":"private-a","data":"12345678"}`)
	page.expect(`{"event":"client-x","channel":"private-a","data":"12345678"}`)
	says("Client event rejected due to rate limit")
	h.replace(t, shop(func(a *apps.App) { a.Limits.ChannelsPerSocket = 1 }))
	program.subscribe("b", "", "")
	program.expect(errorSays(4312, "At most 1 channels are allowed on one connection"),
		subscriptionErrorSays("b", "LimitReached", "At most 1 channels are allowed on one connection", 429))

	// With two sockets here, limits of one and two leave no room; a limit of three
	// does.
	for limit, room := range map[int]bool{1: false, 2: false, 3: true} {
		h.replace(t, shop(func(a *apps.App) { a.Limits.Sockets = limit }))
		r := h.dial(t, "/app/shop?protocol=7", nil)
		if first := r.read(); established.MatchString(first) != room {
			t.Errorf("at a limit of %d: %s", limit, first)
		}
		if room {
			_ = r.ws.Close()
			h.waitForSockets(t, 2)
		}
	}
	h.replace(t, shop(func(a *apps.App) { a.AllowedOrigins = []string{"https://a.example"} }))
	page.silence()
	h.replace(t, shop(func(a *apps.App) { a.AllowedOrigins = []string{"https://b.example"} }))
	page.expect(saysOrigin)
	page.expectClose(4009)
	program.silence()
}

func (h *harness) waitForSockets(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(testwait.Long); h.engine.Stats().Sockets != n; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d sockets, want %d", h.engine.Stats().Sockets, n)
		}
	}
}

// A replaced secret stays valid for subscriptions and requests until its time is over.
// The server itself signs with the new one.
func TestReplacedSecret(t *testing.T) {
	h := newHarness(t)
	h.replace(t, shop(func(a *apps.App) {
		a.Secret, a.OldSecret, a.OldSecretUntil = "second secret", "first secret", time.Now().Add(time.Hour)
	}))
	r := h.shopper(t, "")
	for secret, status := range map[string]int{"first secret": 200, "second secret": 200, "third secret": 401, "": 401} {
		if got := h.asked(t, secret); got != status {
			t.Errorf("%q publishes with %d, want %d", secret, got, status)
		}
		channel := "private-" + strconv.Itoa(len(secret))
		r.signs(secret, channel)
		if status == 200 {
			r.expect(succeeded(channel))
			continue
		}
		r.expect(errorSays(4009, "Auth value for subscription to "+channel+" is invalid"),
			subscriptionErrorSays(channel, "AuthError", "Auth value for subscription to "+channel+" is invalid", 401))
	}
	if got, want := h.apps.ByID("77").AuthChannel("1.1", "private-x", ""), "shop:"+hmacHex("second secret", "1.1:private-x"); got != want {
		t.Errorf("the server signs %s", got)
	}
	// Its time is over, at once even for the same socket.
	h.replace(t, shop(func(a *apps.App) {
		a.Secret, a.OldSecret, a.OldSecretUntil = "second secret", "first secret", time.Now()
	}))
	if got := h.asked(t, "first secret"); got != 401 {
		t.Errorf("the old secret publishes with %d", got)
	}
	r.signs("first secret", "private-late")
	r.expect(errorSays(4009, "Auth value for subscription to private-late is invalid"))
}

// The time of an old secret ends by itself, to the second.
func TestOldSecretEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newApps(t, docApp(), shop(func(a *apps.App) {
			a.Secret, a.OldSecret, a.OldSecretUntil = "second secret", "first secret", time.Now().Add(24*time.Hour)
		})).ByKey("shop")
		old := "shop:" + hmacHex("first secret", `1.1:presence-x:{"user_id":"1"}`)
		verify := func() bool { return app.VerifyChannel(old, "1.1", "presence-x", `{"user_id":"1"}`) }
		if !verify() {
			t.Error("the old secret is refused at once")
		}
		time.Sleep(24*time.Hour - time.Nanosecond)
		if !verify() {
			t.Error("the old secret is refused before its time is over")
		}
		time.Sleep(time.Nanosecond)
		if verify() {
			t.Error("the old secret is honoured when its time is over")
		}
		if !app.VerifyChannel(app.AuthChannel("1.1", "private-x", ""), "1.1", "private-x", "") {
			t.Error("the new secret is refused")
		}
	})
}

// A list with an error changes nothing.
func TestReplaceRefuses(t *testing.T) {
	served := newApps(t, docApp(), shop())
	for want, list := range map[string][]apps.App{
		"at least one app":               nil,
		`it must stay "3"`:               {shop(), docApp()},
		`id: "77" is already used by`:    {docApp(), shop(), shop()},
		`key: "shop" is already used by`: {docApp(), shop(), shop(func(a *apps.App) { a.ID = "78" })},
		"secret: is empty":               {docApp(), shop(func(a *apps.App) { a.Secret = "" })},
		"limits.sockets":                 {docApp(), shop(func(a *apps.App) { a.Limits.Sockets = -1 })},
		"allowed_origins":                {docApp(), shop(func(a *apps.App) { a.AllowedOrigins = []string{"null"} })},
	} {
		before := served.ByID("77")
		err := served.Replace(list)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret s") {
			t.Errorf("%s: %v", want, err)
		}
		if served.ByID("77") != before || served.First().ID != "3" {
			t.Errorf("%s: the apps have changed", want)
		}
	}
	// An app may change its key; then the old key is unknown.
	if err := served.Replace([]apps.App{docApp(), shop(func(a *apps.App) { a.Key = "shop2" })}); err != nil || served.ByKey("shop") != nil || served.ByKey("shop2") != served.ByID("77") {
		t.Errorf("%v, %v", err, served.ByKey("shop"))
	}
}
