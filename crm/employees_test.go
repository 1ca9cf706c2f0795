package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestRolesMatrix tries every change of role by everybody on everybody.
func TestRolesMatrix(t *testing.T) {
	const owner, admin, operator = models.RoleOwner, models.RoleAdmin, models.RoleOperator
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error { // a second owner, so that none is the last
			if err := tx.CreateUser(&models.User{ID: 684, Email: "second@test.test", Name: "Second", PasswordHash: "none"}); err != nil {
				return err
			}
			return tx.CreateEmployee(&models.Employee{CompanyID: crmtest.CompanyID, UserID: 684, Role: owner, Workday: "end"})
		})
		actors := map[string]crm.Actor{owner: w.Owner, admin: w.Admin, operator: w.Operator}
		targets := map[string]int64{owner: 684, admin: 686, operator: 688}
		for by, actor := range actors {
			for was, user := range targets {
				for _, to := range []string{owner, admin, operator} {
					want := crm.Code("")
					if by == operator || by == admin && (was == owner || to == owner) {
						want = crm.CodeDenied
					}
					name := fmt.Sprintf("%s makes %s %s", by, was, to)
					_, err := w.ChangeEmployee(t.Context(), actor, crmtest.CompanyID, user, crm.EmployeeChanges{Role: &to})
					expectCode(t, name, err, want)
					restore(t, w, user, was)
				}
			}
		}
	})
}

// restore gives a user a role without the rules.
func restore(t *testing.T, w *crmtest.World, user int64, role string) {
	t.Helper()
	w.Tx(t, func(tx *models.Tx) error {
		return tx.SaveEmployee(&models.Employee{CompanyID: crmtest.CompanyID, UserID: user, Role: role})
	})
}

func TestNobodyEscalatesThemselves(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		all := &[]crm.LicenseRight{{LicenseID: crmtest.OtherLicenseID, Write: true}}
		for _, tt := range []struct {
			name string
			a    crm.Actor
			ch   crm.EmployeeChanges
		}{
			{"operator to admin", w.Operator, crm.EmployeeChanges{Role: ptr("admin")}},
			{"operator to more licences", w.Operator, crm.EmployeeChanges{Licenses: all}},
			{"reader to write", w.Reader, crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{{LicenseID: crmtest.LicenseID, Write: true}}}},
			{"only mine to all", w.OnlyMine, crm.EmployeeChanges{OnlyMine: ptr(false)}},
			{"admin to owner", w.Admin, crm.EmployeeChanges{Role: ptr("owner")}},
			{"owner's password without the current one", w.Owner, crm.EmployeeChanges{Password: ptr(rightPassword)}},
		} {
			_, err := w.ChangeEmployee(t.Context(), tt.a, crmtest.CompanyID, tt.a.UserID, tt.ch)
			expectCode(t, tt.name, err, crm.CodeDenied)
		}
		expectCode(t, "operator removes themselves", w.RemoveEmployee(t.Context(), w.Operator, crmtest.CompanyID, 687), crm.CodeDenied)
	})
}

func TestTheLastOwnerStays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 685, crm.EmployeeChanges{Role: ptr("admin")})
		expectCode(t, "demote the last owner", err, crm.CodeConflict)
		expectCode(t, "remove the last owner", w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 685), crm.CodeConflict)
		_, err = w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 685, crm.EmployeeChanges{Role: ptr("owner"), Name: ptr("Chief")})
		expectCode(t, "the last owner's name", err, "")
	})
}

// TestTwoOwnersRemoveEachOther has two owners remove each other at the same time. One
// of them must stay.
func TestTwoOwnersRemoveEachOther(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		restore(t, w, 686, models.RoleOwner)
		var errs [2]error
		var both sync.WaitGroup
		both.Go(func() { errs[0] = w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 686) })
		both.Go(func() { errs[1] = w.RemoveEmployee(t.Context(), w.Admin, crmtest.CompanyID, 685) })
		both.Wait()
		codes := []crm.Code{code(errs[0]), code(errs[1])}
		if slices.Sort(codes); codes[0] != "" || codes[1] != crm.CodeNotFound {
			t.Errorf("answers %v, want one success; the other is no employee any more", errs)
		}
	})
}

