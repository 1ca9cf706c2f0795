package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestCreateCompany(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.PublicURL = "https://chat.example.com"
		in := crm.CompanyInput{Name: " Second ", OwnerEmail: "Operator@test.test"}
		for _, a := range []crm.Actor{w.Operator, w.Stranger} {
			_, err := w.Companies(a).Create(t.Context(), in)
			expectCode(t, a.AppID, err, crm.CodeDenied)
		}
		for field, in := range map[string]crm.CompanyInput{"name": {OwnerEmail: "a@test.test"}, "ownerEmail": {Name: "X", OwnerEmail: "a"}} {
			_, err := w.Companies(w.Owner).Create(t.Context(), in)
			if e, ok := err.(*crm.Error); !ok || e.Fields[field] == "" {
				t.Errorf("%v, want the field %s", err, field)
			}
		}
		made, err := w.Companies(w.Admin).Create(t.Context(), in)
		if err != nil || made.Name != "Second" || made.ID <= crmtest.CompanyID || made.Invitation.Link != "https://chat.example.com/#/invitation/"+made.Invitation.Code {
			t.Fatalf("%+v, %v", made, err)
		}
		_, err = w.Employees(t.Context(), w.Admin, made.ID, crm.PageQuery{})
		expectCode(t, "its maker looks into it", err, crm.CodeNotFound)
		e, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: made.Invitation.Code, AccessToken: w.Token(w.Operator)})
		if err != nil || e.CompanyID != made.ID || e.Role != "owner" {
			t.Fatalf("%+v, %v", e, err)
		}
		_, err = w.WatchServer(t.Context(), w.Operator)
		expectCode(t, "the new owner looks at the server", err, crm.CodeDenied)
		_, err = w.CreateLicense(t.Context(), w.Operator, made.ID, "First")
		expectCode(t, "the new owner makes a licence", err, "")
	})
}

func TestHostCompanies(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		s := newService(store)
		host := s.HostCompanies()
		_, err := host.Create(t.Context(), crm.CompanyInput{Name: "Too early", OwnerEmail: "a@example.com"})
		expectCode(t, "before the first start", err, crm.CodeConflict)
		if _, err := s.Bootstrap(t.Context(), defaults()); err != nil {
			t.Fatal(err)
		}
		made, err := host.Create(t.Context(), crm.CompanyInput{Name: "Second", OwnerEmail: "a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = host.InviteOwner(t.Context(), 4711, "a@example.com")
		expectCode(t, "an owner of no company", err, crm.CodeNotFound)
		link, err := host.InviteOwner(t.Context(), made.ID, "a@example.com")
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Invitation(t.Context(), "", made.Invitation.Code)
		expectCode(t, "the replaced code", err, crm.CodeNotFound)
		list, err := host.List(t.Context())
		if err != nil || len(list) != 2 || list[0].Owners != 1 || list[0].Employees != 1 || list[1].ID != made.ID ||
			list[1].Name != "Second" || list[1].Employees != 0 || list[1].Invited != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		_, err = s.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Name: "A", Password: rightPassword})
		expectCode(t, "accept", err, "")
		_, err = host.InviteOwner(t.Context(), made.ID, "a@example.com")
		expectCode(t, "an employee", err, crm.CodeConflict)
	})
}
