package crm_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// invite invites somebody, or fails the test.
func invite(t *testing.T, w *crmtest.World, by crm.Actor, company int64, in crm.Invitation) crm.InvitationLink {
	t.Helper()
	out, err := w.Invite(t.Context(), by, company, in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Invitation
}

func TestInvite(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.PublicURL = "https://chat.example.com"
		rights := []crm.LicenseRight{{LicenseID: crmtest.LicenseID, Write: true}}
		link := invite(t, w, w.Admin, crmtest.CompanyID, crm.Invitation{Email: " Anna@Test.test", Name: " Anna ", OnlyMine: true, Licenses: rights})
		if len(link.Code) != 64 || link.Link != "https://chat.example.com/#/invitation/"+link.Code || link.Expires != crmtest.Start+7*86400 {
			t.Errorf("%+v", link)
		}
		view, err := w.Invitation(t.Context(), "192.0.2.1", link.Code)
		if err != nil || *view != (crm.InvitationView{
			CompanyID: crmtest.CompanyID, CompanyName: "Company", Email: "anna@test.test", Name: "Anna", Role: "operator", Expires: link.Expires,
		}) {
			t.Errorf("%+v, %v", view, err)
		}
		page, err := w.Invitations(t.Context(), w.Owner, crmtest.CompanyID, crm.PageQuery{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		got, by := page.Items[0], int64(686)
		want := crm.InvitationData{
			ID: link.ID, Email: "anna@test.test", Name: "Anna", Role: "operator", OnlyMine: true, Licenses: rights,
			InvitedBy: &by, Expires: link.Expires, CreatedAt: crmtest.Start,
		}
		if a, b := asJSON(t, got), asJSON(t, want); a != b {
			t.Errorf("listed %s, want %s", a, b)
		}
		_, err = w.Invitations(t.Context(), w.Operator, crmtest.CompanyID, crm.PageQuery{})
		expectCode(t, "an operator lists", err, crm.CodeDenied)
		row, err := w.Store.Read(t.Context()).InvitationOf(crmtest.CompanyID, link.ID)
		if err != nil || row.CodeHash == link.Code || strings.Contains(asJSON(t, page), link.Code) {
			t.Errorf("the code is kept: %+v, %v", row, err)
		}

		e, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Name: " Anna K ", Password: rightPassword})
		if err != nil {
			t.Fatal(err)
		}
		if e.CompanyID != crmtest.CompanyID || e.Email != "anna@test.test" || e.Name != "Anna K" || e.Role != "operator" || !e.OnlyMine ||
			e.Online || e.Workday != "end" || !slices.Equal(e.Licenses, rights) {
			t.Errorf("%+v", e)
		}
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "anna@test.test", Password: rightPassword})
		expectCode(t, "sign in with the own password", err, "")
		_, err = w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Name: "Anna", Password: rightPassword})
		expectCode(t, "accept again", err, crm.CodeNotFound)
		_, err = w.Invite(t.Context(), w.Admin, crmtest.CompanyID, crm.Invitation{Email: "anna@test.test"})
		expectCode(t, "invite an employee", err, crm.CodeConflict)
	})
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestInviteTellsNothingOfTheAccount invites somebody with an account elsewhere and
// somebody without: but for the code and the ids the answers are the same.
func TestInviteTellsNothingOfTheAccount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var answers []string
		for _, email := range []string{"stranger@test.test", "nobody@test.test"} {
			link := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: email, Name: "Somebody"})
			view, err := w.Invitation(t.Context(), "192.0.2.1", link.Code)
			if err != nil {
				t.Fatal(err)
			}
			page, err := w.Invitations(t.Context(), w.Owner, crmtest.CompanyID, crm.PageQuery{})
			if err != nil {
				t.Fatal(err)
			}
			answer := asJSON(t, link) + asJSON(t, view) + asJSON(t, page)
			answers = append(answers, strings.NewReplacer(link.Code, "CODE", fmt.Sprintf(`"id":%d`, link.ID), "ID", email, "EMAIL").Replace(answer))
			expectCode(t, "revoke", w.RevokeInvitation(t.Context(), w.Owner, crmtest.CompanyID, link.ID), "")
		}
		if answers[0] != answers[1] {
			t.Errorf("with an account %s\nwithout %s", answers[0], answers[1])
		}
		list, err := w.Employees(t.Context(), w.Owner, crmtest.CompanyID, crm.PageQuery{Limit: 100})
		if err != nil || strings.Contains(asJSON(t, list), "stranger@test.test") {
			t.Errorf("somebody joined without consent: %+v, %v", list, err)
		}
	})
}

func TestInviteRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		good := crm.Invitation{Email: "anna@test.test", Name: "Anna"}
		for _, tt := range []struct {
			name  string
			actor crm.Actor
			in    func(in *crm.Invitation)
			want  crm.Code
			field string
		}{
			{"an operator", w.Operator, func(*crm.Invitation) {}, crm.CodeDenied, ""},
			{"another company's owner", w.Stranger, func(*crm.Invitation) {}, crm.CodeNotFound, ""},
			{"an admin an owner", w.Admin, func(in *crm.Invitation) { in.Role = "owner" }, crm.CodeDenied, ""},
			{"no e-mail", w.Owner, func(in *crm.Invitation) { in.Email = "" }, crm.CodeInvalid, "email"},
			{"no such e-mail", w.Owner, func(in *crm.Invitation) { in.Email = "Anna <anna@test.test>" }, crm.CodeInvalid, "email"},
			{"e-mail without @", w.Owner, func(in *crm.Invitation) { in.Email = "anna" }, crm.CodeInvalid, "email"},
			{"e-mail with NUL", w.Owner, func(in *crm.Invitation) { in.Email = "a\x00@test.test" }, crm.CodeInvalid, "email"},
			{"long name", w.Owner, func(in *crm.Invitation) { in.Name = strings.Repeat("a", 256) }, crm.CodeInvalid, "name"},
			{"no such role", w.Owner, func(in *crm.Invitation) { in.Role = "king" }, crm.CodeInvalid, "role"},
			{"another company's licence", w.Owner, func(in *crm.Invitation) {
				in.Licenses = []crm.LicenseRight{{LicenseID: crmtest.LicenseID}, {LicenseID: crmtest.StrangeLicense}}
			}, crm.CodeInvalid, "licenses[1].licenseId"},
			{"no such licence", w.Owner, func(in *crm.Invitation) {
				in.Licenses = []crm.LicenseRight{{LicenseID: crmtest.LicenseID}, {LicenseID: 1 << 60}}
			}, crm.CodeInvalid, "licenses[1].licenseId"},
			{"a licence twice", w.Owner, func(in *crm.Invitation) {
				in.Licenses = []crm.LicenseRight{{LicenseID: crmtest.LicenseID}, {LicenseID: crmtest.LicenseID}}
			}, crm.CodeInvalid, "licenses[1].licenseId"},
		} {
			in := good
			tt.in(&in)
			_, err := w.Invite(t.Context(), tt.actor, crmtest.CompanyID, in)
			expectCode(t, tt.name, err, tt.want)
			if e, ok := err.(*crm.Error); ok && tt.field != "" && e.Fields[tt.field] == "" {
				t.Errorf("%s: fields %v, want %s", tt.name, e.Fields, tt.field)
			}
		}
		page, err := w.Invitations(t.Context(), w.Owner, crmtest.CompanyID, crm.PageQuery{})
		if err != nil || len(page.Items) != 0 {
			t.Errorf("what was refused left %+v, %v", page, err)
		}
	})
}