func TestInvite(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		in := crm.Invitation{
			Email: " Anna@Test.test", Name: "Anna", OnlyMine: true,
			Licenses: []crm.LicenseRight{{LicenseID: crmtest.LicenseID, Write: true}},
		}
		e, err := w.Invite(t.Context(), w.Admin, crmtest.CompanyID, in)
		if err != nil {
			t.Fatal(err)
		}
		if e.Email != "anna@test.test" || e.Role != "operator" || !e.OnlyMine || e.Online || e.Workday != "end" ||
			!slices.Equal(e.Licenses, in.Licenses) || e.Password == nil || len(*e.Password) < 20 {
			t.Errorf("%+v", e)
		}
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "anna@test.test", Password: *e.Password})
		expectCode(t, "sign in with the generated password", err, "")
		_, err = w.Invite(t.Context(), w.Admin, crmtest.CompanyID, in)
		expectCode(t, "invite again", err, crm.CodeConflict)

		// Invited by another company, the same person keeps their account.
		again, err := w.Invite(t.Context(), w.Stranger, crmtest.StrangeCompany,
			crm.Invitation{Email: "anna@test.test", Name: "Somebody", Password: ptr("taken over"), Role: "admin"})
		if err != nil || again.UserID != e.UserID || again.Name != "Anna" || again.Password != nil || len(again.Licenses) != 1 {
			t.Fatalf("%+v, %v", again, err)
		}
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "anna@test.test", Password: "taken over"})
		expectCode(t, "sign in with a password set by the second company", err, crm.CodeDenied)
		for name, ch := range map[string]crm.EmployeeChanges{"name": {Name: ptr("X")}, "password": {Password: ptr("taken over")}} {
			_, err = w.ChangeEmployee(t.Context(), w.Stranger, crmtest.StrangeCompany, e.UserID, ch)
			expectCode(t, "the second company changes the "+name, err, crm.CodeDenied)
		}

		// Nor when the first company has removed the person, whom it may invite again.
		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, e.UserID); err != nil {
			t.Fatal(err)
		}
		_, err = w.ChangeEmployee(t.Context(), w.Stranger, crmtest.StrangeCompany, e.UserID, crm.EmployeeChanges{Password: ptr("taken over")})
		expectCode(t, "the only company left, which did not make the account, changes the password", err, crm.CodeDenied)
	})
}

func TestInviteRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		good := crm.Invitation{Email: "anna@test.test", Name: "Anna", Password: ptr(rightPassword)}
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
			{"no name", w.Owner, func(in *crm.Invitation) { in.Name = "" }, crm.CodeInvalid, "name"},
			{"long name", w.Owner, func(in *crm.Invitation) { in.Name = strings.Repeat("a", 256) }, crm.CodeInvalid, "name"},
			{"short password", w.Owner, func(in *crm.Invitation) { in.Password = ptr("1234567") }, crm.CodeInvalid, "password"},
			{"long password", w.Owner, func(in *crm.Invitation) { in.Password = ptr(strings.Repeat("ю", 37)) }, crm.CodeInvalid, "password"},
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
		_, err := w.IssueToken(t.Context(), "anna@test.test")
		expectCode(t, "what was refused left nobody behind", err, crm.CodeNotFound)
	})
}

