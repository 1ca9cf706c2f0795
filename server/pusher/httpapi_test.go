package pusher_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// routes are all routes of the HTTP API, with a valid body where one is needed.
var routes = []struct{ method, path, body string }{
	{"POST", "/events", plainEvent},
	{"POST", "/batch_events", batchOf(2, plainEvent)},
	{"GET", "/channels", ""},
	{"GET", "/channels/presence-a;b", ""},
	{"GET", "/channels/a/stats", ""},
	{"GET", "/channels/presence-a/users", ""},
	{"GET", "/channels/kept/events", ""},
	{"POST", "/channels/a/events", ""},
	{"POST", "/users/a;b/terminate_connections", `{}`},
}

// Every route admits only the app, and no refusal reveals a secret or a valid
// signature.
func TestEveryRouteIsSigned(t *testing.T) {
	other := apps.App{ID: "4", Key: "otherkey", Secret: "othersecret", Enabled: true}
	disabled := apps.App{ID: "5", Key: "disabledkey", Secret: "disabledsecret"}
	engine := &complete{Engine: broadcasting.NewEngine(broadcasting.Options{})}
	keeps := docApp()
	keeps.History = keptRule
	serving := func() http.Handler {
		return apiWith(t, &pusher.HTTPAPI{Apps: newApps(t, keeps, other, disabled), Engine: engine, History: new(keeper), Log: quiet(), Now: atDocTime})
	}
	h := serving()
	for _, route := range routes {
		path := "/apps/3" + route.path
		params := map[string]string{}
		if route.path == "/channels/a/events" {
			params["name"] = "e"
		}
		sign := func(key, secret, method, path, body string, at time.Duration) string {
			return pusher.SignRequest(key, secret, method, path, params, []byte(body), docTime.Add(at))
		}
		good := sign(docKey, docSecret, route.method, path, route.body, 0)
		sig, _ := url.ParseQuery(good)
		const noApp, tooFar = "auth_key does not belong", "auth_timestamp is more than 600 seconds"
		for name, test := range map[string]struct {
			path, query, body string
			status            int
			wantErr           string
		}{
			"nothing":             {path, "", route.body, 401, "auth_key is missing"},
			"an old one, again":   {path, sign(docKey, docSecret, route.method, path, route.body, -601*time.Second), route.body, 401, tooFar},
			"from the future":     {path, sign(docKey, docSecret, route.method, path, route.body, 601*time.Second), route.body, 401, tooFar},
			"wrong secret":        {path, sign(docKey, "x", route.method, path, route.body, 0), route.body, 401, "auth_signature is not"},
			"another app's":       {path, sign("otherkey", "othersecret", route.method, path, route.body, 0), route.body, 401, noApp},
			"another app's path":  {"/apps/4" + route.path, good, route.body, 401, noApp},
			"another app's key":   {path, sign("otherkey", docSecret, route.method, path, route.body, 0), route.body, 401, noApp},
			"unknown app":         {"/apps/9" + route.path, good, route.body, 401, noApp},
			"another method":      {path, sign(docKey, docSecret, "PUT", path, route.body, 0), route.body, 401, "auth_signature is not"},
			"another path":        {path, sign(docKey, docSecret, route.method, path+"x", route.body, 0), route.body, 401, "auth_signature is not"},
			"a parameter more":    {path, good + "&info=user_count", route.body, 401, "auth_signature is not"},
			"another body":        {path, good, route.body + " ", 401, "body_md5"},
			"disabled":            {"/apps/5" + route.path, sign("disabledkey", "disabledsecret", route.method, "/apps/5"+route.path, route.body, 0), route.body, 403, "the app is disabled"},
			"disabled, no secret": {"/apps/5" + route.path, sign("disabledkey", "x", route.method, "/apps/5"+route.path, route.body, 0), route.body, 401, "auth_signature is not"},
		} {
			t.Run(route.path+" "+name, func(t *testing.T) {
				w := serve(h, route.method, test.path+"?"+test.query, test.body)
				answer := w.Body.String()
				if w.Code != test.status || !strings.Contains(answer, test.wantErr) {
					t.Errorf("%d %s, want %d with %q", w.Code, answer, test.status, test.wantErr)
				}
				for _, secret := range []string{docSecret, "othersecret", "disabledsecret", sig.Get("auth_signature")} {
					if strings.Contains(answer, secret) || strings.Contains(fmt.Sprint(w.Header()), secret) {
						t.Errorf("%q is in the answer %s", secret, answer)
					}
				}
			})
		}
		if len(engine.terminated) != 0 || engine.Stats().Published != 0 {
			t.Fatalf("%s: something was done: %q, %+v", route.path, engine.terminated, engine.Stats())
		}
		w := serve(h, route.method, (&url.URL{Path: path}).EscapedPath()+"?"+good, route.body)
		if w.Code != 200 && w.Code != 202 {
			t.Errorf("%s %s: %d %s", route.method, path, w.Code, w.Body)
		}
		if again := serve(h, route.method, path+"?"+good, route.body); again.Code != w.Code { // a retry within the window is accepted, too
			t.Errorf("%s %s again: %d %s", route.method, path, again.Code, again.Body)
		}
		engine = &complete{Engine: broadcasting.NewEngine(broadcasting.Options{})}
		h = serving()
	}
}

