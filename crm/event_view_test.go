package crm_test

import (
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestEventsOfLostLines checks that the events of a line can no longer be read on the
// channel of a person who lost the line.
func TestEventsOfLostLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, "telegram", "12345")
		if _, err := w.SetChatStatus(t.Context(), w.Owner, at(chat), "close"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Journal.Number(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		read := func(user int64) [2]int {
			t.Helper()
			var n [2]int
			for i, newest := range []bool{false, true} {
				q := crm.EventsQuery{Channel: channels.CompanyUserName(crmtest.CompanyID, user), Newest: newest}
				page, err := w.Service.Events(t.Context(), crm.Actor{UserID: user}, q)
				if err != nil || page.NextAfter != 1 {
					t.Fatalf("user %d: %+v, %v", user, page, err)
				}
				n[i] = len(page.Items)
			}
			return n
		}
		give := func(user int64, rights ...crm.LicenseRight) {
			t.Helper()
			if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, crm.EmployeeChanges{Licenses: &rights}); err != nil {
				t.Fatal(err)
			}
		}
		for _, user := range []int64{w.Owner.UserID, 686, 687, 689} { // 689 sees only their own chats and those of nobody
			if n := read(user); n != [2]int{1, 1} {
				t.Errorf("user %d reads %v events", user, n)
			}
		}
		for _, user := range []int64{687, 689} {
			for _, rights := range [][]crm.LicenseRight{nil, {{LicenseID: crmtest.OtherLicenseID}}} {
				if give(user, rights...); read(user) != [2]int{} {
					t.Errorf("user %d with %v reads what they lost", user, rights)
				}
			}
			if give(user, crm.LicenseRight{LicenseID: crmtest.LicenseID}); read(user) != [2]int{1, 1} {
				t.Errorf("user %d does not read what they got back", user)
			}
		}
	})
}
