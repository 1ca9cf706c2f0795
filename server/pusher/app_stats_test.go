package pusher_test

import (
	"net/http"
	"testing"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// TestAppStats meets limits of the HTTP API, and reads what was counted.
func TestAppStats(t *testing.T) {
	app := docApp()
	app.Limits.EventsPerSecond, app.Limits.EventBytes = 2, 10
	served := newApps(t, app)
	r, err := server.NewRouter(server.RouterOptions{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	(&pusher.HTTPAPI{Apps: served, Engine: broadcasting.NewEngine(broadcasting.Options{}), Log: quiet(), Now: atDocTime}).Register(r)
	for _, c := range []struct {
		body string
		want int
	}{
		{`{"name":"e","channels":["a","b"],"data":"x"}`, http.StatusOK},
		{`{"name":"e","channel":"a","data":"x"}`, http.StatusOK},
		{`{"name":"e","channel":"a","data":"x"}`, http.StatusTooManyRequests},
		{`{"name":"e","channel":"a","data":"01234567890"}`, http.StatusRequestEntityTooLarge},
	} {
		if got := signed(apitest.Documented(t, r, nil), "POST", "/apps/3/events", nil, c.body).Code; got != c.want {
			t.Errorf("%s: %d, want %d", c.body, got, c.want)
		}
	}
	check := func(when string) {
		t.Helper()
		list := served.Stats()
		if len(list) != 1 {
			t.Fatalf("%d apps", len(list))
		}
		st := list[0]
		if st.App != "3" || st.Published != 3 || st.Limited["events_per_second"] != 1 || st.Limited["event_bytes"] != 1 || st.Limited["sockets"] != 0 || len(st.Limited) != 10 {
			t.Errorf("%s: %+v", when, st)
		}
	}
	check("counted")
	app.Limits.EventBytes = 20
	if err := served.Replace([]apps.App{app}); err != nil {
		t.Fatal(err)
	}
	check("after a change of the app")
}