// Names in paths mean the same however they are escaped, and either form of the path
// may be signed.
func TestPaths(t *testing.T) {
	engine := new(recorder)
	h := apiOf(t, counting{engine}, atDocTime)
	for written, status := range map[string]int{
		"a;b,c=d@e.f":         200,
		"a%3Bb%2Cc%3Dd%40e.f": 200,
		"%61":                 200,
		"%e2%82%ac":           400, // €
		"a%00":                400,
		"a%25":                400,
		"a+b":                 400, // in a path, + is literal
		"a%20b":               400,
		"%2E%2E":              200,
		"%23server-to-user-7": 200,
		"%C0%AF":              400,
		"a%2Fb":               400,
		"%2f":                 400,
	} {
		path := "/apps/3/channels/" + written
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sign := range []string{path, plain} {
			query := pusher.SignRequest(docKey, docSecret, "GET", sign, nil, nil, docTime)
			if w := serve(h, "GET", path+"?"+query, ""); w.Code != status {
				t.Errorf("%s, signed as %s: %d %s", path, sign, w.Code, w.Body)
			}
		}
	}
	for _, path := range []string{"/apps/3/channels/a/b", "/apps/3/channels/a%2Fb/users/c", "/apps/3", "/apps//channels/a/b", "/apps/3/Channels"} {
		if w := serve(h, "GET", path, ""); w.Code != 404 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/apps/3/channels/", "/apps/a%20b/channels", "/apps/a%2Fb/channels"} {
		if w := serve(h, "GET", path, ""); w.Code != 401 && w.Code != 404 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// Backends are not browsers, but the API answers preflights like every other route.
func TestPreflight(t *testing.T) {
	origins, err := apps.ParseOrigins([]string{"https://crm.example"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := server.NewRouter(server.RouterOptions{Log: quiet(), Origins: origins})
	if err != nil {
		t.Fatal(err)
	}
	(&pusher.HTTPAPI{Apps: newApps(t, docApp()), Engine: new(recorder), Log: quiet(), Now: atDocTime}).Register(r)
	h := apitest.Documented(t, r, nil)
	for _, route := range routes {
		for origin, allowed := range map[string]string{"https://crm.example": "https://crm.example", "https://evil.example": ""} {
			credentials := ""
			if allowed != "" {
				credentials = "true"
			}
			w, q := httptest.NewRecorder(), httptest.NewRequest(http.MethodOptions, "/apps/3"+route.path, nil)
			q.Header.Set("Origin", origin)
			q.Header.Set("Access-Control-Request-Method", route.method)
			q.Header.Set("Access-Control-Request-Headers", "x-pusher-library")
			h.ServeHTTP(w, q)
			if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != allowed || w.Header().Get("Access-Control-Allow-Credentials") != credentials {
				t.Errorf("%s from %s: %d %v", route.path, origin, w.Code, w.Header())
			}
			w, q = httptest.NewRecorder(), httptest.NewRequest(route.method, "/apps/3"+route.path, nil)
			q.Header.Set("Origin", origin)
			h.ServeHTTP(w, q)
			if w.Code != 401 || w.Header().Get("Access-Control-Allow-Origin") != allowed {
				t.Errorf("a refusal of %s to %s: %d %v", route.path, origin, w.Code, w.Header())
			}
		}
	}
}

// FuzzPath: whatever the path, nothing panics, the name in the path is the one that is
// queried, and a signed request is never taken for another's.
func FuzzPath(f *testing.F) {
	for _, seed := range []struct{ method, path string }{
		{"GET", "/apps/3/channels"}, {"GET", "/apps/3/channels/a;b,c=d@e.f"}, {"GET", "/apps/3/channels/%61%2F/users"}, {"GET", "/apps/3/channels/presence-a/users"},
		{"POST", "/apps/3/users/a%2Fb/terminate_connections"}, {"POST", "/apps/3/users//terminate_connections"}, {"POST", "/apps/3%2F4/users/%25/terminate_connections"},
		{"POST", "/apps/3/channels/a/events"}, {"GET", "/apps/../apps/3/channels"}, {"GET", "/apps/3/channels/a+b"}, {"POST", "//apps/3/events"}, {"POST", "/apps/3/users/%C0%AF/terminate_connections"},
	} {
		f.Add(seed.method, seed.path)
	}
	engine := &complete{Engine: broadcasting.NewEngine(broadcasting.Options{})}
	r := gin.New()
	r.RedirectTrailingSlash = false
	api := &pusher.HTTPAPI{Apps: newApps(f, docApp()), Engine: engine, Log: quiet(), Now: atDocTime}
	api.Register(r)
	r.NoRoute(func(c *gin.Context) { api.NotFound(c) })
	h := apitest.Documented(f, r, nil)
	f.Fuzz(func(t *testing.T, method, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" || u.RawQuery != "" || u.ForceQuery || !strings.HasPrefix(path, "/") || method != "GET" && method != "POST" {
			return
		}
		q := httptest.NewRequest(method, "/", nil)
		u.RawQuery = pusher.SignRequest(docKey, docSecret, method, u.Path, map[string]string{"name": "e"}, nil, docTime)
		q.URL = u
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		switch w.Code {
		case 200, 202, 400:
			if !strings.HasPrefix(u.Path, "/apps/3/") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		case 401, 404:
		default:
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		for _, id := range engine.terminated {
			if user := strings.TrimPrefix(id, "3 "); w.Code != 200 || u.Path != "/apps/3/users/"+user+"/terminate_connections" {
				t.Errorf("%s %s: %d, terminated %q", method, path, w.Code, id)
			}
		}
		engine.terminated = nil
	})
}
