package pusher_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/channels"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

const userData = `{"id":"685","user_info":{"id":685,"name":"Mr. \u003cChannels\u003e"}}`

// The vectors of Pusher's documentation, and that of its sign-in.
func TestSignatureVectors(t *testing.T) {
	app := newApps(t, docApp()).First()
	if got, want := app.AuthUser("1234.1234", `{"id":"12345"}`), docKey+":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"; got != want {
		t.Errorf("a user: %s", got)
	}
	for data, want := range map[string]string{
		`{"user_id":10,"user_info":{"name":"Mr. Channels"}}`: "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
		`{"user_id":10,"user_info":{"name":"Mr. Pusher"}}`:   "afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c",
	} {
		if got := app.AuthChannel("1234.1234", "presence-foobar", data); got != docKey+":"+want {
			t.Errorf("%s: %s", data, got)
		}
	}
	auth := app.AuthUser("1.1", "x")
	for name, wrong := range map[string]bool{
		"as it is":        !app.VerifyUser(auth, "1.1", "x"),
		"another socket":  app.VerifyUser(auth, "1.2", "x"),
		"other data":      app.VerifyUser(auth, "1.1", "y"),
		"without key":     app.VerifyUser(strings.TrimPrefix(auth, docKey+":"), "1.1", "x"),
		"another key":     app.VerifyUser("other:"+strings.TrimPrefix(auth, docKey+":"), "1.1", "x"),
		"the document's":  app.VerifyUser(docKey+"::user::"+strings.TrimPrefix(auth, docKey+":"), "1.1", "x"),
		"of a channel":    app.VerifyUser(app.AuthChannel("1.1", "x", ""), "1.1", "x"),
		"nothing":         app.VerifyUser("", "1.1", "x"),
		"its key, no hex": app.VerifyUser(docKey+":", "1.1", "x"),
	} {
		if wrong {
			t.Errorf("%s is judged wrongly", name)
		}
	}
}

// The answer is the same for every form of the request, also as JSONP and for
// /broadcasting/auth.
func TestUserAuth(t *testing.T) {
	h, granted := authorizer(t)
	data, _ := json.Marshal(userData)
	want := `{"auth":"` + docKey + ":" + hmacHex(docSecret, "1234.1234::user::"+userData) + `","user_data":` + string(data) + `}`
	const path, script = "/broadcasting/user-auth", "application/javascript"
	for name, test := range map[string]struct{ method, query, authorization, contentType, body, answer, typ string }{
		"form":                      {"POST", "", token, formType, "socket_id=1234.1234", want, jsonType},
		"form without a type":       {"POST", "", token, "", "socket_id=1234.1234", want, jsonType},
		"JSON":                      {"POST", "", "Bearer " + token, jsonType, `{"socket_id":"1234.1234"}`, want, jsonType},
		"multipart":                 {"POST", "", token, multipartType, multipartForm("socket_id", "1234.1234"), want, jsonType},
		"a channel is not asked":    {"POST", "", token, jsonType, `{"socket_id":"1234.1234","channel_name":7}`, want, jsonType},
		"callback in a POST":        {"POST", "", token, formType, "socket_id=1234.1234&callback=f", want, jsonType},
		"GET":                       {"GET", "?socket_id=1234.1234", token, "", "", want, jsonType},
		"GET with an empty one":     {"GET", "?socket_id=1234.1234&callback=", token, "", "", want, jsonType},
		"JSONP":                     {"GET", "?callback=f&socket_id=1234.1234", token, "", "", "f(" + want + ")", script},
		"JSONP as pusher-js has it": {"GET", "?callback=" + url.QueryEscape("Pusher.auth_callbacks['1']") + "&socket_id=1234.1234", token, "", "", "Pusher.auth_callbacks['1'](" + want + ")", script},
	} {
		w := ask(h, test.method, path+test.query, test.authorization, test.contentType, test.body)
		if w.Code != 200 || w.Body.String() != test.answer || w.Header().Get("Content-Type") != test.typ || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %v, want %s", name, w.Code, w.Body, w.Header(), test.answer)
		}
		if test.typ == script && w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, w.Header())
		}
		if got := granted.take(); got != "3 1234.1234 is 685" {
			t.Errorf("%s: the engine heard %q", name, got)
		}
	}
	plain := askFor(h, token, line).Body.String()
	w := ask(h, "GET", "/broadcasting/auth?callback=a.b_c$[0]['x'].d&"+form("1234.1234", line), token, "", "")
	if want := "a.b_c$[0]['x'].d(" + plain + ")"; w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s, want %s", w.Code, w.Body, want)
	}
}

