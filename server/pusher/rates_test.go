package pusher_test

import (
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// clock is a time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestRates(t *testing.T) {
	app := docApp()
	app.Limits.EventsPerSecond, app.Limits.ReadsPerSecond = 4, 2
	other := apps.App{ID: "4", Key: "other", Secret: "s", Enabled: true}
	at := &clock{now: docTime}
	engine := &complete{Engine: broadcasting.NewEngine(broadcasting.Options{})}
	h := apiOfApps(t, engine, at.Now, app, other)
	const tooMany, tooOften = "the app publishes more than 4 events per second", "the app asks more than 2 times per second"
	event := func() (status int) { return signed(h, "POST", "/apps/3/events", nil, plainEvent).Code }
	batch := func(n int) (status int) { return postBatch(h, batchOf(n, plainEvent)).Code }
	read := func(path string) (status int) { return signed(h, "GET", "/apps/3"+path, nil, "").Code }
	throttled := func(method, path, body, wantErr, retry string) {
		t.Helper()
		w := signed(h, method, "/apps/3"+path, nil, body)
		checkError(t, w, 429, wantErr)
		if got := w.Header().Get("Retry-After"); got != retry {
			t.Errorf("%s %s: Retry-After %q, want %q", method, path, got, retry)
		}
	}

	// A batch counts each of its events; an event counts once, however many channels it
	// has.
	if a, b := batch(3), signed(h, "POST", "/apps/3/events", nil, `{"name":"e","channels":["a","b","c"],"data":"x"}`).Code; a != 200 || b != 200 {
		t.Fatal(a, b)
	}
	throttled("POST", "/events", plainEvent, tooMany, "1")
	throttled("POST", "/batch_events", batchOf(2, plainEvent), tooMany, "1")
	throttled("POST", "/users/7/terminate_connections", `{}`, tooMany, "1")
	// A request refused for another reason gets that reason, and costs nothing.
	checkError(t, signed(h, "POST", "/apps/3/events", nil, `{}`), 400, "name is missing")
	if len(engine.terminated) != 0 {
		t.Errorf("terminated %q", engine.terminated)
	}

	at.pass(250 * time.Millisecond) // room for one more
	if status := event(); status != 200 {
		t.Errorf("a quarter of a second later: %d", status)
	}
	throttled("POST", "/events", plainEvent, tooMany, "1")

	// A batch larger than the rate gets its turn, and later requests wait for it.
	at.pass(time.Minute)
	if status := batch(10); status != 200 {
		t.Errorf("ten at a rate of four: %d", status)
	}
	throttled("POST", "/events", plainEvent, tooMany, "2")
	at.pass(1740 * time.Millisecond)
	throttled("POST", "/events", plainEvent, tooMany, "1")
	at.pass(20 * time.Millisecond)
	if status := event(); status != 200 {
		t.Errorf("when the debt is paid: %d", status)
	}
	throttled("POST", "/batch_events", batchOf(10, plainEvent), tooMany, "1")

	// Reads have a rate of their own.
	if a, b := read("/channels"), read("/channels/a"); a != 200 || b != 200 {
		t.Error(a, b)
	}
	for _, path := range []string{"/channels", "/channels/a", "/channels/a/stats", "/channels/presence-a/users"} {
		throttled("GET", path, "", tooOften, "1")
	}
	// Strangers use none of it, and other apps have rates of their own.
	if w := serve(h, "GET", "/apps/3/channels", ""); w.Code != 401 {
		t.Error(w.Code)
	}
	for range 20 {
		query := pusher.SignRequest("other", "s", "GET", "/apps/4/channels", nil, nil, docTime)
		if w := serve(h, "GET", "/apps/4/channels?"+query, ""); w.Code != 200 {
			t.Fatalf("an app without a limit: %d %s", w.Code, w.Body)
		}
	}
	at.pass(-time.Minute) // a clock that is set back adds no tokens and breaks nothing
	throttled("GET", "/channels", "", tooOften, "1")
	at.pass(500 * time.Millisecond)
	if status := read("/channels"); status != 200 {
		t.Errorf("half a second later: %d", status)
	}
	if st := engine.Stats(); st.Published != 3+3+1+10+1 {
		t.Errorf("published %d", st.Published)
	}
}

// TestRatesGoWithTheirApp checks that a changed app goes on with what it has left, and
// that an app with the id of a removed one begins anew.
func TestRatesGoWithTheirApp(t *testing.T) {
	first := apps.App{ID: "4", Key: "other", Secret: "s", Enabled: true}
	app := docApp()
	app.Limits.EventsPerSecond, app.Made = 2, 1
	all := newApps(t, first, app)
	r, err := server.NewRouter(server.RouterOptions{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	(&pusher.HTTPAPI{Apps: all, Engine: broadcasting.NewEngine(broadcasting.Options{}), Log: quiet(), Now: atDocTime}).Register(r)
	h := apitest.Documented(t, r, nil)
	publish := func(when string, want int) {
		t.Helper()
		if w := signed(h, "POST", "/apps/3/events", nil, plainEvent); w.Code != want {
			t.Errorf("%s: %d %s, want %d", when, w.Code, w.Body, want)
		}
	}
	replace := func(list ...apps.App) {
		t.Helper()
		if err := all.Replace(list); err != nil {
			t.Fatal(err)
		}
	}
	publish("the first", 200)
	publish("the second", 200)
	publish("the third", 429)
	app.Name = "Renamed"
	replace(first, app)
	publish("after a change", 429)
	replace(first)
	app.Made = 2
	replace(first, app)
	publish("of the new app", 200)
}
