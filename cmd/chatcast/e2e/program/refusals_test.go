package program_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/pusher"
)

// TestRefusalsAreLoggedAndCounted causes refusals of each kind, and looks for each in
// the log and in /metrics, and for secrets in the log.
func TestRefusalsAreLoggedAndCounted(t *testing.T) {
	log := &testwait.Output{}
	p := e2e.StartLogged(t, e2e.Config(t), slog.New(slog.NewTextHandler(log, nil)))
	owner, app := p.SignIn(t), p.Components().Apps.First()
	nobody := &e2e.Client{T: t, Base: p.Base}
	forger := &e2e.Client{T: t, Base: p.Base, Token: "FORGEDTOKEN"}
	ws, id := e2e.ConnectSocket(t, p.Base)
	auth := func(c *e2e.Client, socket, channel string) {
		c.Call("POST", "/broadcasting/auth", map[string]string{"socket_id": socket, "channel_name": channel})
	}

	nobody.Call("POST", "/v1/tokens", map[string]string{"email": e2e.OwnerEmail, "password": "TYPEDPASSWORD"})
	nobody.Call("POST", "/v1/tokens", map[string]string{"email": "TYPEDEMAIL@example.com", "password": "TYPEDPASSWORD"})
	nobody.Call("POST", "/v1/tokens/refresh", map[string]string{"refreshToken": "FORGEDTOKEN"})
	owner.Call("PATCH", "/v1/me", map[string]string{"password": "long enough", "currentPassword": "TYPEDPASSWORD"})
	nobody.Call("POST", "/v1/password/reset", map[string]string{"code": "FORGEDTOKEN", "password": "long enough"})
	nobody.Call("POST", "/v1/invitations/open", map[string]any{"code": "FORGEDTOKEN"})
	forger.Call("GET", "/v1/me", nil)
	nobody.Call("GET", "/v1/licenses", nil)
	auth(nobody, id, e2e.LineChannel)
	auth(forger, id, e2e.LineChannel)
	auth(owner, id, "private-v1.users.1")
	auth(owner, "1.1", e2e.LineChannel)
	auth(owner, "no socket", e2e.LineChannel)
	forger.Call("POST", "/broadcasting/user-auth", map[string]string{"socket_id": id})
	forged := app.Key + ":" + strings.Repeat("f0", 32)
	granted := app.AuthChannel(id, e2e.LineChannel, "")
	for _, m := range []map[string]any{
		{"event": "pusher:subscribe", "data": map[string]string{"channel": "private-orders", "auth": forged}},
		{"event": "pusher:subscribe", "data": map[string]string{"channel": "#server-to-user-5"}},
		{"event": "pusher:subscribe", "data": map[string]string{"channel": e2e.LineChannel, "auth": granted}},
		{"event": "pusher:signin", "data": map[string]string{"auth": forged, "user_data": `{"id":"5"}`}},
		{"event": "client-typing", "channel": "private-orders", "data": map[string]string{}},
		{"event": "pusher:ping"},
	} {
		if err := ws.WriteJSON(m); err != nil {
			t.Fatal(err)
		}
	}
	for frame := ""; !strings.Contains(frame, "pusher:pong"); { // all before it was answered
		_, text, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		frame = string(text)
	}
	backend := e2e.OnApp(t, p.Base, app.ID, app.Key)
	statuses := []int{backend.Publish("WRONGSECRET"), publishTo(t, p.Base, app, e2e.LineChannel)}
	status, _ := e2e.Get(t, p.Base+"/apps/"+app.ID+"/channels?auth_key=FORGEDTOKEN")
	if statuses = append(statuses, status); fmt.Sprint(statuses) != "[401 403 401]" {
		t.Errorf("the backends are answered %v", statuses)
	}
	if code := e2e.OnApp(t, p.Base, "9", "nokey").Code(); code != 4001 {
		t.Errorf("a socket of an unknown app is told %d", code)
	}

	_, metrics := e2e.Get(t, "http://"+p.InternalAddress()+"/metrics")
	for kind, n := range map[string]int{
		"sign_in wrong_password": 2, "refresh bad_token": 1, "own_password wrong_password": 1, "password_reset wrong_code": 1, "invitation wrong_code": 1,
		"access_token bad_token": 1, "access_token no_token": 1,
		"channel_auth no_token": 1, "channel_auth bad_token": 1, "channel_auth denied": 1, "channel_auth no_socket": 1, "channel_auth bad_request": 1,
		"user_auth bad_token": 1, "subscription bad_signature": 1, "subscription not_signed_in": 1, "subscription not_granted": 1,
		"socket_sign_in bad_signature": 1, "client_event not_subscribed": 1, "publish bad_signature": 1, "publish denied": 1, "query bad_signature": 1,
		"connection unknown_app": 1,
		"sign_in throttled":      0, // known before it happens
	} {
		what, reason, _ := strings.Cut(kind, " ")
		if line := fmt.Sprintf("chatcast_refused_total{reason=%q,what=%q} %d\n", reason, what, n); !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
		if line := fmt.Sprintf("level=INFO msg=refused component=refusals what=%s reason=%s ", what, reason); strings.Count(log.String(), line) != n {
			t.Errorf("the log has not %d times %s", n, line)
		}
	}
	for _, secret := range []string{"TYPED", "FORGED", "WRONGSECRET", "f0f0f0", app.Secret, owner.Token, strings.TrimPrefix(granted, app.Key+":")} {
		if strings.Contains(strings.ToUpper(log.String()), strings.ToUpper(secret)) {
			t.Errorf("%s is in the log:\n%s", secret, log)
		}
	}
}

// publishTo publishes to a channel with the app's own secret, and returns the status.
func publishTo(t *testing.T, base string, app *pusher.App, channel string) int {
	t.Helper()
	body := `{"name":"e","channel":"` + channel + `","data":"d"}`
	path := "/apps/" + app.ID + "/events"
	query := pusher.SignRequest(app.Key, app.Secret, "POST", path, nil, []byte(body), time.Now())
	res, err := http.Post(base+path+"?"+query, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
