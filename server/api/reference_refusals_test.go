package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"chatcast/crm"
	"chatcast/server/api/apitest"
)

// tooLarge exceeds the limit of every JSON body, openTooLarge only that of requests of
// people who are not signed in.
var (
	tooLarge     = `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	openTooLarge = `{"x":"` + strings.Repeat("x", 16<<10) + `"}`
)

// refusals provokes the errors that all operations have in common.
func (w *walker) refusals() {
	ref := reference(w.t)
	w.steps(step{w.Owner, "POST /v1/tags", `{"name":"Left"}`, 0, "left=data.id", nil})
	for _, op := range ref.Operations {
		if slices.Contains(elsewhere, pathParam.ReplaceAllString(op.String(), "{}")) || strings.Contains(op.Path, "/files/") {
			continue
		}
		request := op.Method + " " + sample(op)
		if op.SignedIn(ref) {
			w.steps(
				step{crm.Actor{}, request, "", 401, "", nil},
				step{crm.Actor{}, request, "", 403, "", []string{"Authorization", "Bearer no-such-token"}},
			)
		}
		if op.Body() != nil {
			w.steps(
				step{w.Owner, request, tooLarge, 413, "", nil},
				step{w.Owner, request, `{"`, 422, "", nil},
			)
		}
		if op.Body() != nil && !op.SignedIn(ref) {
			w.steps(step{crm.Actor{}, request, openTooLarge, 413, "", nil})
		}
		w.wrongParameters(op, request)
		w.strange(op)
	}
	w.steps(step{w.Owner, "POST /v1/me/totp", `{"currentPassword":"` + secret + `s"}`, 0, "", nil})
	for range 6 {
		w.again(step{crm.Actor{}, "POST /v1/tokens", `{"email":"admin@test.test","password":"wrong"}`, 0, "", nil})
		w.again(step{w.Owner, "POST /v1/me/totp", `{"currentPassword":"wrong"}`, 0, "", nil})
		w.again(step{w.Owner, "POST /v1/me/totp/confirm", `{"code":"00000"}`, 0, "", nil})
		w.again(step{w.Owner, "DELETE /v1/me/totp", `{"code":"00000"}`, 0, "", nil})
		w.again(step{w.Owner, "PATCH /v1/me", `{"password":"long enough","currentPassword":"wrong"}`, 0, "", nil})
	}
	for range 6 {
		w.again(step{crm.Actor{}, "POST /v1/invitations/open", `{"code":"none"}`, 0, "", nil})
		w.again(step{crm.Actor{}, "POST /v1/invitations/none/accept", "", 0, "", nil})
		w.again(step{crm.Actor{}, "POST /v1/invitations/accept", `{"code":"none"}`, 0, "", nil})
	}
	w.unavailable(ref)
}

// again repeats a request whose status changes in the end.
func (w *walker) again(s step) {
	w.t.Helper()
	method, path, _ := strings.Cut(s.request, " ")
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(s.body))
	r.RemoteAddr = "127.0.0.1:4711"
	if s.who != (crm.Actor{}) {
		r.Header.Set("Authorization", w.Token(s.who))
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if rec.Code < 400 {
		w.t.Errorf("%s %s: %d %s", s.request, s.body, rec.Code, rec.Body)
	}
}

// wrongParameters sends invalid parameters of the path and the query.
func (w *walker) wrongParameters(op apitest.Operation, request string) {
	if op.Responses.Value("422") == nil || op.Body() != nil {
		return
	}
	if strings.Contains(op.Path, "{chatId}") {
		request = strings.NewReplacer("79990001122", "nobody", "/tags/1", "/tags/{left}").Replace(request)
		w.steps(step{w.Owner, request, "", 422, "", nil})
		return
	}
	w.steps(step{w.Owner, request + "?limit=1000&members=x&format=gif&companyId=x&after=x&channel=private-v1.users.685", "", 422, "", nil})
}

// strange asks for existing objects as another company's owner: 404.
func (w *walker) strange(op apitest.Operation) {
	if op.Responses.Value("404") == nil {
		return
	}
	if strings.HasPrefix(op.Path, "/v1/apps/") { // others get 403, for missing apps too: see apps
		return
	}
	if op.Path == "/schemas/{file}" {
		w.steps(step{w.Owner, "GET /schemas/none.json", "", 404, "", nil})
		return
	}
	s, ok := w.last[op.String()]
	if !ok {
		w.t.Errorf("%s has not been answered with success", op)
		return
	}
	s.who, s.want, s.keep = w.Stranger, http.StatusNotFound, ""
	if !strings.Contains(op.Path, "{") && op.SignedIn(reference(w.t)) { // the company is not in the path
		s.request, _, _ = strings.Cut(s.request, "?")
		if op.Body() == nil {
			s.request += "?companyId=2224"
		} else {
			s.body = `{"companyId":2224,"name":"x","color":"#123"}`
		}
	}
	w.steps(s)
}

// unavailable repeats requests that need a messenger on a line out of reach: 503.
func (w *walker) unavailable(ref *apitest.Reference) {
	w.phone.unavailable = true
	for _, op := range ref.Operations {
		s, ok := w.last[op.String()]
		if op.Responses.Value("503") == nil || tellsTrouble(op) || !strings.Contains(op.Path, "{licenseId}") || strings.Contains(op.Path, "/files/") ||
			op.Method == "GET" && strings.HasSuffix(op.Path, "{messengerType}/messages") {
			continue // the store of files or the database may be unavailable instead
		}
		if !ok {
			w.t.Errorf("%s has not been answered with success", op)
			continue
		}
		s.who, s.want, s.keep, s.headers = w.Owner, http.StatusServiceUnavailable, "", nil
		if strings.HasPrefix(s.body, "--") { // a form
			s.body = `{"file":"https://example.com/cat.png"}`
		}
		s.request = strings.Replace(s.request, line, phoneLine, 1)
		if strings.HasSuffix(op.Path, "/chats") {
			s.body = `{"type":"group","name":"Us"}`
		}
		w.steps(s)
	}
}
