package pusher_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server/pusher"
)

// reserved are channels of the CRM, and names that could be taken for one.
var reserved = []string{
	line, line + ".pairing", "presence-v1.licenses.1229.messengers.grWhatsApp", "private-v1.companies.2224", "presence-v1.companies.2224",
	"private-v1.users.685", "private-v1.companies.2224.users.685",
	"presence-v1.users.685", "private-cache-v1.users.685", "presence-cache-v1.companies.2224",
	"private-encrypted-v1.users.685", "private-encrypted-cache-v1.users.685",
}

// free are names that only resemble channels of the CRM.
var free = []string{"v1.users.685", "cache-v1.users.685", "private-v1", "private-v1.orders.1", "private-v2.users.685", "private-my.v1.users.685"}

// No secret of an app publishes to the channels of the CRM, not even that of the app
// that carries them.
func TestAppsDoNotPublishToCRM(t *testing.T) {
	engine := new(recorder)
	other := apps.App{ID: "4", Key: "otherkey", Secret: "othersecret", Enabled: true}
	h := apiOf(t, engine, atDocTime, other)
	post := func(app apps.App, path, body string, params map[string]string) (status int, answer string) {
		path = "/apps/" + app.ID + path
		query := pusher.SignRequest(app.Key, app.Secret, "POST", path, params, []byte(body), docTime)
		w := serve(h, "POST", path+"?"+query, body)
		return w.Code, w.Body.String()
	}
	publish := func(app apps.App, channel string, want int) {
		t.Helper()
		one := `{"name":"message","data":"{}","channel":"` + channel + `"}`
		for path, body := range map[string]string{
			"/events":                          one,
			"/batch_events":                    `{"batch":[{"name":"e","data":"","channel":"a"},` + one + `]}`,
			"/channels/" + channel + "/events": `{}`,
		} {
			params := map[string]string{}
			if strings.HasPrefix(path, "/channels") {
				params["name"] = "message"
			}
			status, answer := post(app, path, body, params)
			refused := strings.Contains(answer, channel+" is a channel of the CRM, which alone publishes to it")
			if want == http.StatusForbidden && (status != want || !refused) || want == http.StatusOK && status != 200 && status != 202 {
				t.Errorf("app %s, %s of %s: %d %s", app.ID, path, channel, status, answer)
			}
		}
		if !strings.Contains(channel, "encrypted") {
			if status, _ := post(app, "/events", `{"name":"e","data":"","channels":["a","`+channel+`"]}`, nil); status != want {
				t.Errorf("app %s, %s among others: %d", app.ID, channel, status)
			}
		}
	}
	for _, app := range []apps.App{docApp(), other} {
		for _, channel := range reserved {
			publish(app, channel, http.StatusForbidden)
		}
		if list := engine.take(); len(list) > 0 {
			t.Errorf("app %s published %+v", app.ID, list)
		}
		for _, channel := range free {
			publish(app, channel, http.StatusOK)
		}
		engine.take()
	}
}

// A signature made with an app's secret does not open a channel of the CRM, in any app.
func TestAppsDoNotSignForCRM(t *testing.T) {
	h := newHarness(t)
	a, b := h.connect(t), h.connect(t)
	refused := func(r *raw, channel string) {
		t.Helper()
		why := "Only /broadcasting/auth lets a connection subscribe to " + channel + ", a channel of the CRM"
		r.expect(errorSays(4009, why), subscriptionErrorSays(channel, "AuthError", why, 401))
	}
	const own = `{"user_id":"685"}`
	for _, channel := range reserved {
		data := ""
		if strings.HasPrefix(channel, "presence-") {
			data = own
		}
		a.subscribe(channel, a.auth(channel, data), data)
		refused(a, channel)
	}
	for _, channel := range free {
		a.enter(channel)
		if strings.HasPrefix(channel, "cache-") {
			a.expect(missed(channel))
		}
	}
	small := h.dial(t, "/app/small?protocol=7", nil).greeted()
	small.subscribe(line, "small:"+hmacHex("s", small.id+":"+line), "")
	refused(small, line)

	// What /broadcasting/auth granted to one socket opens that channel there, and
	// nothing else.
	auth, _ := h.authorize(t, a, token, line)
	b.subscribe(line, b.auth(line, ""), "")
	refused(b, line)
	a.subscribe("private-v1.users.685", a.auth("private-v1.users.685", ""), "")
	refused(a, "private-v1.users.685")
	a.subscribe(line, auth, "")
	a.expect(succeeded(line))
	small.subscribe(line, "small:"+hmacHex("s", small.id+":"+line), "")
	refused(small, line)

	// Nor does it make the socket another member, whom the others would see.
	const presence = "presence-v1.companies.2224"
	auth, granted := h.authorize(t, a, token, presence)
	for _, forged := range []string{`{"user_id":"900"}`, `{"user_id":"685","user_info":{"id":685,"name":"The boss"}}`} {
		a.subscribe(presence, a.auth(presence, forged), forged)
		refused(a, presence)
	}
	a.subscribe(presence, auth, granted)
	if got := a.read(); !strings.Contains(got, "subscription_succeeded") {
		t.Error(got)
	}
	if list := h.channelsOf("6", ""); len(list) > 0 {
		t.Errorf("another app has the channels %+v", list)
	}
	if err := h.engine.Publish(t.Context(), broadcasting.Event{App: "3", Channel: line, Name: "message", Data: "x"}); err != nil {
		t.Fatal(err)
	}
	a.expect(`{"event":"message","channel":"` + line + `","data":"x"}`)
	b.silence()
	small.silence()
}

// Nor do the secrets tell who is in the channels of the CRM.
func TestAppsDoNotLookIntoCRM(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	const presence = "presence-v1.companies.2224"
	auth, data := h.authorize(t, a, token, presence)
	a.subscribe(presence, auth, data)
	a.read()
	a.enter("private-my.users.685")
	for path, want := range map[string]struct {
		status int
		answer string
	}{
		"/channels":                        {200, `{"channels":{"private-my.users.685":{}}}`},
		"/channels/" + presence:            {403, `{"error":"channel: ` + presence + ` is a channel of the CRM","status":403}`},
		"/channels/" + presence + "/users": {403, `{"error":"channel: ` + presence + ` is a channel of the CRM","status":403}`},
		"/channels/private-v1.users.685":   {403, `{"error":"channel: private-v1.users.685 is a channel of the CRM","status":403}`},
		"/channels/private-my.users.685":   {200, `{"occupied":true}`},
	} {
		query := pusher.SignRequest(docKey, docSecret, "GET", "/apps/3"+path, nil, nil, time.Now())
		if w := serve(h.web, "GET", "/apps/3"+path+"?"+query, ""); w.Code != want.status || w.Body.String() != want.answer {
			t.Errorf("%s: %d %s, want %d %s", path, w.Code, w.Body, want.status, want.answer)
		}
	}
}
