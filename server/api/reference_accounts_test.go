package api_test

import (
	"github.com/pquerna/otp/totp"

	"chatcast/crm"
)

// accounts sends requests about sessions, forgotten passwords and second factors.
func (w *walker) accounts() {
	nobody, signIn := crm.Actor{}, `{"email":"test@test.test","password":"`+secret+`"}`
	w.steps(
		step{nobody, "POST /v1/tokens", signIn, 0, "", nil},
		step{nobody, "POST /v1/tokens", signIn, 0, "", nil},
		step{w.Owner, "GET /v1/sessions?limit=1", "", 0, "session=data.items.0.id", nil},
		step{w.Owner, "DELETE /v1/sessions/{session}", "", 0, "", nil},
		step{w.Owner, "DELETE /v1/sessions", "", 0, "", nil},
		step{nobody, "POST /v1/password/reset", `{"code":"no such code","password":"` + secret + `"}`, 403, "", nil},
		step{nobody, "POST /v1/password/reset", `{"code":"` + w.resetCode("outsider@test.test") + `","password":"` + secret + `"}`, 0, "", nil},
		step{w.Stranger, "GET /v1/companies/2224/security", "", 404, "", nil},
		step{w.Owner, "GET /v1/companies/2224/security", "", 0, "", nil},
		step{w.Owner, "PUT /v1/companies/2224/security", `{"requireTotp":true}`, 409, "", nil},
		step{w.Owner, "PUT /v1/companies/2224/security", `{"requireTotp":false}`, 0, "", nil},
		step{w.Owner, "POST /v1/me/totp/confirm", `{"code":"000000"}`, 409, "", nil},
		step{w.Owner, "DELETE /v1/me/totp", `{"code":"000000"}`, 409, "", nil},
		step{w.Owner, "POST /v1/me/totp", `{"currentPassword":"` + secret + `"}`, 0, "totp=data.secret", nil},
	)
	w.vars["{code}"] = w.code(w.vars["{totp}"])
	w.steps(
		step{w.Owner, "POST /v1/me/totp/confirm", `{"code":"{code}"}`, 0, "recovery=data.recoveryCodes.0", nil},
		step{w.Owner, "POST /v1/me/totp", `{"currentPassword":"` + secret + `"}`, 409, "", nil},
		step{w.Owner, "PUT /v1/companies/2224/security", `{"requireTotp":true}`, 0, "", nil},
		step{w.Owner, "PUT /v1/companies/2224/security", `{"requireTotp":false}`, 0, "", nil},
		step{nobody, "POST /v1/tokens", signIn, 422, "", nil},
		step{w.Owner, "DELETE /v1/me/totp", `{"code":"{recovery}"}`, 0, "", nil},
	)
}

// code returns a code of an authenticator app.
func (w *walker) code(totpSecret string) string {
	w.t.Helper()
	code, err := totp.GenerateCode(totpSecret, w.Clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// resetCode returns a code for a new password of the user.
func (w *walker) resetCode(email string) string {
	w.t.Helper()
	code, _, err := w.HostUsers().ResetCode(w.t.Context(), email)
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}
