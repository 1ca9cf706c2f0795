package crm_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestAccessEndsAreToldAgain ends accesses while not all nodes can be told, as when the
// process dies after the commit. They are told later, also when that fails at first. What the
// user may do again by then goes on.
func TestAccessEndsAreToldAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Nodes = true
		repeat := func(age time.Duration, want error) {
			t.Helper()
			if err := w.RepeatEnds(t.Context(), age); !errors.Is(err, want) {
				t.Fatal(err)
			}
		}
		set := func(user int64, licenses ...crm.LicenseRight) {
			t.Helper()
			if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, crm.EmployeeChanges{Licenses: &licenses}); err != nil {
				t.Fatal(err)
			}
		}
		away := errors.New("a node is away")
		w.Live.Fail(away)
		set(687)
		set(688)
		if err := w.RevokeToken(t.Context(), w.Token(w.Reader)); err != nil {
			t.Fatal(err)
		}
		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 690); err != nil {
			t.Fatal(err)
		}
		set(687, crm.LicenseRight{LicenseID: crmtest.LicenseID})
		repeat(0, away)
		lost, ended, earlier := len(w.Live.Unsubscribed()), w.Live.Ended(), w.Live.EndedBefore()
		w.Live.Fail(nil)
		repeat(time.Hour, nil) // nothing is that old
		if n := len(w.Live.Unsubscribed()); n != lost {
			t.Errorf("%d calls, want %d", n, lost)
		}
		repeat(0, nil)
		want := []crmtest.Unsubscribed{{UserID: 688, Channels: linesOf1229}, {UserID: 690, Channels: sorted(companyBoth, []string{"private-v1.companies.2224.users.690"})}}
		if got := w.Live.Unsubscribed()[lost:]; !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if got := w.Live.Ended()[len(ended):]; len(ended) != 2 || !reflect.DeepEqual(got, ended[1:]) {
			t.Errorf("%v after %v", got, ended)
		}
		if got := w.Live.EndedBefore()[len(earlier):]; len(earlier) != 1 || !reflect.DeepEqual(got, earlier) || got[0].UserID != 690 || got[0].ID < 2 {
			t.Errorf("%v after %v", got, earlier)
		}
		lost = len(w.Live.Unsubscribed())
		set(687)
		lost++
		repeat(0, nil) // all were told
		if n := len(w.Live.Unsubscribed()); n != lost || len(w.Live.Ended()) != 3 {
			t.Errorf("%d calls, want %d", n, lost)
		}
	})
}
