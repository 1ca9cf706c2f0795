package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestWhoLeavesLeavesNothingBehind removes an employee who has chats and lists. The
// chats become unassigned, and the remaining users of the lists get an event.
func TestWhoLeavesLeavesNothingBehind(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		mine := putChat(t, w, "telegram", "1", ofUser(687), func(c *models.Chat) { c.ResponsiblePinned = true })
		putChat(t, w, "telegram", "2", ofUser(688))
		putList(t, w, 70, "685w 687r 688r")
		putList(t, w, 71, "685w 688r")
		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 687); err != nil {
			t.Fatal(err)
		}
		if got, want := notifiedUsers(t, w.Events(t, "quickResponseList")), "685:edit 688:edit 687:destroy"; got != want {
			t.Errorf("of the lists was told %q, want %q", got, want)
		}
		for _, ev := range w.Events(t, "quickResponseList")[:2] {
			if strings.Contains(ev.Data, "687") {
				t.Errorf("the list still names them: %s", ev.Data)
			}
		}
		events := w.Events(t, "chatResponsiblePin", "chatResponsible")
		if got := names(events); !slices.Equal(got, []string{"chatResponsiblePin", "chatResponsible"}) {
			t.Fatalf("of the chats was told %v", got)
		}
		if !strings.Contains(events[1].Data, `"responsible":null,"chat":{"id":"1"}`) {
			t.Errorf("told %s", events[1].Data)
		}
		if !slices.Contains(events[1].Channels, "private-v1.companies.2224.users.689") {
			t.Errorf("who sees only no one's chats does not hear of it: %v", events[1].Channels)
		}
		data, err := w.Chat(t.Context(), w.OnlyMine, at(mine))
		if err != nil || data.Responsible != nil {
			t.Errorf("the chat is now %+v, %v", data, err)
		}
	})
}

// TestWhoLeavesWithManyChats removes an employee whose chats need several transactions.
func TestWhoLeavesWithManyChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const chats = 250
		w.Tx(t, func(tx *models.Tx) error {
			user := int64(687)
			for i := range chats {
				err := tx.Insert(&models.Chat{
					CompanyID: crmtest.CompanyID, LicenseID: crmtest.LicenseID, MessengerType: "telegram",
					ExternalID: fmt.Sprint(i), Hash: "h", Type: models.ChatPrivate, Status: models.ChatOpen, ResponsibleID: &user,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 687); err != nil {
			t.Fatal(err)
		}
		if n := len(w.Events(t, "chatResponsible")); n != chats {
			t.Errorf("%d chats were told to be no one's, want %d", n, chats)
		}
		if n := len(w.Live.Unsubscribed()); n != 1 {
			t.Errorf("%d unsubscriptions, want 1", n)
		}
	})
}

// TestDisabledOwnersKeepNoCompany disables one of two owners. The other must stay: the
// company would have no owner left who could sign in.
func TestDisabledOwnersKeepNoCompany(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		owner, operator := models.RoleOwner, models.RoleOperator
		if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Admin.UserID, crm.EmployeeChanges{Role: &owner}); err != nil {
			t.Fatal(err)
		}
		if err := w.HostUsers().SetEnabled(t.Context(), "admin@test.test", false); err != nil {
			t.Fatal(err)
		}
		expectCode(t, "leave", w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Owner.UserID), crm.CodeConflict)
		if list, err := w.HostCompanies().List(t.Context()); err != nil || list[0].Owners != 1 {
			t.Errorf("listed %+v, %v, want one owner", list, err)
		}
		if ids, err := w.HostUsers().Ownerless(t.Context(), "admin@test.test"); err != nil || len(ids) > 0 {
			t.Errorf("companies %v have no owner, %v", ids, err)
		}
		_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Owner.UserID, crm.EmployeeChanges{Role: &operator})
		expectCode(t, "become an operator", err, crm.CodeConflict)
		_, err = w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Admin.UserID, crm.EmployeeChanges{Role: &operator})
		expectCode(t, "the disabled one becomes an operator", err, "")
		_, err = w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Admin.UserID, crm.EmployeeChanges{Role: &owner})
		expectCode(t, "and an owner again", err, "")
		expectCode(t, "the disabled one is removed", w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Admin.UserID), "")
	})
}