func TestUserAuthRefuses(t *testing.T) {
	h, granted := authorizer(t)
	for name, test := range map[string]struct {
		method, query, authorization, contentType, body string
		status                                          int
		says                                            string
	}{
		"no token":            {"POST", "", "", formType, "socket_id=1.1", 401, "an access token is required"},
		"no token, malformed": {"POST", "", "", formType, "", 401, "an access token is required"},
		"token in the URL":    {"GET", "?callback=f&socket_id=1.1&access_token=" + token, "", "", "", 401, "an access token is required"},
		"bad token":           {"POST", "", "x", formType, "socket_id=1.1", 403, "invalid or has expired"},
		"no socket":           {"POST", "", token, formType, "channel_name=x", 422, "socket_id is required"},
		"no socket, GET":      {"GET", "", token, "", "", 422, "socket_id is required"},
		"smuggling":           {"POST", "", token, formType, "socket_id=1.1:x", 422, "socket_id must be digits"},
		"a user smuggled":     {"POST", "", token, formType, "socket_id=" + url.QueryEscape(`1.1::user::{"id":"900"}`), 422, "socket_id must be digits"},
		"a number":            {"POST", "", token, jsonType, `{"socket_id":1.1}`, 422, "socket_id must be a string, not number"},
		"twice":               {"POST", "", token, formType, "socket_id=1.1&socket_id=1.2", 422, "socket_id is given twice"},
		"a callback twice":    {"GET", "?socket_id=1.1&callback=f&callback=g", token, "", "", 422, "callback is given twice"},
		"too long":            {"POST", "", token, formType, "socket_id=1.1&x=" + strings.Repeat("x", 16<<10), 413, "over 16384 bytes"},
		"tokens not readable": {"POST", "", "broken", formType, "socket_id=1.1", 500, "internal error"},
	} {
		w := ask(h, test.method, "/broadcasting/user-auth"+test.query, test.authorization, test.contentType, test.body)
		var answer struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != test.status || !strings.Contains(answer.Message, test.says) {
			t.Errorf("%s: %d %s, want %d with %q", name, w.Code, w.Body, test.status, test.says)
		}
		if got := granted.take(); got != "" {
			t.Errorf("%s: the engine heard %q", name, got)
		}
	}
	// A callback that is more than a function's name is refused.
	for _, callback := range []string{
		"alert(1)//", "f;g", "f()", "f.", ".f", "f[", "f['x]", "f['a'b']", "f[x]", "1f", " f", "f\n", "f<script>", "f=g", "é", strings.Repeat("f", 65), "a" + strings.Repeat(".a", 9),
	} {
		for _, path := range []string{"/broadcasting/user-auth", "/broadcasting/auth"} {
			w := ask(h, "GET", path+"?"+form("1.1", line)+"&callback="+url.QueryEscape(callback), token, "", "")
			if w.Code != 422 || w.Header().Get("Content-Type") != jsonType || !strings.Contains(w.Body.String(), "callback must be the name of a function") {
				t.Errorf("%q at %s: %d %s", callback, path, w.Code, w.Body)
			}
		}
	}
}

// A token that ends during the sign-in signs nothing.
func TestUserAuthRevokedMeanwhile(t *testing.T) {
	crm, granted := &fickle{tokens: 1}, new(grants)
	g := gin.New()
	(&pusher.Authorizer{
		App: newApps(t, docApp()).First(), Users: crm, UserInfo: crm,
		Policy: channels.Policy{Access: crm}, Grants: granted, Log: quiet(),
	}).Register(g)
	w := ask(apitest.Documented(t, g, nil), "POST", "/broadcasting/user-auth", token, formType, "socket_id=1234.1234")
	if w.Code != 403 || strings.Contains(w.Body.String(), "auth\"") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := granted.take(); got != "3 1234.1234 is 685\nended 685 1685" {
		t.Errorf("the engine heard %q", got)
	}
}

// FuzzUserAuth: any query is signed or refused, and a JSONP answer is one call of one
// function.
func FuzzUserAuth(f *testing.F) {
	for _, query := range []string{
		"socket_id=1234.1234", "socket_id=1.1&callback=Pusher.auth_callbacks['1']", "callback=alert(1)//&socket_id=1.1",
		"socket_id=1.1%00", "socket_id=1.1&callback=%27", "&&;=", "socket_id=1.1&callback=f&callback=f",
	} {
		f.Add(query)
	}
	h, granted := authorizer(f)
	call := regexp.MustCompile(`\A[A-Za-z0-9_$.'"\[\]]+\((\{.*\})\)\z`)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/broadcasting/user-auth", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		heard, body := granted.take(), w.Body.Bytes()
		if w.Code == http.StatusOK && w.Header().Get("Content-Type") != jsonType {
			match := call.FindSubmatch(body)
			if match == nil {
				t.Fatalf("%q makes the script %s", query, body)
			}
			body = match[1]
		}
		var answer map[string]any
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatalf("%q: %d %s", query, w.Code, body)
		}
		if signed := answer["auth"] != nil; signed != (w.Code == http.StatusOK) || signed != (heard != "") || !signed && w.Code != 422 && w.Code != 403 {
			t.Fatalf("%q: %d %s, the engine heard %q", query, w.Code, body, heard)
		}
	})
}
