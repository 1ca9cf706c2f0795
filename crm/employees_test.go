package crm_test

import (
	"fmt"
	"slices"
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
		} {
			_, err := w.ChangeEmployee(t.Context(), tt.a, crmtest.CompanyID, tt.a.UserID, tt.ch)
			expectCode(t, tt.name, err, crm.CodeDenied)
		}
		expectCode(t, "operator removes another", w.RemoveEmployee(t.Context(), w.Operator, crmtest.CompanyID, 688), crm.CodeDenied)
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
		theirs := invite(t, w, w.Stranger, crmtest.StrangeCompany, crm.Invitation{Email: "anna@test.test"}).ID
		for name, call := range map[string]func(company, user int64) error{
			"list": func(c, _ int64) error { _, err := w.Employees(t.Context(), w.Owner, c, crm.PageQuery{}); return err },
			"get":  func(c, u int64) error { _, err := w.Employee(t.Context(), w.Owner, c, u); return err },
			"invite": func(c, _ int64) error {
				_, err := w.Invite(t.Context(), w.Owner, c, crm.Invitation{Email: "stranger@test.test", Name: "A"})
				return err
			},
			"invitations": func(c, _ int64) error {
				_, err := w.Invitations(t.Context(), w.Owner, c, crm.PageQuery{})
				return err
			},
			"revoke": func(c, id int64) error {
				if c == crmtest.CompanyID && id == 900 {
					id = theirs
				}
				return w.RevokeInvitation(t.Context(), w.Owner, c, id)
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
			if name == "list" || name == "invite" || name == "invitations" {
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
