package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// factor is the owner's authenticator app.
type factor struct {
	*crmtest.World
	t        *testing.T
	secret   string
	recovery []string
	pair     *crm.TokenPair // of the session that enrolled
}

// code returns the code that the app shows.
func (f *factor) code() string {
	f.t.Helper()
	code, err := totp.GenerateCode(f.secret, f.Clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return code
}

// wrong returns six digits that are no valid code now.
func (f *factor) wrong() string {
	f.t.Helper()
	var right []string
	for _, d := range []time.Duration{-30 * time.Second, 0, 30 * time.Second} {
		code, err := totp.GenerateCode(f.secret, f.Clock.Now().Add(d))
		if err != nil {
			f.t.Fatal(err)
		}
		right = append(right, code)
	}
	for _, code := range []string{"000000", "111111", "222222"} {
		if !slices.Contains(right, code) {
			return code
		}
	}
	return "333333"
}

// next returns the code of the next half minute.
func (f *factor) next() string {
	f.t.Helper()
	f.Clock.Advance(30 * time.Second)
	return f.code()
}

func (f *factor) signIn(code string) error {
	f.t.Helper()
	_, err := f.MakeToken(f.t.Context(), crm.SignIn{Email: "test@test.test", Password: rightPassword, Code: code, Address: "192.0.2.1"})
	return err
}

// enrol sets up a second factor for the owner.
func enrol(t *testing.T, w *crmtest.World) *factor {
	t.Helper()
	setPassword(t, w, w.Owner, rightPassword)
	f := &factor{World: w, t: t, pair: mustSignIn(t, w)}
	made, err := w.EnrolTOTP(t.Context(), w.Owner, rightPassword)
	if err != nil {
		t.Fatal(err)
	}
	f.secret = made.Secret
	if want := "otpauth://totp/chatcast:test@test.test?"; !strings.HasPrefix(made.URI, want) || !strings.Contains(made.URI, "secret="+made.Secret) || len(made.Secret) != 32 {
		t.Errorf("enrolled with %+v", made)
	}
	codes, err := w.ConfirmTOTP(t.Context(), w.Owner, f.pair.AccessToken, f.code())
	if err != nil {
		t.Fatal(err)
	}
	f.recovery = codes.RecoveryCodes
	return f
}

func TestTOTPIsAskedFor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		f := enrol(t, w)
		if me, err := w.Me(t.Context(), w.Owner); err != nil || me.TOTP != crm.TOTPOn {
			t.Errorf("me %+v, %v", me, err)
		}
		if _, err := w.Authenticate(t.Context(), f.pair.AccessToken); err != nil {
			t.Errorf("the session that enrolled: %v", err)
		}
		_, err := w.Authenticate(t.Context(), w.Token(w.Owner))
		expectCode(t, "a session without a code", err, crm.CodeBadToken)
		if got := w.Live.Disconnected(); !slices.Equal(got, []int64{685}) {
			t.Errorf("disconnected %v, want 685", got)
		}
		expectField(t, "no code", f.signIn(""), "code")
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "test@test.test", Password: "wrong", Address: "192.0.2.1"})
		expectCode(t, "a wrong password and no code", err, crm.CodeDenied)
		expectField(t, "the code that confirmed", f.signIn(f.code()), "code")
		code := f.next()
		expectCode(t, "the next code", f.signIn(code[:3]+" "+code[3:]), "")
		expectField(t, "the same code again", f.signIn(code), "code")
		f.Clock.Advance(30 * time.Second)
		expectField(t, "the same code half a minute later", f.signIn(code), "code")
		f.Clock.Advance(30 * time.Second)
		late := f.code()
		f.Clock.Advance(30 * time.Second)
		expectCode(t, "a code of the step before", f.signIn(late), "")
		expectCode(t, "this step's code after it", f.signIn(f.code()), "")
		f.Clock.Advance(time.Hour)
		old := f.code()
		f.Clock.Advance(time.Minute)
		expectField(t, "a code of two steps before", f.signIn(old), "code")
		if _, err := w.IssueToken(t.Context(), "test@test.test"); err != nil {
			t.Errorf("a token of the command line: %v", err)
		}
	})
}

func TestRecoveryCodesWorkOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		f := enrol(t, w)
		if len(f.recovery) != 10 || len(f.recovery[0]) != 19 {
			t.Fatalf("recovery codes %q", f.recovery)
		}
		expectCode(t, "a recovery code", f.signIn(f.recovery[3]), "")
		expectField(t, "a used recovery code", f.signIn(f.recovery[3]), "code")
		expectCode(t, "in lower case, without hyphens", f.signIn(strings.ToLower(strings.ReplaceAll(f.recovery[4], "-", ""))), "")
		expectField(t, "of nobody", f.signIn("AAAA-BBBB-CCCC-DDDD"), "code")
		// two sign-ins with one code at once: one of them
		var errs [4]error
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, errs[i] = w.MakeToken(t.Context(), crm.SignIn{Email: "test@test.test", Password: rightPassword, Code: f.recovery[5]})
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%d sign-ins with one code, want 1: %v", won, errs)
		}
	})
}