// TestInviteTwiceAtOnce invites one new person concurrently, twice from each of two
// companies. There must be one user, with one employment in each company.
func TestInviteTwiceAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		in := crm.Invitation{Email: "anna@test.test", Name: "Anna"}
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				if i%2 == 0 {
					_, errs[i] = w.Invite(t.Context(), w.Owner, crmtest.CompanyID, in)
				} else {
					_, errs[i] = w.Invite(t.Context(), w.Stranger, crmtest.StrangeCompany, in)
				}
			})
		}
		all.Wait()
		for i := range 2 {
			codes := []crm.Code{code(errs[i]), code(errs[i+2])}
			if slices.Sort(codes); codes[0] != "" || codes[1] != crm.CodeConflict {
				t.Errorf("%v and %v, want one success and one conflict", errs[i], errs[i+2])
			}
		}
		u, err := w.Store.Read(t.Context()).UserByEmail("anna@test.test")
		if err != nil {
			t.Fatal(err)
		}
		places, err := w.Store.Read(t.Context()).Employments(u.ID)
		if err != nil || len(places) != 2 {
			t.Errorf("employments %+v, %v", places, err)
		}
	})
}

func TestListEmployees(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var ids []int64
		for next := ""; ; {
			page, err := w.Employees(t.Context(), w.Admin, crmtest.CompanyID, crm.PageQuery{Limit: 2, NextPage: next})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Items {
				ids = append(ids, e.UserID)
				wantLicenses := map[string]int{"owner": 2, "admin": 2, "operator": 1}[e.Role]
				if e.UserID == 690 {
					wantLicenses = 0
				}
				if len(e.Licenses) != wantLicenses || e.Licenses == nil {
					t.Errorf("%d has licences %v, want %d", e.UserID, e.Licenses, wantLicenses)
				}
			}
			if page.NextPage == nil {
				break
			}
			next = *page.NextPage
		}
		if !slices.Equal(ids, []int64{685, 686, 687, 688, 689, 690}) {
			t.Errorf("listed %v", ids)
		}
		_, err := w.Employees(t.Context(), w.Operator, crmtest.CompanyID, crm.PageQuery{})
		expectCode(t, "an operator lists", err, crm.CodeDenied)
		_, err = w.Employee(t.Context(), w.Operator, crmtest.CompanyID, 687)
		expectCode(t, "an operator looks at themselves", err, "")
		_, err = w.Employee(t.Context(), w.Operator, crmtest.CompanyID, 688)
		expectCode(t, "an operator looks at another", err, crm.CodeDenied)
	})
}

// TestOtherCompaniesAreNotThere checks that the answers about another company and its
// people are the same as those about a company or people that do not exist.
func TestOtherCompaniesAreNotThere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		role := crm.EmployeeChanges{Role: ptr("admin")}
		for name, call := range map[string]func(company, user int64) error{
			"list": func(c, _ int64) error { _, err := w.Employees(t.Context(), w.Owner, c, crm.PageQuery{}); return err },
			"get":  func(c, u int64) error { _, err := w.Employee(t.Context(), w.Owner, c, u); return err },
			"invite": func(c, _ int64) error {
				_, err := w.Invite(t.Context(), w.Owner, c, crm.Invitation{Email: "stranger@test.test", Name: "A"})
				return err
			},
			"change":  func(c, u int64) error { _, err := w.ChangeEmployee(t.Context(), w.Owner, c, u, role); return err },
			"remove":  func(c, u int64) error { return w.RemoveEmployee(t.Context(), w.Owner, c, u) },
			"workday": func(c, u int64) error { _, err := w.Workday(t.Context(), w.Owner, c, u, "start"); return err },
		} {
			foreign, none := call(crmtest.StrangeCompany, 900), call(4711, 4712)
			expectCode(t, name+" in another company", foreign, crm.CodeNotFound)
			if none == nil || foreign == nil || none.Error() != foreign.Error() {
				t.Errorf("%s: another company %v, no company %v", name, foreign, none)
			}
			if name == "list" || name == "invite" {
				continue
			}
			foreign, none = call(crmtest.CompanyID, 900), call(crmtest.CompanyID, 4712)
			expectCode(t, name+" somebody of another company", foreign, crm.CodeNotFound)
			if none == nil || foreign == nil || none.Error() != foreign.Error() {
				t.Errorf("%s: another company's user %v, no user %v", name, foreign, none)
			}
		}
	})
}
