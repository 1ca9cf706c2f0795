package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/api/apitest"
)

// invitationOf returns the invitation of an answer.
func invitationOf(t *testing.T, got answered) crm.InvitationLink {
	t.Helper()
	var in crm.Invited
	if err := json.Unmarshal(got.Data, &in); err != nil || in.Invitation.Code == "" {
		t.Fatalf("%s, %v", got.Body, err)
	}
	return in.Invitation
}

func TestInvitationsOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		employees := fmt.Sprintf("/v1/companies/%d/employees", crmtest.CompanyID)
		for _, tt := range []struct{ name, method, path, body, field string }{
			{"a password for somebody invited", "POST", employees, `{"email":"a@test.test","name":"A","password":"chosen by another"}`, "password"},
			{"a password for an employee", "PATCH", employees + "/687", `{"password":"chosen by another"}`, "password"},
			{"an e-mail of a wrong type", "POST", employees, `{"email":7}`, "email"},
		} {
			got := o.as(t, o.Owner, tt.method, tt.path, tt.body)
			got.want(t, tt.name, 422, "ApiValidationError")
			if got.Error.Fields[tt.field] == "" {
				t.Errorf("%s: %s", tt.name, got.Body)
			}
		}

		var answers []string
		for _, email := range []string{"stranger@test.test", "nobody@test.test"} {
			got := o.as(t, o.Owner, "POST", employees, `{"email":"`+email+`","password":null}`)
			got.want(t, email, 200, "")
			link := invitationOf(t, got)
			if got.header.Get("Cache-Control") != "no-store" {
				t.Error("the code may be cached")
			}
			answers = append(answers, strings.NewReplacer(link.Code, "CODE", fmt.Sprintf(`"id":%d`, link.ID), "ID").Replace(got.Body))
		}
		if answers[0] != answers[1] {
			t.Errorf("with an account %s, without %s", answers[0], answers[1])
		}

		link := invitationOf(t, o.as(t, o.Owner, "POST", employees, `{"email":"b@test.test"}`))
		for _, tt := range []struct{ method, foreign, absent string }{
			{"POST", "/v1/companies/2224/employees", "/v1/companies/4711/employees"},
			{"GET", "/v1/companies/2224/invitations", "/v1/companies/4711/invitations"},
			{"DELETE", fmt.Sprintf("/v1/companies/2224/invitations/%d", link.ID), "/v1/companies/4711/invitations/1"},
			{"DELETE", fmt.Sprintf("/v1/companies/3000/invitations/%d", link.ID), "/v1/companies/3000/invitations/99"},
			{"DELETE", "/v1/companies/2224/employees/900", "/v1/companies/4711/employees/900"},
			{"GET", "/v1/licenses?companyId=2224", "/v1/licenses?companyId=4711"},
			{"GET", "/v1/chats?companyId=2224", "/v1/chats?companyId=4711"},
		} {
			foreign, absent := o.as(t, o.Stranger, tt.method, tt.foreign, `{"email":"c@test.test"}`), o.as(t, o.Stranger, tt.method, tt.absent, `{"email":"c@test.test"}`)
			if foreign.status != 404 || foreign.Body != absent.Body || absent.status != 404 {
				t.Errorf("%s %s: %d %s, and %s: %d %s", tt.method, tt.foreign, foreign.status, foreign.Body, tt.absent, absent.status, absent.Body)
			}
		}

		e := o.hire(t, `{"email":"a@test.test"}`)
		o.ask(t, "POST", "/v1/invitations/none/accept", "").want(t, "no such code", 404, "ApiNotFoundError")
		o.ask(t, "POST", "/v1/invitations/none/accept", `{"code":"`+link.Code+`"}`).want(t, "no such code in the path", 404, "ApiNotFoundError")
		o.ask(t, "POST", "/v1/invitations/accept", `{"name":"A","password":"`+secret+`"}`).want(t, "no code", 422, "ApiValidationError")
		o.ask(t, "POST", "/v1/invitations/open", `{}`).want(t, "nothing to open", 422, "ApiValidationError")
		o.ask(t, "GET", "/v1/invitations/"+link.Code, "").want(t, "a code in a path", 404, "ApiNotFoundError")
		o.ask(t, "POST", "/v1/invitations/none/accept", "[]").want(t, "no object", 422, "ApiValidationError")
		o.as(t, o.Operator, "DELETE", employees+"/687", "").want(t, "an operator leaves", 200, "")
		o.as(t, o.Reader, "DELETE", fmt.Sprintf("%s/%d", employees, e.UserID), "").want(t, "an operator removes another", 403, "ApiAccessDeniedError")
	})
}

// takesCompany reports whether a request may name a company in its query or JSON body.
func takesCompany(op *apitest.Operation) (query, body bool) {
	if content := op.Body().Get("application/json"); content != nil && content.Schema != nil {
		body = content.Schema.Value.Properties["companyId"] != nil
		for _, part := range content.Schema.Value.AllOf {
			body = body || part.Value.Properties["companyId"] != nil
		}
	}
	return op.Parameters.GetByInAndName("query", "companyId") != nil, body
}

// TestSeveralCompanies walks all routes as before, with every user in a second company.
// Wherever a company is implied, its id can be given, and with it everything works.
func TestSeveralCompanies(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		w.Tx(t, func(tx *models.Tx) error {
			rows := []any{&models.Company{ID: 4000, Name: "Both"}}
			for _, a := range []crm.Actor{w.Owner, w.Admin, w.Operator, w.Reader, w.OnlyMine} {
				rows = append(rows, &models.Employee{CompanyID: 4000, UserID: a.UserID, Role: models.RoleOperator, Workday: "end"})
			}
			return tx.Insert(rows...)
		})
		implied := map[string]bool{}
		w.several = func(s *step, takesQuery, takesBody bool) {
			switch {
			case takesBody && strings.HasPrefix(s.request, "POST ") && strings.HasPrefix(s.body, "{") && !strings.Contains(s.body, "companyId"):
				s.body = `{"companyId":2224,` + s.body[1:]
			case takesQuery && !strings.Contains(s.request, "companyId"):
				s.request += map[bool]string{true: "&", false: "?"}[strings.Contains(s.request, "?")] + "companyId=2224"
			default:
				return
			}
			request, _, _ := strings.Cut(s.request, "?")
			implied[request] = true
		}
		w.people()
		w.catalogues()
		w.chats()
		w.messages()
		w.quick()
		w.apps()
		w.callbacks()
		w.journal()
		for _, op := range reference(t).Operations {
			query, body := takesCompany(&op)
			if (query || body && op.Method == "POST") && w.last[op.String()].request == "" {
				t.Errorf("%s takes companyId and was not called", op)
			}
		}
		if len(implied) < 5 {
			t.Errorf("only these implied a company: %v", implied)
		}

		w.several = nil
		for _, request := range []string{"POST /v1/tags", "POST /v1/levels", "POST /v1/tags/categories", "POST /v1/quickResponseLists", "POST /v1/licenses"} {
			w.steps(step{w.Owner, request, `{"name":"Of which company?"}`, 422, "", nil})
		}
		for _, path := range []string{"/v1/tags", "/v1/levels", "/v1/tags/categories"} {
			w.steps(step{w.Owner, "GET " + path, "", 422, "", nil})
		}
	})
}