// Guesses of codes are throttled by account: an attacker who knows the password gains
// nothing by many addresses.
func TestCodesAreThrottled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		f := enrol(t, w)
		guess := func(i int) error {
			_, err := w.MakeToken(t.Context(), crm.SignIn{
				Email: "test@test.test", Password: rightPassword, Code: "00000", Address: "198.51.100." + string(rune('0'+i)),
			})
			return err
		}
		for i := range 5 {
			expectField(t, "a guess", guess(i), "code")
		}
		expectCode(t, "another guess", guess(6), crm.CodeThrottled)
		expectField(t, "no code", f.signIn(""), "code")
		f.Clock.Advance(time.Hour)
		expectCode(t, "the right code later", f.signIn(f.code()), "")
	})
}

// TestGuessesOfCodesKeepNobodyOut lets an attacker, who knows the password, guess as often
// as they can. The owner mistypes a code where they signed in before, and the next one is
// accepted; so is a code that a signed-in person gives.
func TestGuessesOfCodesKeepNobodyOut(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		f := enrol(t, w)
		expectCode(t, "the first sign-in with a code", f.signIn(f.next()), "")
		admitted := 0
		for minute := range 10 {
			f.Clock.Advance(time.Minute)
			for i := range 40 {
				_, err := w.MakeToken(t.Context(), crm.SignIn{
					Email: "test@test.test", Password: rightPassword, Code: f.wrong(), Address: fmt.Sprintf("198.51.%d.%d", minute, i),
				})
				if err != nil && !strings.Contains(err.Error(), "throttled") {
					admitted++
				}
			}
			expectField(t, "mistyped", f.signIn(f.wrong()), "code")
			expectCode(t, "corrected", f.signIn(f.code()), "")
		}
		if admitted > 5+2*10 {
			t.Errorf("%d guesses were admitted in ten minutes", admitted)
		}
		if err := w.RemoveTOTP(t.Context(), w.Owner, f.next()); err != nil {
			t.Errorf("a signed-in person's code: %v", err)
		}
	})
}

func TestTOTPIsRemoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		f := enrol(t, w)
		_, err := w.EnrolTOTP(t.Context(), w.Owner, rightPassword)
		expectCode(t, "enrol again", err, crm.CodeConflict)
		_, err = w.ConfirmTOTP(t.Context(), w.Owner, f.pair.AccessToken, f.next())
		expectCode(t, "confirm again", err, crm.CodeConflict)
		expectField(t, "remove without a code", w.RemoveTOTP(t.Context(), w.Owner, ""), "code")
		expectField(t, "remove with a wrong code", w.RemoveTOTP(t.Context(), w.Owner, "00000"), "code")
		expectCode(t, "remove another's", w.RemoveTOTP(t.Context(), w.Admin, f.code()), crm.CodeConflict)
		if err := w.RemoveTOTP(t.Context(), w.Owner, f.code()); err != nil {
			t.Fatal(err)
		}
		expectCode(t, "sign in", f.signIn(""), "")
		expectCode(t, "remove again", w.RemoveTOTP(t.Context(), w.Owner, f.next()), crm.CodeConflict)
		_, err = w.EnrolTOTP(t.Context(), w.Owner, "wrong")
		expectField(t, "enrol with a wrong password", err, "currentPassword")
		made, err := w.EnrolTOTP(t.Context(), w.Owner, rightPassword)
		if err != nil || made.Secret == f.secret {
			t.Fatal(made, err)
		}
		expectCode(t, "sign in before the code is confirmed", f.signIn(""), "")
		_, err = w.ConfirmTOTP(t.Context(), w.Owner, f.pair.AccessToken, f.next())
		expectField(t, "confirm with a code of the old secret", err, "code")
		f.secret = made.Secret
		if _, err := w.ConfirmTOTP(t.Context(), w.Owner, f.pair.AccessToken, f.code()); err != nil {
			t.Fatal(err)
		}
		expectField(t, "an old recovery code", f.signIn(f.recovery[0]), "code")
		if err := w.HostUsers().RemoveTOTP(t.Context(), "test@test.test"); err != nil {
			t.Fatal(err)
		}
		_, err = w.Authenticate(t.Context(), f.pair.AccessToken)
		expectCode(t, "a session after the host removed it", err, crm.CodeBadToken)
		expectCode(t, "sign in after the host removed it", f.signIn(""), "")
	})
}

