package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestLinksEndWithAccess changes what an employee may see. A link to a file that they may
// have kept works afterwards only if they lost nothing.
func TestLinksEndWithAccess(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		_, item := sendFile(t, w, w.Operator, "cat.png", "image/png", png, "")
		link := item.Message.File.Link
		change := func(user int64, ch crm.EmployeeChanges) func() error {
			return func() error {
				_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, ch)
				return err
			}
		}
		licenses := func(list ...crm.LicenseRight) *[]crm.LicenseRight { return &list }
		for _, tt := range []struct {
			name   string
			change func() error
			ends   bool
		}{
			{"a new name", change(688, crm.EmployeeChanges{Name: ptr("Reader")}), false},
			{"write beside read", change(688, crm.EmployeeChanges{Licenses: licenses(crm.LicenseRight{LicenseID: crmtest.LicenseID, Write: true})}), false},
			{"only their own chats", change(688, crm.EmployeeChanges{OnlyMine: ptr(true)}), true},
			{"all chats again", change(688, crm.EmployeeChanges{OnlyMine: ptr(false)}), false},
			{"no licence", change(688, crm.EmployeeChanges{Licenses: licenses()}), true},
			{"promoted", change(688, crm.EmployeeChanges{Role: ptr(models.RoleAdmin)}), false},
			{"no longer an admin", change(688, crm.EmployeeChanges{Role: ptr(models.RoleOperator)}), true},
			{"an operator with only their own chats leaves", func() error { return w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 689) }, true},
		} {
			if err := tt.change(); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			want := crm.Code("")
			if tt.ends {
				want = crm.CodeDenied
			}
			_, _, err := openLink(t, w, onGr, link)
			expectCode(t, tt.name, err, want)
			page, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, ann), crm.MessageQuery{})
			if err != nil {
				t.Fatal(err)
			}
			link = page.Items[0].Message.File.Link
			_, _, err = openLink(t, w, onGr, link)
			expectCode(t, tt.name+", a new link", err, "")
		}
	})
}
