package crm_test

import (
	"slices"
	"sync"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// knowPassword marks the actor's password as known to somebody else.
func knowPassword(t *testing.T, w *crmtest.World, a crm.Actor, password string) {
	t.Helper()
	w.Tx(t, func(tx *models.Tx) error {
		u, err := tx.UserByID(a.UserID)
		if err != nil {
			return err
		}
		u.PasswordHash, u.PasswordKnown = bcryptOf(t, password), true
		return tx.SaveUser(u)
	})
}

func TestAcceptWithAnAccount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Stranger, rightPassword)
		in := crm.Invitation{Email: "stranger@test.test", Name: "Somebody", Role: "admin"}
		accept := func(what string, in crm.Acceptance, want crm.Code) *crm.JoinedEmployee {
			t.Helper()
			e, err := w.AcceptInvitation(t.Context(), in)
			expectCode(t, what, err, want)
			return e
		}
		code := invite(t, w, w.Owner, crmtest.CompanyID, in).Code
		accept("with a token of nobody", crm.Acceptance{Code: code, AccessToken: "none"}, crm.CodeBadToken)
		accept("with another's token", crm.Acceptance{Code: code, AccessToken: w.Token(w.Operator)}, crm.CodeDenied)
		accept("with a password chosen by the company", crm.Acceptance{Code: code, Name: "X", Password: "taken over"}, crm.CodeDenied)
		accept("without a password", crm.Acceptance{Code: code}, crm.CodeInvalid)
		e := accept("with the own token", crm.Acceptance{Code: code, Name: "X", AccessToken: w.Token(w.Stranger)}, "")
		if e.UserID != 900 || e.Name != "Stranger" || e.Role != "admin" || len(e.Licenses) != 2 {
			t.Errorf("%+v", e)
		}
		me, err := w.Me(t.Context(), w.Stranger)
		if err != nil || len(me.Companies) != 2 {
			t.Errorf("%+v, %v", me, err)
		}
		if len(w.Live.Disconnected()) != 0 {
			t.Error("sockets were closed")
		}
		expectCode(t, "leave", w.RemoveEmployee(t.Context(), w.Stranger, crmtest.CompanyID, 900), "")
		code = invite(t, w, w.Owner, crmtest.CompanyID, in).Code
		accept("with the own password", crm.Acceptance{Code: code, Password: rightPassword}, "")
		_, err = w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 900, crm.EmployeeChanges{Name: ptr("X")})
		expectCode(t, "the second company changes the name", err, crm.CodeDenied)
	})
}

// TestAcceptTellsNothingOfTheAccount sends requests that make no account: they are
// answered alike with and without one.
func TestAcceptTellsNothingOfTheAccount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		knowPassword(t, w, w.Stranger, rightPassword)
		for _, in := range []crm.Acceptance{
			{}, {Password: "a guess"}, {Password: "a guess", NewPassword: ptr("long enough")}, {Password: "a guess", NewPassword: ptr("short")},
			{Name: "X"}, {Name: "X", Password: "short"}, {Name: " ", Password: "long enough"}, {NewPassword: ptr("long enough")},
		} {
			var answers [2]error
			for i, email := range []string{"stranger@test.test", "nobody@test.test"} {
				in.Code = invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: email}).Code
				_, answers[i] = w.AcceptInvitation(t.Context(), in)
			}
			if answers[0] == nil || answers[1] == nil || answers[0].Error() != answers[1].Error() || code(answers[0]) == "internal" {
				t.Errorf("%+v: with an account %v, without %v", in, answers[0], answers[1])
			}
		}
		if _, err := w.Store.Read(t.Context()).UserByEmail("nobody@test.test"); err == nil {
			t.Error("an account was made")
		}
	})
}

