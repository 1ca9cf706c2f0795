package crm_test

import (
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

// What is done by commands is told as the host's, in each company of the account.
func TestAuditOfTheHost(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error { return addCompany(tx, 4000, w.Owner.UserID, models.RoleOwner) })
		host := w.HostUsers()
		if err := host.SetPassword(t.Context(), "test@test.test", "a new password"); err != nil {
			t.Fatal(err)
		}
		code, _, err := host.ResetCode(t.Context(), "test@test.test")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.ResetPassword(from(t, "203.0.113.7"), code, "a third password"); err != nil {
			t.Fatal(err)
		}
		for _, on := range []bool{false, true} {
			if err := host.SetEnabled(t.Context(), "test@test.test", on); err != nil {
				t.Fatal(err)
			}
		}
		if err := host.RemoveTOTP(t.Context(), "test@test.test"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.IssueToken(t.Context(), "test@test.test"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"password.changed by host, user test@test.test",
			"password.codeMade by host, user test@test.test",
			"password.reset by unknown, user test@test.test, from 203.0.113.7",
			"account.disabled by host, user test@test.test",
			"account.enabled by host, user test@test.test",
			"factor.removed by host, user test@test.test",
			"session.signedIn by host, session test@test.test, appId:app_685_1",
		}
		for _, company := range []int64{crmtest.CompanyID, 4000} {
			log := auditLog(t, w, w.Owner, company)
			var got []string
			for _, e := range log {
				got = append(got, inWords(e))
			}
			if !slices.Equal(got, want) {
				t.Errorf("company %d reads\n%q, want\n%q", company, got, want)
			}
			for _, secret := range []string{code, "password"} {
				if strings.Contains(strings.ReplaceAll(asJSON(t, log), `"password.`, ""), secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		}
	})
}

func TestAuditOfSessionsAndFactors(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx, seen := from(t, "203.0.113.7"), 0
		f := enrol(t, w)
		mustSignInAgain(t, f)
		mustSignInAgain(t, f)
		audited(t, w, &seen)

		list := sessionsOf(t, w, f.pair.AccessToken)
		expectCode(t, "end one", w.EndSession(ctx, w.Owner, list[0].ID), "")
		expectCode(t, "end it again", w.EndSession(ctx, w.Owner, list[0].ID), crm.CodeNotFound)
		expectCode(t, "end the others", w.EndOtherSessions(ctx, w.Owner, f.pair.AccessToken), "")
		fresh, err := w.RefreshToken(ctx, f.pair.RefreshToken, crm.Client{Address: "203.0.113.8"})
		expectCode(t, "refresh", err, "")
		expectCode(t, "sign out", w.RevokeToken(ctx, fresh.AccessToken), "")
		again := mustSignInAgain(t, f)
		if _, err := w.RefreshToken(ctx, again.RefreshToken, crm.Client{Address: "203.0.113.8"}); err != nil {
			t.Fatal(err)
		}
		_, err = w.RefreshToken(ctx, again.RefreshToken, crm.Client{Address: "203.0.113.9"})
		expectCode(t, "a copied refresh token", err, crm.CodeBadToken)
		expectCode(t, "remove the factor", w.RemoveTOTP(ctx, w.Owner, f.next()), "")

		got := audited(t, w, &seen)
		want := []string{
			"session.ended by user test@test.test, session, from 203.0.113.7",
			"session.ended by user test@test.test, session, from 203.0.113.7",
			"session.signedOut by user test@test.test, session, from 203.0.113.7",
			"session.signedIn by user test@test.test, session test@test.test, from 192.0.2.7, appId:app_685_1",
			"session.reused by unknown, session, from 203.0.113.9",
			"factor.removed by user test@test.test, from 203.0.113.7",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, secret := range append(f.recovery, f.secret, fresh.AccessToken, again.RefreshToken) {
			if strings.Contains(asJSON(t, auditLog(t, w, w.Owner, crmtest.CompanyID)), secret) {
				t.Error("a secret is in the log")
			}
		}
	})
}

