package pusher_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// ask posts a form with the access token.
func (h *harness) ask(t *testing.T, path, token, body string) (status int, answer map[string]any) {
	t.Helper()
	req, err := http.NewRequest("POST", h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", formType)
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}

// signInToCRM signs the socket in as the user of the token.
func (h *harness) signInToCRM(t *testing.T, r *raw, token string) {
	t.Helper()
	status, answer := h.ask(t, "/broadcasting/user-auth", token, "socket_id="+r.id)
	if status != 200 {
		t.Fatalf("user-auth: %d %v", status, answer)
	}
	r.signInWith(answer["auth"].(string), answer["user_data"].(string))
	r.expect(signedIn(answer["user_data"].(string)))
}

// User 685 of the CRM and user 685 of the app that carries it are two people, although
// both are signed with the app's secret.
func TestCRMUsersAreNotTheAppsUsers(t *testing.T) {
	h := newHarness(t)
	const app685, channel = `{"id":"685"}`, "#server-to-user-685"
	watcher, ofCRM, ofApp := h.connect(t), h.connect(t), h.connect(t)
	watcher.signIn(`{"id":"W","watchlist":["685"]}`)
	watcher.expect(signedIn(`{"id":"W","watchlist":["685"]}`))

	// Coming of the CRM's user is no news in the app.
	h.signInToCRM(t, ofCRM, token)
	watcher.silence()
	ofApp.signIn(app685)
	ofApp.expect(signedIn(app685))
	watcher.expect(`{"event":"pusher_internal:watchlist_events","data":{"events":[{"name":"online","user_ids":["685"]}]}}`)

	// What the app sends to its user reaches that one alone.
	for _, r := range []*raw{ofCRM, ofApp} {
		r.subscribe(channel, "", "")
		r.expect(succeeded(channel))
	}
	h.publish(t, `{"name":"e","channel":"`+channel+`","data":"x"}`)
	ofApp.expect(`{"event":"e","channel":"` + channel + `","data":"x"}`)
	ofCRM.silence()
	ofCRM.subscribe("#server-to-user-900", "", "")
	ofCRM.read()
	ofCRM.read()

	// The CRM's user is not a member of the app's channels by having signed in.
	const room = "presence-room"
	const why = "channel_data is missing: a presence channel needs it, unless the connection is signed in"
	ofCRM.subscribe(room, ofCRM.auth(room, ""), "")
	ofCRM.expect(errorSays(4314, why), subscriptionErrorSays(room, "ChannelError", why, 400))

	// A socket stays who it is.
	const other = "The connection is signed in as another user already"
	ofCRM.signIn(`{"id":"900"}`)
	ofCRM.expect(errorSays(4009, other))
	if status, _ := h.ask(t, "/broadcasting/user-auth", token, "socket_id="+ofApp.id); status != 200 {
		t.Errorf("user-auth for the app's user: %d", status)
	}
	ofApp.signInWith(ofApp.userAuth(userData), userData)
	ofApp.expect(errorSays(4009, other))

	// The end of one is not the end of the other.
	h.disconnect("900")
	query := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/users/685/terminate_connections", nil, []byte(`{}`), time.Now())
	res, err := http.Post(h.url+"/apps/3/users/685/terminate_connections?"+query, jsonType, strings.NewReader(`{}`))
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	ofApp.expect(errorSays(4009, "The application has ended the connections of this user"))
	ofApp.expectClose(4009)
	watcher.expect(`{"event":"pusher_internal:watchlist_events","data":{"events":[{"name":"offline","user_ids":["685"]}]}}`)
	ofCRM.silence()

	again := h.connect(t)
	again.signIn(app685)
	again.expect(signedIn(app685))
	watcher.read()
	h.disconnect("685")
	ofCRM.expect(errorSays(4009, "The user is no longer allowed to be here"))
	ofCRM.expectClose(4009)
	again.silence()
	watcher.silence()
}

// userAuth signs the socket in with the app's secret, as the app's backend does.
func (r *raw) userAuth(data string) string {
	return docKey + ":" + hmacHex(docSecret, r.id+"::user::"+data)
}

// A user of the CRM does not become the app's user of the same id, with an older
// signature or another one.
func TestCRMUserDoesNotBecomeTheAppsUser(t *testing.T) {
	h := newHarness(t)
	a := h.connect(t)
	if status, _ := h.ask(t, "/broadcasting/user-auth", token, "socket_id="+a.id); status != 200 {
		t.Fatal(status)
	}
	const renamed = `{"id":"685","user_info":{"id":685,"name":"before"}}`
	a.signInWith(a.userAuth(renamed), renamed)
	a.expect(signedIn(renamed))
	a.subscribe("#server-to-user-685", "", "")
	a.expect(succeeded("#server-to-user-685"))
	h.publish(t, `{"name":"e","channel":"#server-to-user-685","data":"x"}`)
	a.silence()
	if n := h.terminate("3", "685"); n != 0 {
		t.Errorf("%d sockets of the app's user", n)
	}
}

// Whoever knows the id of another's socket cannot take it. The socket's own user can
// have any number of signatures, also in a new session.
func TestSocketOfAnotherUser(t *testing.T) {
	const refusal = `this connection belongs to another user`
	for name, first := range map[string]string{"auth": "/broadcasting/auth", "user-auth": "/broadcasting/user-auth"} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			a, b := h.connect(t), h.connect(t)
			if status, answer := h.ask(t, first, token, form(a.id, "private-v1.companies.2224")); status != 200 {
				t.Fatalf("%d %v", status, answer)
			}
			for path, channel := range map[string]string{"/broadcasting/auth": "private-v1.companies.9", "/broadcasting/user-auth": "x"} {
				status, answer := h.ask(t, path, otherToken, form(a.id, channel))
				if status != 403 || answer["message"] != refusal || answer["auth"] != nil {
					t.Errorf("%s of another user: %d %v", path, status, answer)
				}
				for _, again := range []string{token, "Bearer " + newerToken} {
					if status, answer := h.ask(t, path, again, form(a.id, "private-v1.users.685")); status != 200 || answer["auth"] == nil {
						t.Errorf("%s of the same user: %d %v", path, status, answer)
					}
				}
			}
			if status, _ := h.ask(t, "/broadcasting/auth", otherToken, form(b.id, "private-v1.companies.9")); status != 200 {
				t.Errorf("a socket of nobody: %d", status)
			}
		})
	}
}