// TestInvitationsEnd tries each way in which an invitation ends before it is accepted.
func TestInvitationsEnd(t *testing.T) {
	anna := crm.Invitation{Email: "anna@test.test"}
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, w *crmtest.World, link crm.InvitationLink)
	}{
		{"it expires", func(_ *testing.T, w *crmtest.World, _ crm.InvitationLink) { w.Clock.Advance(7 * 24 * time.Hour) }},
		{"it is revoked", func(t *testing.T, w *crmtest.World, link crm.InvitationLink) {
			expectCode(t, "an operator revokes", w.RevokeInvitation(t.Context(), w.Operator, crmtest.CompanyID, link.ID), crm.CodeDenied)
			expectCode(t, "the owner revokes", w.RevokeInvitation(t.Context(), w.Owner, crmtest.CompanyID, link.ID), "")
			expectCode(t, "again", w.RevokeInvitation(t.Context(), w.Owner, crmtest.CompanyID, link.ID), crm.CodeNotFound)
		}},
		{"it is replaced", func(t *testing.T, w *crmtest.World, _ crm.InvitationLink) {
			invite(t, w, w.Owner, crmtest.CompanyID, anna)
		}},
		{"its author is removed", func(t *testing.T, w *crmtest.World, _ crm.InvitationLink) {
			expectCode(t, "remove", w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 686), "")
		}},
		{"its author gets a lower role", func(t *testing.T, w *crmtest.World, _ crm.InvitationLink) {
			_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 686, crm.EmployeeChanges{Role: ptr("operator")})
			expectCode(t, "lower", err, "")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := crmtest.New(t, store)
				link := invite(t, w, w.Admin, crmtest.CompanyID, anna)
				tt.end(t, w, link)
				_, lookErr := w.Invitation(t.Context(), "192.0.2.1", link.Code)
				_, none := w.Invitation(t.Context(), "192.0.2.1", "none")
				_, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Name: "Anna", Password: rightPassword})
				if code(err) != crm.CodeNotFound || err.Error() != none.Error() || lookErr.Error() != none.Error() {
					t.Errorf("accept: %v, look: %v, no such code: %v", err, lookErr, none)
				}
				if _, err := w.Store.Read(t.Context()).UserByEmail("anna@test.test"); err == nil {
					t.Error("there is an account")
				}
			})
		})
	}
}

// TestOnlyOwnersEndTheInvitationOfAnOwner: an admin must not replace or revoke it.
func TestOnlyOwnersEndTheInvitationOfAnOwner(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		link := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "anna@test.test", Role: "owner"})
		expectCode(t, "an admin revokes", w.RevokeInvitation(t.Context(), w.Admin, crmtest.CompanyID, link.ID), crm.CodeDenied)
		_, err := w.Invite(t.Context(), w.Admin, crmtest.CompanyID, crm.Invitation{Email: "anna@test.test"})
		expectCode(t, "an admin replaces", err, crm.CodeDenied)
		_, err = w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Name: "Anna", Password: rightPassword})
		expectCode(t, "accept", err, "")
	})
}

func TestWrongCodesAreThrottled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		link := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "anna@test.test"})
		for range 10 { // right ones cost nothing
			_, err := w.Invitation(t.Context(), "192.0.2.1", link.Code)
			expectCode(t, "the right code", err, "")
		}
		for i := range 5 {
			var err error
			if i%2 == 0 {
				_, err = w.Invitation(t.Context(), "192.0.2.1", fmt.Sprint(i))
			} else {
				_, err = w.AcceptInvitation(t.Context(), crm.Acceptance{Address: "192.0.2.1", Code: fmt.Sprint(i)})
			}
			expectCode(t, "a guess", err, crm.CodeNotFound)
		}
		_, err := w.Invitation(t.Context(), "192.0.2.1", link.Code)
		expectCode(t, "after five wrong ones", err, crm.CodeThrottled)
		_, err = w.Invitation(t.Context(), "192.0.2.2", link.Code)
		expectCode(t, "from another address", err, "")
	})
}

func TestExpiredInvitationsAreSwept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		link := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "anna@test.test"})
		w.Clock.Advance(7 * 24 * time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.Read(t.Context()).InvitationOf(crmtest.CompanyID, link.ID); err == nil {
			t.Error("the row is still there")
		}
	})
}
