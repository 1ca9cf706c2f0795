package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestWhoMayWatchTheServer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		employ := func(companyID, userID int64, role string) {
			t.Helper()
			w.Tx(t, func(tx *models.Tx) error {
				return tx.CreateEmployee(&models.Employee{CompanyID: companyID, UserID: userID, Role: role, Workday: "end"})
			})
		}
		employ(crmtest.StrangeCompany, w.Operator.UserID, models.RoleOwner)
		for _, c := range []struct {
			what  string
			actor crm.Actor
			want  crm.Code
		}{
			{"owner", w.Owner, ""},
			{"admin", w.Admin, ""},
			{"operator here, owner elsewhere", w.Operator, crm.CodeDenied},
			{"operator who sees everything", w.Reader, crm.CodeDenied},
			{"operator without a licence", w.Outsider, crm.CodeDenied},
			{"owner of another company", w.Stranger, crm.CodeDenied},
			{"nobody", crm.Actor{}, crm.CodeDenied},
			{"a user who is gone", crm.Actor{UserID: 4711}, crm.CodeDenied},
		} {
			_, err := w.WatchServer(t.Context(), c.actor)
			expectCode(t, c.what, err, c.want)
		}

		// A stranger who becomes an operator here as well counts as an operator.
		employ(crmtest.CompanyID, w.Stranger.UserID, models.RoleOperator)
		_, err := w.WatchServer(t.Context(), w.Stranger)
		expectCode(t, "owner elsewhere, operator here", err, crm.CodeDenied)
		// A user who loses the role loses access.
		w.Tx(t, func(tx *models.Tx) error {
			return tx.SaveEmployee(&models.Employee{CompanyID: crmtest.CompanyID, UserID: w.Admin.UserID, Role: models.RoleOperator})
		})
		_, err = w.WatchServer(t.Context(), w.Admin)
		expectCode(t, "no longer admin", err, crm.CodeDenied)
	})
}

func TestNobodyWatchesAnEmptyDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		_, err := crm.New(crm.Options{Store: store, Live: &crmtest.Live{}}).WatchServer(t.Context(), crm.Actor{UserID: 1})
		expectCode(t, "no company", err, crm.CodeDenied)
	})
}

func TestWatchersSeeWhereTheJournalStands(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		expect := func(when string, want crm.JournalState) {
			t.Helper()
			if got, err := w.WatchServer(t.Context(), w.Owner); err != nil || *got != want {
				t.Errorf("%s: %+v %v, want %+v", when, got, err, want)
			}
		}
		expect("empty", crm.JournalState{First: 1})
		for range 3 {
			if _, err := w.Workday(t.Context(), w.Owner, crmtest.CompanyID, w.Owner.UserID, "start"); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Workday(t.Context(), w.Owner, crmtest.CompanyID, w.Owner.UserID, "end"); err != nil {
				t.Fatal(err)
			}
		}
		expect("committed", crm.JournalState{First: 1, Pending: 6})
		if _, err := w.Journal.Number(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		expect("some numbered", crm.JournalState{First: 1, Pending: 6})
		if err := w.Journal.MarkPublished(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		expect("some published", crm.JournalState{First: 1, Last: 3, Pending: 3})
	})
}
