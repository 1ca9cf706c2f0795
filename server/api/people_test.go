package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"chatcast/broadcasting"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/api/apitest"
)

const secret = "correct horse"

// office is the API over a world, as the program serves it.
type office struct {
	*crmtest.World
	http.Handler
}

// open returns an office with every answer checked against openapi.yaml.
func open(t *testing.T, store *models.Store) office {
	t.Helper()
	o := unchecked(t, store)
	o.Handler = apitest.Documented(t, o.Handler, nil)
	return o
}

func unchecked(t *testing.T, store *models.Store) office {
	t.Helper()
	w := crmtest.New(t, store)
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	w.Tx(t, func(tx *models.Tx) error {
		return tx.SaveUser(&models.User{ID: w.Owner.UserID, Name: "Owner", PasswordHash: string(hash)})
	})
	log := slog.New(slog.DiscardHandler)
	router, err := server.NewRouter(server.RouterOptions{Log: log, TrustedProxies: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	engine := broadcasting.NewEngine(broadcasting.Options{})
	a := &api.API{CRM: w.Service, Log: log, Node: node, Streams: api.NewEventStreams(api.EventStreamOptions{Engine: engine, App: "1"})}
	a.Register(router)
	a.RegisterSchemas(router)
	router.NoRoute(a.NoRoute)
	router.NoMethod(server.MethodNotAllowed)
	return office{w, router}
}

// answered is a parsed answer.
type answered struct {
	status int
	header http.Header
	Body   string
	Data   json.RawMessage
	Error  struct {
		Code    string
		Message string
		Fields  map[string]string
	}
	Success bool
}

// ask sends a request from 127.0.0.1 and parses the answer. headers come in pairs.
func (o office) ask(t *testing.T, method, path, body string, headers ...string) answered {
	t.Helper()
	var r *http.Request
	if body == "" {
		r = httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	} else {
		r = httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr = "127.0.0.1:4711"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	got := answered{status: w.Code, header: w.Header(), Body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s %s: %d %q is not JSON: %v", method, path, w.Code, got.Body, err)
	}
	if got.Success != (w.Code < 300) || got.Success == (got.Error.Code != "") {
		t.Errorf("%s %s: %d %s", method, path, w.Code, got.Body)
	}
	return got
}

// as sends a request with the token of the actor.
func (o office) as(t *testing.T, a crm.Actor, method, path, body string) answered {
	t.Helper()
	return o.ask(t, method, path, body, "Authorization", o.Token(a))
}

func (a answered) want(t *testing.T, what string, status int, code string) {
	t.Helper()
	if a.status != status || a.Error.Code != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.status, a.Body, status, code)
	}
}

func TestTokensOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		const form = "application/x-www-form-urlencoded"
		fields := url.Values{"email": {"test@test.test"}, "password": {secret}, "appId": {"app_685_1"}}.Encode()
		object := fmt.Sprintf(`{"email":"test@test.test","password":%q,"appId":"app_685_1","more":1}`, secret)
		var parts bytes.Buffer
		mw := multipart.NewWriter(&parts)
		for k, v := range map[string]string{"email": "test@test.test", "password": secret} {
			if err := mw.WriteField(k, v); err != nil {
				t.Fatal(err)
			}
		}
		if err := mw.Close(); err != nil {
			t.Fatal(err)
		}
		var pair crm.TokenPair
		for _, tt := range []struct{ name, path, body, typ string }{
			{"JSON", "/v1/tokens", object, "application/json"},
			{"JSON that says it is a form", "/v1/tokens", object, form},
			{"form", "/v1/tokens", fields, form},
			{"multipart form", "/v1/tokens", parts.String(), mw.FormDataContentType()},
			{"query", "/v1/tokens?" + fields, "", ""},
			{"query and body", "/v1/tokens?email=test@test.test&password=wrong", `{"password":"` + secret + `"}`, "application/json"},
		} {
			got := o.ask(t, "POST", tt.path, tt.body, "Content-Type", tt.typ)
			got.want(t, tt.name, 200, "")
			if err := json.Unmarshal(got.Data, &pair); err != nil || pair.CabinetUserID != 685 || pair.AccessTokenEndTime != crmtest.Start+86400 {
				t.Errorf("%s: %s", tt.name, got.Body)
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: tokens may be cached", tt.name)
			}
		}
		for _, header := range []string{pair.AccessToken, "Bearer " + pair.AccessToken, "bearer  " + pair.AccessToken} {
			o.ask(t, "GET", "/v1/tokens/check", "", "Authorization", header).want(t, "check "+header, 200, "")
			o.ask(t, "GET", "/v1/me", "", "Authorization", header).want(t, "me "+header, 200, "")
		}
		o.ask(t, "POST", "/v1/tokens/refresh", "", "Refresh", pair.RefreshToken).want(t, "refresh by header", 200, "")
		o.ask(t, "POST", "/v1/tokens/refresh", "", "Refresh", pair.RefreshToken).want(t, "refresh again", 403, "ApiInvalidTokenError")
		o.ask(t, "GET", "/v1/tokens/check", "", "Authorization", pair.AccessToken).want(t, "the old access token", 403, "ApiInvalidTokenError")
		got := o.ask(t, "POST", "/v1/tokens", object)
		if err := json.Unmarshal(got.Data, &pair); err != nil {
			t.Fatal(err)
		}
		got = o.ask(t, "POST", "/v1/tokens/refresh", `{"refreshToken":"`+pair.RefreshToken+`"}`)
		got.want(t, "refresh by body", 200, "")
		if err := json.Unmarshal(got.Data, &pair); err != nil {
			t.Fatal(err)
		}
		o.ask(t, "DELETE", "/v1/tokens", "", "Authorization", pair.AccessToken).want(t, "revoke", 200, "")
		o.ask(t, "DELETE", "/v1/tokens", "", "Authorization", pair.AccessToken).want(t, "revoke again", 403, "ApiInvalidTokenError")
	})
}