// TestAcceptAfterLeavingEverything: an account without a company cannot sign in, but
// its person can still join one.
func TestAcceptAfterLeavingEverything(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Operator, rightPassword)
		expectCode(t, "leave", w.RemoveEmployee(t.Context(), w.Operator, crmtest.CompanyID, 687), "")
		_, err := signIn(w, t, "operator@test.test", rightPassword, "")
		expectCode(t, "sign in without a company", err, crm.CodeDenied)
		link := invite(t, w, w.Stranger, crmtest.StrangeCompany, crm.Invitation{Email: "operator@test.test"})
		e, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Password: rightPassword})
		if err != nil || e.UserID != 687 {
			t.Fatalf("%+v, %v", e, err)
		}
		_, err = signIn(w, t, "operator@test.test", rightPassword, "")
		expectCode(t, "sign in", err, "")
	})
}

// TestWrongPasswordsOfAnInvitationAreSignIns: they count against the account.
func TestWrongPasswordsOfAnInvitationAreSignIns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Stranger, rightPassword)
		link := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "stranger@test.test"})
		for range 5 {
			_, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Address: "192.0.2.1", Password: "a guess"})
			expectCode(t, "a guess", err, crm.CodeDenied)
		}
		_, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Address: "192.0.2.1", Password: rightPassword})
		expectCode(t, "after five guesses", err, crm.CodeThrottled)
		_, err = signIn(w, t, "stranger@test.test", rightPassword, "")
		expectCode(t, "a sign-in from there", err, crm.CodeThrottled)
	})
}

// TestKnownPasswordsAreReplacedBeforeJoining: whoever knows the password of an account
// would get into the second company too.
func TestKnownPasswordsAreReplacedBeforeJoining(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		knowPassword(t, w, w.Operator, "known to the admin")
		knowPassword(t, w, w.Reader, "known to the admin")
		own := ptr("only I know this")
		for _, tt := range []struct {
			name  string
			actor crm.Actor
			in    crm.Acceptance
			want  crm.Code
		}{
			{"a token alone", w.Operator, crm.Acceptance{AccessToken: w.Token(w.Operator)}, crm.CodeInvalid},
			{"a token and a new password", w.Operator, crm.Acceptance{AccessToken: w.Token(w.Operator), NewPassword: own}, crm.CodeInvalid},
			{"a short new password", w.Operator, crm.Acceptance{AccessToken: w.Token(w.Operator), Password: "known to the admin", NewPassword: ptr("short")}, crm.CodeInvalid},
			{"a token and a wrong password", w.Operator, crm.Acceptance{AccessToken: w.Token(w.Operator), Password: "wrong", NewPassword: own}, crm.CodeDenied},
			{"all of it", w.Operator, crm.Acceptance{AccessToken: w.Token(w.Operator), Password: "known to the admin", NewPassword: own}, ""},
			{"the password alone", w.Reader, crm.Acceptance{Password: "known to the admin"}, crm.CodeInvalid},
			{"both passwords", w.Reader, crm.Acceptance{Password: "known to the admin", NewPassword: own}, ""},
		} {
			user, err := w.Store.Read(t.Context()).UserByID(tt.actor.UserID)
			if err != nil {
				t.Fatal(err)
			}
			tt.in.Code = invite(t, w, w.Stranger, crmtest.StrangeCompany, crm.Invitation{Email: user.Email}).Code
			_, err = w.AcceptInvitation(t.Context(), tt.in)
			expectCode(t, tt.name, err, tt.want)
		}
		if d := w.Live.Disconnected(); !slices.Equal(d, []int64{687, 688}) {
			t.Errorf("disconnected %v, want 687 and 688", d)
		}
		_, err := w.Authenticate(t.Context(), w.Token(w.Operator))
		expectCode(t, "the token that was presented", err, "")
		_, err = w.Authenticate(t.Context(), w.Token(w.Reader))
		expectCode(t, "a token made with the known password", err, crm.CodeBadToken)
		_, err = signIn(w, t, "reader@test.test", "known to the admin", "")
		expectCode(t, "the known password", err, crm.CodeDenied)
	})
}