// mustSignInAgain signs the owner in with the next code.
func mustSignInAgain(t *testing.T, f *factor) *crm.TokenPair {
	t.Helper()
	pair, err := f.MakeToken(t.Context(), crm.SignIn{Email: "test@test.test", Password: rightPassword, Code: f.next(), Address: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Failed attempts are told once for those that are alike, not by the request itself, and
// what was typed is not told.
func TestAuditOfFailures(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		ctx, seen := from(t, "203.0.113.7"), 0
		write := func() []string {
			t.Helper()
			if err := w.WriteFailures(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := audited(t, w, &seen)
			slices.Sort(got)
			return got
		}
		try := func(email, address string) {
			t.Helper()
			_, err := w.MakeToken(t.Context(), crm.SignIn{Email: email, Password: "TYPED", Address: address})
			expectCode(t, email, err, crm.CodeDenied)
		}
		for range 3 {
			try("test@test.test", "192.0.2.1")
		}
		try("test@test.test", "192.0.2.2")
		try("TYPED-instead-of-a-password", "192.0.2.1")
		_, err := w.ChangeMe(ctx, w.Owner, w.Token(w.Owner), crm.MyChanges{Password: ptr("long enough"), CurrentPassword: "TYPED"})
		expectCode(t, "a wrong current password", err, crm.CodeInvalid)
		if got := audited(t, w, &seen); len(got) > 0 {
			t.Errorf("the requests wrote %q", got)
		}
		want := []string{
			"password.refused by user test@test.test, user test@test.test, from 203.0.113.7, reason:wrong_password",
			"session.refused by unknown, from 192.0.2.1, reason:wrong_password",
			"session.refused by unknown, user test@test.test, from 192.0.2.1, reason:wrong_password, 3 times",
			"session.refused by unknown, user test@test.test, from 192.0.2.2, reason:wrong_password",
		}
		if got := write(); !slices.Equal(got, want) {
			t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		w.Clock.Advance(time.Minute)
		try("test@test.test", "192.0.2.1")
		if got := write(); len(got) > 0 {
			t.Errorf("a minute later there is another entry: %q", got)
		}
		w.Clock.Advance(10 * time.Minute)
		try("test@test.test", "192.0.2.1")
		if got := write(); len(got) != 1 || !strings.HasSuffix(got[0], ", 2 times") {
			t.Errorf("eleven minutes later the log says %q", got)
		}
		if strings.Contains(strings.ToUpper(asJSON(t, auditLog(t, w, w.Owner, crmtest.CompanyID))), "TYPED") {
			t.Error("the log has what was typed")
		}

		f := enrol(t, w)
		write()
		expectCode(t, "a wrong code", f.signIn("000000"), crm.CodeInvalid)
		expectCode(t, "no code", f.signIn(""), crm.CodeInvalid) // it is asked for, which is no failure
		expectCode(t, "a wrong code to remove the factor", w.RemoveTOTP(ctx, w.Owner, "000000"), crm.CodeInvalid)
		if err := w.HostUsers().SetEnabled(t.Context(), "admin@test.test", false); err != nil {
			t.Fatal(err)
		}
		setPassword(t, w, w.Admin, rightPassword)
		_, err = signIn(w, t, "admin@test.test", rightPassword, "")
		expectCode(t, "a disabled user", err, crm.CodeDenied)
		audited(t, w, &seen)
		want = []string{
			"factor.refused by user test@test.test, user test@test.test, from 203.0.113.7, reason:wrong_code",
			"session.refused by unknown, user admin@test.test, from 192.0.2.1, reason:disabled",
			"session.refused by unknown, user test@test.test, from 192.0.2.1, reason:wrong_code",
		}
		if got := write(); !slices.Equal(got, want) {
			t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// An attack from very many addresses writes few entries, and none of its attempts is
// left out of their numbers.
func TestAuditOfAnAttackIsBounded(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	const attempts = 1500
	for i := range attempts {
		w.Clock.Advance(100 * time.Millisecond)
		_, err := w.MakeToken(t.Context(), crm.SignIn{
			Email: fmt.Sprintf("nobody%d@test.test", i), Password: "wrong", Address: fmt.Sprintf("198.%d.%d.1", 51+i/250, i%250),
		})
		expectCode(t, "an attempt", err, crm.CodeDenied)
		if i%10 == 0 {
			if err := w.WriteFailures(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func() (entries int, times int64) {
		q := crm.AuditQuery{PageQuery: crm.PageQuery{Limit: 100}}
		for {
			page, err := w.AuditLog(t.Context(), w.Owner, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Items {
				entries, times = entries+1, times+e.Times
			}
			if page.NextPage == nil {
				return entries, times
			}
			q.NextPage = *page.NextPage
		}
	}
	if entries, _ := count(); entries < 100 || entries > 110 {
		t.Errorf("%d entries were written, want about a hundred", entries)
	}
	for range 2000 { // what waits gets its turn
		w.Clock.Advance(time.Minute)
		if err := w.WriteFailures(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if entries, times := count(); times != attempts {
		t.Errorf("%d entries tell of %d attempts, want %d", entries, times, attempts)
	}
}

// The first start is told, and what commands did before it is not lost.
func TestAuditOfTheFirstStart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		s := newService(store)
		if _, err := s.HostApps().Create(t.Context(), crm.AppInput{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Bootstrap(t.Context(), defaults()); err != nil {
			t.Fatal(err)
		}
		page, err := s.AuditLog(t.Context(), crm.Actor{UserID: 685}, crm.AuditQuery{})
		if err != nil || len(page.Items) != 2 || page.Items[0].Action != crm.AuditCompanyMade || page.Items[1].Action != crm.AuditAppMade {
			t.Errorf("%+v, %v", page.Items, err)
		}
	})
}
