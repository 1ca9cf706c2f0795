package program_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// TestWholeProgramIsDocumented checks that openapi.yaml and pages.yaml have exactly the
// routes that the program serves, but for those of Engine.IO.
func TestWholeProgramIsDocumented(t *testing.T) {
	anyParam := regexp.MustCompile(`[:*]\w+|\{\w+\}`)
	var served, documented []string
	for _, r := range e2e.Start(t, e2e.Config(t)).Components().Router.Routes() {
		if !apitest.OfEngineIO(r.Path) {
			served = append(served, anyParam.ReplaceAllString(r.Path, "{}")+" "+r.Method)
		}
	}
	for _, op := range reference(t).Operations {
		documented = append(documented, anyParam.ReplaceAllString(op.String(), "{}"))
	}
	for _, op := range evolution(t).Operations {
		route := anyParam.ReplaceAllString(op.String(), "{}")
		if documented = append(documented, route); strings.Contains(route, "/{} ") || strings.HasPrefix(route, "/instance/") || strings.HasPrefix(route, "/verify-creds") {
			documented = append(documented, "/whatsapp"+route)
		}
	}
	for _, op := range multiwa(t).Operations {
		route := anyParam.ReplaceAllString(op.String(), "{}")
		documented = append(documented, route)
		if rest, ok := strings.CutPrefix(route, "/api/v1/"); ok {
			documented = append(documented, "/api/"+rest)
		}
	}
	for _, route := range served {
		if !slices.Contains(documented, route) {
			t.Errorf("%s is not documented", route)
		}
	}
	for _, route := range documented {
		if !slices.Contains(served, route) {
			t.Errorf("%s is documented, but not served", route)
		}
	}
}

