package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// While a company requires a second factor, its people without one are refused by every
// route that needs a token, except those with which they see themselves, sign out and set
// one up.
func TestPeopleWhoMustEnrolCanDoNothingElse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		o.Tx(t, func(tx *models.Tx) error { return tx.SetRequireTOTP(crmtest.CompanyID, true) })
		allowed := map[string]bool{
			"/v1/me GET": true, "/v1/me PATCH": true, "/v1/me/totp POST": true, "/v1/me/totp/confirm POST": true, "/v1/tokens/check GET": true, "/v1/tokens DELETE": true,
		}
		ref := reference(t)
		for _, op := range ref.Operations {
			if !op.SignedIn(ref) || !strings.HasPrefix(op.Path, "/v1/") || op.String() == "/v1/tokens DELETE" || op.Method == "HEAD" {
				continue
			}
			got := o.as(t, o.Operator, op.Method, sample(op), `{}`)
			refused := got.status == 403 && strings.Contains(got.Error.Message, "second factor")
			if refused == allowed[op.String()] {
				t.Errorf("%s is answered %d %s", op, got.status, got.Body)
			}
		}
		o.as(t, o.Stranger, "GET", "/v1/licenses", "").want(t, "another company", 200, "")
		var me struct{ TOTP string }
		if err := json.Unmarshal(o.as(t, o.Operator, "GET", "/v1/me", "").Data, &me); err != nil || me.TOTP != "required" {
			t.Errorf("me: %+v, %v", me, err)
		}
		o.as(t, o.Operator, "DELETE", "/v1/tokens", "").want(t, "sign out", 200, "")
	})
}

// A code is not read from the query, which proxies log.
func TestCodesAreNotInTheQuery(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		w := &walker{office: o, t: t}
		var made struct{ Secret, Picture string }
		got := o.as(t, o.Owner, "POST", "/v1/me/totp", `{"currentPassword":"`+secret+`"}`)
		if err := json.Unmarshal(got.Data, &made); err != nil || !strings.HasPrefix(made.Picture, "data:image/png;base64,") || got.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%v in %s", err, got.Body)
		}
		o.as(t, o.Owner, "POST", "/v1/me/totp/confirm", `{"code":"`+w.code(made.Secret)+`"}`).want(t, "confirm", 200, "")
		o.Clock.Advance(30e9)
		code := w.code(made.Secret)
		body := `{"email":"test@test.test","password":"` + secret + `"}`
		got = o.ask(t, "POST", "/v1/tokens?code="+code, body)
		got.want(t, "code in the query", 422, "ApiValidationError")
		if !strings.Contains(got.Error.Fields["code"], "is required") {
			t.Errorf("fields %v", got.Error.Fields)
		}
		o.ask(t, "POST", "/v1/tokens", strings.TrimSuffix(body, "}")+`,"code":"`+code+`"}`).want(t, "code in the body", 200, "")
	})
}