// refreshed is a CRM where the session goes on with a new token while a signature is
// made, until then.
type refreshed struct {
	company
	until time.Time
}

func (r refreshed) Session(_ context.Context, id int64) (pusher.Session, error) {
	return pusher.Session{ID: id, UserID: id - 1000, Until: r.until}, nil
}

// A token that is refreshed meanwhile is as good as before, and the socket learns of
// the session's new end.
func TestAuthRefreshedMeanwhile(t *testing.T) {
	for path, want := range map[string]string{
		"/broadcasting/auth":      "3 1234.1234 " + line + " 685\nextended 685 1685 2101-02-03",
		"/broadcasting/user-auth": "3 1234.1234 is 685\nextended 685 1685 2101-02-03",
	} {
		crm, granted := refreshed{until: time.Date(2101, 2, 3, 0, 0, 0, 0, time.UTC)}, new(grants)
		g := gin.New()
		(&pusher.Authorizer{
			App: newApps(t, docApp()).First(), Users: crm, UserInfo: crm, Policy: channels.Policy{Access: crm}, Grants: granted, Log: quiet(),
		}).Register(g)
		if w := ask(apitest.Documented(t, g, nil), "POST", path, token, formType, form("1234.1234", line)); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if got := granted.take(); got != want {
			t.Errorf("%s: the engine heard %q, want %q", path, got, want)
		}
	}
}

// minute is a CRM whose tokens end a minute after the test began.
type minute struct {
	company
	end time.Time
}

func (m minute) Authenticate(ctx context.Context, token string) (pusher.Session, error) {
	s, err := m.company.Authenticate(ctx, token)
	s.Until = m.end
	return s, err
}

func (m minute) Session(ctx context.Context, id int64) (pusher.Session, error) {
	s, err := m.company.Session(ctx, id)
	s.Until = m.end
	return s, err
}

// A socket whose token has expired is closed five minutes later, whichever route vouched
// for it. One whose session was refreshed goes on.
func TestSocketEndsAfterItsToken(t *testing.T) {
	tokens := &minute{}
	inBubble(t, func(t *testing.T, h *harness, connect func() *raw) {
		begin := time.Now()
		tokens.end = begin.Add(time.Minute)
		nobody, channel, signedIn, refreshed := connect(), connect(), connect(), connect()
		for r, ask := range map[*raw][3]string{
			channel: {"/broadcasting/auth", token, line}, signedIn: {"/broadcasting/user-auth", token, "x"},
			refreshed: {"/broadcasting/auth", newerToken, line},
		} {
			req := httptest.NewRequest("POST", ask[0], strings.NewReader(form(r.id, ask[2])))
			req.Header.Set("Content-Type", formType)
			req.Header.Set("Authorization", ask[1])
			w := httptest.NewRecorder()
			if h.web.ServeHTTP(w, req); w.Code != 200 {
				t.Fatal(w.Code, w.Body)
			}
		}
		for range 6 {
			time.Sleep(59 * time.Second)
			for _, r := range []*raw{nobody, channel, signedIn, refreshed} {
				r.silence()
			}
		}
		newer := broadcasting.Owner{UserID: "685", Session: 1686, Until: begin.Add(time.Hour)}
		if err := h.engine.ExtendSession(t.Context(), newer); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*raw{channel, signedIn} {
			r.expect(errorSays(4009, "The user is no longer allowed to be here"))
			r.expectClose(4009)
			if d := time.Since(begin); d != 6*time.Minute {
				t.Errorf("closed after %s", d)
			}
		}
		time.Sleep(time.Minute)
		nobody.silence()
		refreshed.silence()
	}, func(s *setup) { s.users = tokens })
}