// TestAnswersBesideTheCRMAreDocumented sends the routes of the other packages every
// request that openapi.yaml names.
func TestAnswersBesideTheCRMAreDocumented(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].History = []apps.History{{Channels: "kept", Retention: "1h"}}
	off := cfg.Apps[0]
	off.ID, off.Key, off.Secret, off.Enabled = "2", "OffKey", rand.Text(), false
	slow := cfg.Apps[0] // an app limited to one event and one request a second
	slow.ID, slow.Key, slow.Secret, slow.Limits.EventsPerSecond, slow.Limits.ReadsPerSecond = "3", "SlowKey", rand.Text(), 1, 1
	cfg.Apps = append(cfg.Apps, off, slow)
	running := e2e.Start(t, cfg)
	pair, err := running.Components().Rules.IssueToken(t.Context(), e2e.OwnerEmail)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	record := func(op *apitest.Operation, _ *http.Request, status int) {
		seen[op.String()+" "+strconv.Itoa(status)] = true
	}
	handler := apitest.Documented(t, running.Components().Router, record)
	ask := func(method, target, contentType, body, token string, want int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
		if body != "" {
			r = httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
			r.Header.Set("Content-Type", contentType)
		}
		r.Header.Set("Authorization", token)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if want != 0 && rec.Code != want {
			t.Errorf("%s %s %.100s: %d %s, want %d", method, target, body, rec.Code, rec.Body, want)
		}
	}

	_, id := e2e.ConnectSocket(t, running.Base)
	const auth, form, object = "/broadcasting/auth", "application/x-www-form-urlencoded", "application/json"
	enter := func(channel string) string {
		return url.Values{"socket_id": {id}, "channel_name": {channel}}.Encode()
	}
	const own, strange = "private-v1.users.685", "private-v1.users.1"
	ask("POST", auth, form, enter(own), pair.AccessToken, 200)
	ask("POST", auth, form, enter("presence-v1.companies.2224"), "Bearer "+pair.AccessToken, 200)
	ask("POST", auth, object, `{"socket_id":"`+id+`","channel_name":"`+own+`","last_event_id":7}`, pair.AccessToken, 200)
	ask("POST", auth, form, enter(own), "", 401)
	ask("POST", auth, form, enter(strange), pair.AccessToken, 403)
	ask("POST", auth, form, url.Values{"socket_id": {"1.2"}, "channel_name": {own}}.Encode(), pair.AccessToken, 403) // a channel of nobody
	ask("POST", auth, form, enter(own), "no token", 403)
	ask("POST", auth, form, "socket_id=1", pair.AccessToken, 422)
	ask("POST", auth, form, strings.Repeat("x", 20<<10), pair.AccessToken, 413)
	ask("GET", auth+"?"+enter(own), "", "", pair.AccessToken, 200)
	ask("GET", auth+"?"+enter(own), "", "", "", 401)
	ask("GET", auth+"?"+enter(strange), "", "", pair.AccessToken, 403)
	ask("GET", auth, "", "", pair.AccessToken, 422)
	ask("HEAD", auth+"?"+enter(own), "", "", pair.AccessToken, 405)

	askBackends(t, running.Components().Apps, handler)
	const userAuth = "/broadcasting/user-auth"
	ask("POST", userAuth, form, "socket_id="+id, pair.AccessToken, 200)
	ask("POST", userAuth, object, `{"socket_id":"`+id+`"}`, "Bearer "+pair.AccessToken, 200)
	ask("POST", userAuth, form, "socket_id="+id, "", 401)
	ask("POST", userAuth, form, "socket_id="+id, "no token", 403)
	ask("POST", userAuth, form, "socket_id=1", pair.AccessToken, 422)
	ask("POST", userAuth, form, strings.Repeat("x", 20<<10), pair.AccessToken, 413)
	ask("GET", userAuth+"?socket_id="+id, "", "", pair.AccessToken, 200)
	ask("GET", userAuth+"?callback=f&socket_id="+id, "", "", pair.AccessToken, 200)
	ask("GET", userAuth+"?socket_id="+id, "", "", "", 401)
	ask("GET", userAuth+"?socket_id="+id, "", "", "no token", 403)
	ask("GET", userAuth, "", "", pair.AccessToken, 422)
	ask("HEAD", userAuth+"?socket_id="+id, "", "", pair.AccessToken, 405)

	for _, path := range []string{"/docs", "/docs/docs.css", "/docs/docs.js"} {
		for _, method := range []string{"GET", "HEAD"} {
			ask(method, path, "", "", "", 200)
			r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
			r.Header.Set("If-None-Match", "*")
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	for _, path := range []string{"/console.json", "/healthz", "/openapi.yaml", "/openapi.json", "/openapi-3.0.json", "/asyncapi.yaml", "/schemas/message.json"} {
		ask("GET", path, "", "", "", 200)
	}
	for _, method := range []string{"GET", "HEAD"} {
		ask(method, "http://localhost/passkey-extension.zip", "", "", "", 200)
		ask(method, "/passkey-extension.zip", "", "", "", 404)                     // the console is asked for without encryption
		ask(method, "http://[2001:db8::1]/passkey-extension.zip", "", "", "", 404) // no extension can name such a host
	}
	ask("GET", "/app/"+cfg.Apps[0].Key+"?protocol=7", "", "", "", 426)
	half := httptest.NewRequestWithContext(t.Context(), "GET", "/app/"+cfg.Apps[0].Key+"?protocol=7", http.NoBody)
	half.Header.Set("Connection", "Upgrade")
	half.Header.Set("Upgrade", "websocket") // without a key and a version
	handler.ServeHTTP(httptest.NewRecorder(), half)
	for i, prefix := range []string{"/pusher", ""} {
		session := prefix + "/app/" + cfg.Apps[0].Key + "/" + strconv.Itoa(i) + "/session1"
		for _, kind := range []string{"/xhr", "/xhr_streaming"} {
			ask("POST", session+kind, "", "", "", 200) // without a version it is refused in a frame, and ends
			ask("POST", session+kind, object, strings.Repeat("x", 5<<10), "", 413)
			ask("POST", prefix+"/app/k/417/short"+kind, "", "", "", 404)
		}
		ask("POST", session+"/xhr_send", object, "[]", "", 404)
		ask("POST", session+"/xhr?protocol=7", "", "", "", 200)
		ask("POST", session+"/xhr_send?t=1&n=2", object, "[]", "", 204)
		ask("POST", session+"/xhr_send", object, "{}", "", 400)
		ask("POST", session+"/xhr_send", object, strings.Repeat(" ", 1<<20), "", 413)
	}
	for end := time.Now().Add(testwait.Long); !seen["/readyz GET 200"] && time.Now().Before(end); {
		ask("GET", "/readyz", "", "", "", 0)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel() // the database check ends with the request
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(late, "GET", "/readyz", http.NoBody))
	if !seen["/readyz GET 503"] {
		t.Error("/readyz does not answer 503")
	}

	running.Stop()
	ask("GET", "/readyz", "", "", "", 503) // the program is stopping

	askConsole(t, record)
	askSecurityTxt(t, record)

	crmRoutes := regexp.MustCompile(`^/(v1|schemas)/`)
	for _, op := range reference(t).Operations {
		for _, status := range op.Statuses() {
			key := op.String() + " " + status
			if !crmRoutes.MatchString(op.Path) && seen[key] == (hard[key] || receives.MatchString(key)) {
				t.Errorf("%s: seen %v, though it is documented, or hard to see", key, seen[key])
			}
		}
	}
}

// askBackends sends the Pusher HTTP API every documented request. App 2 is disabled, and
// app 3 has a rate of one.
func askBackends(t *testing.T, served *pusher.Apps, handler http.Handler) {
	t.Helper()
	send := func(method, target, encoding, body string, want int) (status int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if encoding != "" {
			r.Header.Set("Content-Encoding", encoding)
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if want != 0 && rec.Code != want {
			t.Errorf("%s %s %.100s: %d %s, want %d", method, target, body, rec.Code, rec.Body, want)
		}
		return rec.Code
	}
	sign := func(id, method, path, param, body string) (target string) {
		params, app := map[string]string{}, served.ByID(id)
		if k, v, ok := strings.Cut(param, "="); ok {
			params[k] = v
		}
		path = "/apps/" + id + path
		return path + "?" + pusher.SignRequest(app.Key, app.Secret, method, path, params, []byte(body), time.Now())
	}
	send("GET", sign("1", "GET", "/channels/news/events", "", ""), "", "", 404)
	send("GET", sign("1", "GET", "/channels/kept/events", "after=1000", ""), "", "", 410)
	const event = `{"name":"e","channel":"news","data":"{}","socket_id":"1.2"}`
	for _, r := range []struct {
		method, path, param, body string
		good                      int    // 0: it depends on the engine
		bad, badParam, badBody    string // a request with one error
	}{
		{"POST", "/events", "", event, 200, "/events", "", `{}`},
		{"POST", "/batch_events", "", `{"batch":[` + event + `]}`, 200, "/batch_events", "", `{"batch":[]}`},
		{"POST", "/channels/news/events", "name=e", `{}`, 202, "/channels/news/events", "name=e", "\xff"},
		{"GET", "/channels", "filter_by_prefix=presence-", "", 200, "/channels", "info=x", ""},
		{"GET", "/channels/news", "info=subscription_count", "", 200, "/channels/news", "info=x", ""},
		{"GET", "/channels/news/stats", "info=subscription_count", "", 200, "/channels/news/stats", "info=x", ""},
		{"GET", "/channels/presence-news/users", "", "", 200, "/channels/news/users", "", ""},
		{"GET", "/channels/kept/events", "after=0", "", 200, "/channels/kept/events", "after=x", ""},
		{"POST", "/users/7/terminate_connections", "", `{}`, 0, "/users/" + strings.Repeat("7", 201) + "/terminate_connections", "", `{}`},
	} {
		large := strings.Repeat("x", 1<<20)
		send(r.method, sign("1", r.method, r.path, r.param, r.body), "", r.body, r.good)
		send(r.method, sign("1", r.method, r.bad, r.badParam, r.badBody), "", r.badBody, 400)
		send(r.method, "/apps/1"+r.path, "", r.body, 401)
		send(r.method, sign("2", r.method, r.path, r.param, r.body), "", r.body, 403)
		send(r.method, sign("1", r.method, r.path, r.param, large), "", large, 413)
		send(r.method, sign("1", r.method, r.path, r.param, r.body), "br", r.body, 415)
		for end := time.Now().Add(testwait.Long); ; { // seconds may pass between two requests
			if send(r.method, sign("3", r.method, r.path, r.param, r.body), "", r.body, 0) == http.StatusTooManyRequests {
				break
			}
			if time.Now().After(end) {
				t.Errorf("%s %s: the rate has no end", r.method, r.path)
				break
			}
		}
	}
}

// hard lists documented answers that need a socket or a failing component.
var hard = map[string]bool{
	"/app/{key} GET 101": true, "/app/{key} GET 503": true, "/apps/{appId}/events POST 503": true,
	"/apps/{appId}/users/{userId}/terminate_connections POST 503": true,
	"/apps/{appId}/batch_events POST 503":                         true, "/apps/{appId}/channels/{channelName}/events POST 503": true,
	"/apps/{appId}/channels GET 503": true, "/apps/{appId}/channels/{channelName} GET 503": true,
	"/apps/{appId}/channels/{channelName}/stats GET 503": true, "/apps/{appId}/channels/{channelName}/users GET 503": true,
	"/apps/{appId}/channels/{channelName}/events GET 503": true,
	"/broadcasting/auth GET 500":                          true, "/broadcasting/auth POST 500": true,
	"/broadcasting/auth GET 503": true, "/broadcasting/auth POST 503": true,
	"/broadcasting/user-auth GET 500": true, "/broadcasting/user-auth POST 500": true,
	"/broadcasting/user-auth GET 503": true, "/broadcasting/user-auth POST 503": true,
}

// receives matches the answers to a body that breaks off, and to a session over HTTP
// that waits to receive when the server ends.
var receives = regexp.MustCompile(`/xhr(_streaming)? POST (400|503)$`)

func reference(t *testing.T) *apitest.Reference {
	t.Helper()
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// evolution returns the reference of the dialect of Evolution API.
func evolution(t *testing.T) *apitest.Reference {
	t.Helper()
	ref, err := apitest.LoadEvolution()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// multiwa returns the reference of the dialect of MultiWA.
func multiwa(t *testing.T) *apitest.Reference {
	t.Helper()
	ref, err := apitest.LoadMultiWA()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
