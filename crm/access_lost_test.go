package crm_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestWhoLosesAccessIsUnsubscribed changes a user's access, and checks that they are
// unsubscribed from exactly the channels that they can no longer enter.
func TestWhoLosesAccessIsUnsubscribed(t *testing.T) {
	own := func(user string) []string { return []string{"private-v1.companies.2224.users." + user} }
	change := func(user int64, ch crm.EmployeeChanges) func(t *testing.T, w *crmtest.World) error {
		return func(t *testing.T, w *crmtest.World) error {
			_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, ch)
			return err
		}
	}
	remove := func(user int64) func(t *testing.T, w *crmtest.World) error {
		return func(t *testing.T, w *crmtest.World) error {
			return w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, user)
		}
	}
	both := &[]crm.LicenseRight{{LicenseID: crmtest.LicenseID, Write: true}, {LicenseID: crmtest.OtherLicenseID}}
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, w *crmtest.World) error
		want []crmtest.Unsubscribed
	}{
		{"licence taken", change(687, crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{}}), []crmtest.Unsubscribed{{UserID: 687, Channels: linesOf1229}}},
		{"licence exchanged", change(687, crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{{LicenseID: crmtest.OtherLicenseID}}}),
			[]crmtest.Unsubscribed{{UserID: 687, Channels: linesOf1229}}},
		{"only mine from now on", change(687, crm.EmployeeChanges{OnlyMine: ptr(true)}), []crmtest.Unsubscribed{{UserID: 687, Channels: linesOf1229}}},
		{"admin made operator", change(686, crm.EmployeeChanges{Role: ptr("operator")}),
			[]crmtest.Unsubscribed{{UserID: 686, Channels: sorted(linesOf1229, bothOf("1230", "grWhatsApp"))}}},
		{"admin made operator of one licence", change(686, crm.EmployeeChanges{Role: ptr("operator"), Licenses: &[]crm.LicenseRight{{LicenseID: crmtest.LicenseID}}}),
			[]crmtest.Unsubscribed{{UserID: 686, Channels: bothOf("1230", "grWhatsApp")}}},
		{"removed", remove(687), []crmtest.Unsubscribed{{UserID: 687, Channels: sorted(companyBoth, own("687"), linesOf1229)}}},
		{"removed who saw only their chats", remove(689), []crmtest.Unsubscribed{{UserID: 689, Channels: sorted(companyBoth, own("689"))}}},
		{"write taken, read stays", change(687, crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{{LicenseID: crmtest.LicenseID}}}), nil},
		{"more licences", change(687, crm.EmployeeChanges{Licenses: both}), nil},
		{"made admin", change(687, crm.EmployeeChanges{Role: ptr("admin")}), nil},
		{"admin with only mine keeps seeing all", change(686, crm.EmployeeChanges{OnlyMine: ptr(true)}), nil},
		{"nothing", change(687, crm.EmployeeChanges{}), nil},
		{"refused", change(900, crm.EmployeeChanges{Role: ptr("operator")}), nil},
		{"messenger removed", func(t *testing.T, w *crmtest.World) error {
			_, err := w.RemoveMessenger(t.Context(), w.Owner, crmtest.LicenseID, "telegram")
			return err
		}, unsubscribedFrom(bothOf("1229", "telegram"), 685, 686, 687, 688)},
		{"licence deleted", func(t *testing.T, w *crmtest.World) error {
			return w.DeleteLicense(t.Context(), w.Owner, crmtest.OtherLicenseID)
		}, unsubscribedFrom(bothOf("1230", "grWhatsApp"), 685, 686)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := crmtest.New(t, store)
				before := enterable(t, w)
				if err := tt.do(t, w); err != nil && tt.name != "refused" {
					t.Fatal(err)
				}
				if got := w.Live.Unsubscribed(); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("unsubscribed\n%+v, want\n%+v", got, tt.want)
				}
				checkPolicy(t, before, enterable(t, w), tt.want)
			})
		})
	}
}