func TestTokensOverHTTPRefuse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		for _, tt := range []struct {
			name, body, typ string
			status          int
			code, field     string
		}{
			{"nothing", "", "", 422, "ApiValidationError", "email"},
			{"broken JSON", `{"email":`, "application/json", 422, "ApiValidationError", "body"},
			{"a wrong type", `{"email":7,"password":"x"}`, "application/json", 422, "ApiValidationError", "email"},
			{"an array", `[]`, "application/json", 422, "ApiValidationError", "body"},
			{"no UTF-8", "{\"email\":\"\xff\"}", "application/json", 422, "ApiValidationError", "body"},
			{"a broken form", "email=%zz", "application/x-www-form-urlencoded", 422, "ApiValidationError", "body"},
			{"a broken multipart form", "--x", "multipart/form-data; boundary=y", 422, "ApiValidationError", "body"},
			{"a multipart form without boundary", "--x", "multipart/form-data", 422, "ApiValidationError", "body"},
			{"too much", `{"email":"` + strings.Repeat("a", 16<<10) + `"}`, "application/json", 413, "ApiTooLargeError", ""},
			{"wrong password", `{"email":"test@test.test","password":"wrong"}`, "application/json", 403, "ApiAccessDeniedError", ""},
		} {
			got := o.ask(t, "POST", "/v1/tokens", tt.body, "Content-Type", tt.typ)
			got.want(t, tt.name, tt.status, tt.code)
			if tt.field != "" && got.Error.Fields[tt.field] == "" {
				t.Errorf("%s: fields %v, want %s", tt.name, got.Error.Fields, tt.field)
			}
		}
		o.ask(t, "POST", "/v1/tokens/refresh", "").want(t, "refresh of nothing", 401, "ApiInvalidTokenError")
		o.ask(t, "GET", "/v1/tokens/check", "").want(t, "check of nothing", 401, "ApiInvalidTokenError")
		o.ask(t, "GET", "/v1/tokens/check", "", "Authorization", "Bearer x").want(t, "check of a guess", 403, "ApiInvalidTokenError")
		o.ask(t, "GET", "/v1/me", "").want(t, "me without a token", 401, "ApiInvalidTokenError")
		o.ask(t, "GET", "/v1/nowhere", "").want(t, "no route", 404, "ApiNotFoundError")
		o.ask(t, "PUT", "/v1/tokens", "").want(t, "no method", 405, "ApiMethodNotAllowedError")
	})
}

// TestSignInsAreThrottledByClient checks that attempts count by the address that a
// trusted proxy names, and by no other header.
func TestSignInsAreThrottledByClient(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		try := func(password, client string) answered {
			body := fmt.Sprintf(`{"email":"test@test.test","password":%q}`, password)
			return o.ask(t, "POST", "/v1/tokens", body, "X-Forwarded-For", client)
		}
		for range 5 {
			try("wrong", "192.0.2.1").want(t, "wrong", 403, "ApiAccessDeniedError")
		}
		got := try(secret, "192.0.2.1")
		got.want(t, "after five wrong ones", 429, "ApiTooManyRequestsError")
		if got.header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After %q, want 30", got.header.Get("Retry-After"))
		}
		try(secret, "203.0.113.9, 192.0.2.1").want(t, "with a made up client in front", 429, "ApiTooManyRequestsError")
		try(secret, "192.0.2.2").want(t, "from another client", 200, "")
	})
}

// hire invites somebody to the owner's company, and accepts as a person without an
// account.
func (o office) hire(t *testing.T, invitation string) (e crm.JoinedEmployee) {
	t.Helper()
	got := o.as(t, o.Owner, "POST", fmt.Sprintf("/v1/companies/%d/employees", crmtest.CompanyID), invitation)
	got.want(t, "invite", 200, "")
	got = o.ask(t, "POST", "/v1/invitations/accept", `{"code":"`+invitationOf(t, got).Code+`","name":"A","password":"`+secret+`"}`)
	got.want(t, "accept", 200, "")
	if err := json.Unmarshal(got.Data, &e); err != nil || e.UserID == 0 {
		t.Fatalf("%s, %v", got.Body, err)
	}
	return e
}

func TestPeopleOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		employees := fmt.Sprintf("/v1/companies/%d/employees", crmtest.CompanyID)
		e := o.hire(t, `{"email":"a@test.test","role":"operator","licenses":[{"licenseId":1229,"write":true}]}`)
		one := fmt.Sprintf("%s/%d", employees, e.UserID)
		for _, tt := range []struct {
			name         string
			a            crm.Actor
			method, path string
			body         string
			status       int
			code, in     string
		}{
			{"list", o.Owner, "GET", employees + "?limit=2", "", 200, "", `"nextPage":"`},
			{"get", o.Admin, "GET", one, "", 200, "", `"email":"a@test.test"`},
			{"change", o.Admin, "PATCH", one, `{"onlyMine":true}`, 200, "", `"onlyMine":true`},
			{"workday", o.Admin, "PUT", one + "/workday", `{"type":"start"}`, 200, "", `"workday":"start"`},
			{"remove", o.Owner, "DELETE", one, "", 200, "", `{"success":true}`},
			{"remove again", o.Owner, "DELETE", one, "", 404, "ApiNotFoundError", ""},
			{"a wrong type", o.Owner, "PATCH", employees + "/687", `{"onlyMine":"yes"}`, 422, "ApiValidationError", `"onlyMine":`},
			{"a wrong type inside", o.Owner, "PATCH", employees + "/687", `{"licenses":[{"licenseId":"x"}]}`, 422, "ApiValidationError", `licenseId`},
			{"an empty body", o.Owner, "PATCH", employees + "/687", ``, 422, "ApiValidationError", `"body":`},
			{"a limit of words", o.Owner, "GET", employees + "?limit=all", "", 422, "ApiValidationError", `"limit":`},
			{"a page that is none", o.Owner, "GET", employees + "?nextPage=x", "", 422, "ApiValidationError", `"nextPage":`},
			{"an id that overflows", o.Owner, "GET", employees + "/99999999999999999999", "", 404, "ApiNotFoundError", ""},
			{"a company of words", o.Owner, "GET", "/v1/companies/x/employees", "", 404, "ApiNotFoundError", ""},
			{"another company", o.Owner, "GET", "/v1/companies/3000/employees", "", 404, "ApiNotFoundError", ""},
			{"an operator", o.Operator, "GET", employees, "", 403, "ApiAccessDeniedError", ""},
			{"the last owner", o.Owner, "DELETE", employees + "/685", "", 409, "ApiConflictError", ""},

			{"licenses", o.Owner, "GET", "/v1/licenses", "", 200, "", `"status":{"id":4,"code":"paid"}`},
			{"create license", o.Owner, "POST", "/v1/licenses", `{"name":"Shop"}`, 200, "", `"licenseName":"Shop"`},
			{"create license with a wrong type", o.Owner, "POST", "/v1/licenses", `{"name":1}`, 422, "ApiValidationError", `"name":`},
			{"rename", o.Owner, "PATCH", "/v1/licenses/1230", `{"name":"Other"}`, 200, "", `"licenseName":"Other"`},
			{"add messenger", o.Owner, "POST", "/v1/licenses/1230/messengers", `{"type":"viber"}`, 200, "", `"type":"viber"`},
			{"add it again", o.Owner, "POST", "/v1/licenses/1230/messengers", `{"type":"viber"}`, 409, "ApiConflictError", ""},
			{"remove by body", o.Owner, "DELETE", "/v1/licenses/1230/messengers", `{"type":"viber"}`, 200, "", ""},
			{"remove by path", o.Owner, "DELETE", "/v1/licenses/1230/messengers/grWhatsApp", "", 200, "", `"messenger":[]`},
			{"delete license", o.Owner, "DELETE", "/v1/licenses/1230", "", 200, "", ""},
			{"another company's license", o.Owner, "DELETE", "/v1/licenses/3001", "", 404, "ApiNotFoundError", ""},

			{"me", o.Operator, "GET", "/v1/me", "", 200, "", `"id":687`},
			{"change me", o.Operator, "PATCH", "/v1/me", `{"name":"Anna"}`, 200, "", `"name":"Anna"`},
			{"change me to nobody", o.Operator, "PATCH", "/v1/me", `{"name":""}`, 422, "ApiValidationError", `"name":`},
		} {
			got := o.as(t, tt.a, tt.method, tt.path, tt.body)
			got.want(t, tt.name, tt.status, tt.code)
			if !strings.Contains(got.Body, tt.in) {
				t.Errorf("%s: %s, want %s in it", tt.name, got.Body, tt.in)
			}
		}
	})
}