// A company may require a second factor. Its people without one can only set one up, and
// nobody else is concerned.
func TestCompanyRequiresTOTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		on, off := crm.CompanySecurity{RequireTOTP: true}, crm.CompanySecurity{}
		set := func(a crm.Actor, in crm.CompanySecurity) error {
			_, err := w.SetCompanySecurity(t.Context(), a, crmtest.CompanyID, in)
			return err
		}
		expectCode(t, "a stranger", set(w.Stranger, on), crm.CodeNotFound)
		expectCode(t, "an operator", set(w.Operator, on), crm.CodeDenied)
		expectCode(t, "an admin", set(w.Admin, on), crm.CodeDenied)
		expectCode(t, "an owner without a second factor", set(w.Owner, on), crm.CodeConflict)
		f := enrol(t, w)
		before := len(w.Live.Disconnected())
		expectCode(t, "an owner with one", set(w.Owner, on), "")
		if got := w.Live.Disconnected()[before:]; !slices.Equal(got, []int64{686, 687, 688, 689, 690}) {
			t.Errorf("disconnected %v, want all without a second factor", got)
		}
		if got, err := w.CompanySecurity(t.Context(), w.Admin, crmtest.CompanyID); err != nil || *got != on {
			t.Errorf("%+v, %v", got, err)
		}
		_, err := w.Authenticate(t.Context(), w.Token(w.Operator))
		expectCode(t, "an operator", err, crm.CodeDenied)
		a, must, err := w.AuthenticateToEnrol(t.Context(), w.Token(w.Operator))
		if err != nil || !must || a != w.Operator {
			t.Errorf("to enrol: %+v %v %v", a, must, err)
		}
		if me, err := w.Me(t.Context(), w.Operator); err != nil || me.TOTP != crm.TOTPRequired {
			t.Errorf("me %+v, %v", me, err)
		}
		_, err = w.Authenticate(t.Context(), f.pair.AccessToken)
		expectCode(t, "the owner", err, "")
		_, err = w.Authenticate(t.Context(), w.Token(w.Stranger))
		expectCode(t, "a stranger", err, "")

		setPassword(t, w, w.Operator, rightPassword)
		made, err := w.EnrolTOTP(t.Context(), w.Operator, rightPassword)
		if err != nil {
			t.Fatal(err)
		}
		f.secret = made.Secret
		if _, err := w.ConfirmTOTP(t.Context(), w.Operator, w.Token(w.Operator), f.code()); err != nil {
			t.Fatal(err)
		}
		_, err = w.Authenticate(t.Context(), w.Token(w.Operator))
		expectCode(t, "the operator when enrolled", err, "")
		before = len(w.Live.Disconnected())
		if err := w.RemoveTOTP(t.Context(), w.Operator, f.next()); err != nil {
			t.Fatal(err)
		}
		if got := w.Live.Disconnected()[before:]; !slices.Equal(got, []int64{687}) {
			t.Errorf("disconnected %v, want 687", got)
		}
		_, err = w.Authenticate(t.Context(), w.Token(w.Operator))
		expectCode(t, "the operator without it", err, crm.CodeDenied)
		expectCode(t, "switch it off", set(w.Owner, off), "")
		_, err = w.Authenticate(t.Context(), w.Token(w.Operator))
		expectCode(t, "the operator when it is not required", err, "")
	})
}

// TestKnownPasswordSetsUpNoFactor checks that a person must replace a password that
// somebody else knows before they set up a second factor.
func TestKnownPasswordSetsUpNoFactor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		if err := w.HostUsers().SetPassword(t.Context(), "test@test.test", rightPassword); err != nil {
			t.Fatal(err)
		}
		_, err := w.EnrolTOTP(t.Context(), w.Owner, rightPassword)
		expectCode(t, "with a password that the host has typed", err, crm.CodeConflict)
		pair := mustSignIn(t, w)
		if _, err := w.ChangeMe(t.Context(), w.Owner, pair.AccessToken, crm.MyChanges{CurrentPassword: rightPassword, Password: ptr("my own password")}); err != nil {
			t.Fatal(err)
		}
		_, err = w.EnrolTOTP(t.Context(), w.Owner, "my own password")
		expectCode(t, "with a password of one's own", err, "")
	})
}

// TestGuardedAccountsAcceptNothingByPassword checks that a password alone does not join an
// account that has a second factor, or one that is disabled, to another company.
func TestGuardedAccountsAcceptNothingByPassword(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		enrol(t, w)
		in := crm.Invitation{Email: "test@test.test", Role: "admin"}
		code := invite(t, w, w.Stranger, crmtest.StrangeCompany, in).Code
		_, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: code, Password: rightPassword})
		expectCode(t, "with the password", err, crm.CodeDenied)
		if err := w.HostUsers().RemoveTOTP(t.Context(), in.Email); err != nil {
			t.Fatal(err)
		}
		if err := w.HostUsers().SetEnabled(t.Context(), in.Email, false); err != nil {
			t.Fatal(err)
		}
		_, err = w.AcceptInvitation(t.Context(), crm.Acceptance{Code: code, Password: rightPassword})
		expectCode(t, "a disabled account", err, crm.CodeDenied)
		if err := w.HostUsers().SetEnabled(t.Context(), in.Email, true); err != nil {
			t.Fatal(err)
		}
		if _, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: code, Password: rightPassword}); err != nil {
			t.Errorf("without either: %v", err)
		}
	})
}