func unsubscribedFrom(names []string, users ...int64) (list []crmtest.Unsubscribed) {
	for _, u := range users {
		list = append(list, crmtest.Unsubscribed{UserID: u, Channels: names})
	}
	return list
}

// entry is a user and a channel.
type entry struct {
	user    int64
	channel string
}

// enterable returns, for each user and channel, whether the policy lets the user in.
func enterable(t *testing.T, w *crmtest.World) map[entry]bool {
	t.Helper()
	names := sorted(linesOf1229, bothOf("1230", "grWhatsApp"), companyBoth, []string{channels.CompanyLinesName(crmtest.CompanyID)})
	policy, all := channels.Policy{Access: w.Service}, map[entry]bool{}
	for user := int64(685); user <= 690; user++ {
		for _, name := range append(slices.Clone(names), channels.CompanyUserName(2224, user)) {
			n, err := channels.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			all[entry{user, name}] = policy.Authorize(t.Context(), user, n) == nil
		}
	}
	return all
}

// checkPolicy fails unless exactly the users and channels that lost access were
// unsubscribed.
func checkPolicy(t *testing.T, before, after map[entry]bool, unsubscribed []crmtest.Unsubscribed) {
	t.Helper()
	ends := map[entry]bool{}
	for _, e := range unsubscribed {
		for _, name := range e.Channels {
			ends[entry{e.UserID, name}] = true
		}
	}
	for e := range before {
		if lost := before[e] && !after[e]; lost != ends[e] {
			t.Errorf("%d on %s: could enter %v, can enter %v, unsubscribed %v", e.user, e.channel, before[e], after[e], ends[e])
		}
	}
}

func TestWhoIsGoneEverywhereIsDisconnected(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error { return addCompany(tx, 2226, 687, models.RoleOperator) })
		if err := w.RecordOnline(t.Context(), 687, func(int64) bool { return true }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Workday(t.Context(), w.Operator, 2224, 687, "start"); err != nil {
			t.Fatal(err)
		}
		mark := w.Mark(t)
		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 687); err != nil {
			t.Fatal(err)
		}
		if d := w.Live.Disconnected(); len(d) > 0 {
			t.Errorf("disconnected %v who works elsewhere", d)
		}
		_, err := w.Authenticate(t.Context(), w.Token(w.Operator))
		expectCode(t, "the token of who works elsewhere", err, "")
		if got := names(w.EventsAfter(t, mark)); !slices.Equal(got, []string{"employeeStatus", "employeeWorkday"}) {
			t.Errorf("the company was told %v, want that they are offline and their workday is over", got)
		}

		if err := w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 688); err != nil {
			t.Fatal(err)
		}
		if d := w.Live.Disconnected(); !slices.Equal(d, []int64{688}) {
			t.Errorf("disconnected %v, want 688", d)
		}
		_, err = w.Authenticate(t.Context(), w.Token(w.Reader))
		expectCode(t, "the token of who is gone", err, crm.CodeBadToken)
		_, err = w.IssueToken(t.Context(), "reader@test.test")
		expectCode(t, "a new token for who is gone", err, crm.CodeDenied)
	})
}

// TestLostAccessEndsThoughTheCommitFails cancels the context during the commit. The
// outcome of the commit is unknown then, so the subscriptions must end.
func TestLostAccessEndsThoughTheCommitFails(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ended := 0
		ctx, hangUp := context.WithCancel(t.Context())
		err := w.ChangeAnd(ctx, func(after func(func())) error {
			after(func() { ended++ })
			hangUp()
			return nil
		})
		if err == nil || ended != 1 {
			t.Errorf("hung up during the commit: %v, ended %d times, want once", err, ended)
		}
		refused := errors.New("refused")
		err = w.ChangeAnd(t.Context(), func(after func(func())) error {
			after(func() { ended++ })
			return refused
		})
		if !errors.Is(err, refused) || ended != 1 {
			t.Errorf("refused: %v, ended %d times, want no more", err, ended)
		}
	})
}