// TestKnownPasswordsAreReplacedBeforeAPromotion: whoever knows the password would get
// the role too.
func TestKnownPasswordsAreReplacedBeforeAPromotion(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		knowPassword(t, w, w.Operator, rightPassword)
		knowPassword(t, w, w.Admin, rightPassword)
		change := func(what string, user int64, role string, want crm.Code) {
			t.Helper()
			_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, crm.EmployeeChanges{Role: &role})
			expectCode(t, what, err, want)
		}
		change("operator to admin", 687, "admin", crm.CodeConflict)
		change("operator to operator", 687, "operator", "")
		change("admin to owner", 686, "owner", crm.CodeConflict)
		change("admin to operator", 686, "operator", "")
		_, err := w.ChangeMe(t.Context(), w.Operator, w.Token(w.Operator), crm.MyChanges{Name: ptr("Anna")})
		expectCode(t, "another name", err, "")
		change("with another name only", 687, "admin", crm.CodeConflict)
		_, err = w.ChangeMe(t.Context(), w.Operator, w.Token(w.Operator), crm.MyChanges{Password: ptr("only I know this"), CurrentPassword: rightPassword})
		expectCode(t, "another password", err, "")
		change("with an own password", 687, "owner", "")
	})
}

// TestAcceptTwiceAtOnce accepts one invitation concurrently, and two invitations of two
// companies for one new e-mail. There is one account, with one employment in each.
func TestAcceptTwiceAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		in := crm.Invitation{Email: "anna@test.test"}
		codes := []string{
			invite(t, w, w.Owner, crmtest.CompanyID, in).Code, invite(t, w, w.Stranger, crmtest.StrangeCompany, in).Code,
		}
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, errs[i] = w.AcceptInvitation(t.Context(), crm.Acceptance{Code: codes[i%2], Name: "Anna", Password: rightPassword})
			})
		}
		all.Wait()
		for i, err := range errs {
			switch code(err) {
			case "", crm.CodeNotFound, crm.CodeConflict:
			default:
				t.Errorf("%d: %v", i, err)
			}
		}
		for i, c := range codes { // one that met the other's new account is accepted with its password
			_, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: c, Name: "Anna", Password: rightPassword})
			if got := code(err); got != "" && got != crm.CodeNotFound {
				t.Errorf("again, %d: %v", i, err)
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

// TestEverybodyCanLeave: operators and admins leave, and owners but the last.
func TestEverybodyCanLeave(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for _, a := range []crm.Actor{w.Operator, w.OnlyMine, w.Outsider, w.Admin} {
			expectCode(t, a.AppID+" leaves", w.RemoveEmployee(t.Context(), a, crmtest.CompanyID, a.UserID), "")
			_, err := w.Authenticate(t.Context(), w.Token(a))
			expectCode(t, "a token of who left their only company", err, crm.CodeBadToken)
		}
		expectCode(t, "the last owner leaves", w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 685), crm.CodeConflict)
		restore(t, w, 688, models.RoleOwner)
		expectCode(t, "an owner leaves", w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 685), "")
		foreign := w.RemoveEmployee(t.Context(), w.Stranger, crmtest.CompanyID, 900)
		none := w.RemoveEmployee(t.Context(), w.Stranger, 4711, 900)
		if code(foreign) != crm.CodeNotFound || foreign.Error() != none.Error() {
			t.Errorf("leaving another company %v, no company %v", foreign, none)
		}
	})
}

// TestALicenceGoesBeforeTheInvitationIsAccepted: the rest of the invitation holds.
func TestALicenceGoesBeforeTheInvitationIsAccepted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		link := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "anna@test.test", Licenses: []crm.LicenseRight{
			{LicenseID: crmtest.OtherLicenseID, Write: true}, {LicenseID: crmtest.LicenseID},
		}})
		if err := w.DeleteLicense(t.Context(), w.Owner, crmtest.OtherLicenseID); err != nil {
			t.Fatal(err)
		}
		e, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: link.Code, Name: "Anna", Password: rightPassword})
		if err != nil || !slices.Equal(e.Licenses, []crm.LicenseRight{{LicenseID: crmtest.LicenseID}}) {
			t.Errorf("%+v, %v", e, err)
		}
	})
}
