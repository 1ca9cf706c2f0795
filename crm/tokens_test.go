package crm_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const rightPassword = "correct horse"

func bcryptOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func signIn(w *crmtest.World, t *testing.T, email, password, app string) (*crm.TokenPair, error) {
	return w.MakeToken(t.Context(), crm.SignIn{Email: email, Password: password, AppID: app, Address: "192.0.2.1"})
}

func TestMakeToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		pair, err := signIn(w, t, " Test@Test.test ", rightPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := hex.DecodeString(pair.AccessToken); err != nil || len(b) != 32 || pair.AccessToken == pair.RefreshToken {
			t.Errorf("tokens %q and %q", pair.AccessToken, pair.RefreshToken)
		}
		if pair.CabinetUserID != 685 || pair.AccessTokenEndTime != crmtest.Start+86400 || pair.RefreshTokenEndTime != crmtest.Start+14*86400 {
			t.Errorf("%+v", pair)
		}
		a, err := w.Authenticate(t.Context(), pair.AccessToken)
		if err != nil || a != (crm.Actor{UserID: 685, AppID: "app_685_1"}) {
			t.Errorf("authenticated %+v, %v", a, err)
		}
		_, err = w.Authenticate(t.Context(), pair.RefreshToken)
		expectCode(t, "a refresh token as access token", err, crm.CodeBadToken)
		info, err := w.CheckToken(t.Context(), pair.AccessToken)
		if err != nil || *info != (crm.TokenInfo{CabinetUserID: 685, AppID: "app_685_1", AccessTokenEndTime: pair.AccessTokenEndTime}) {
			t.Errorf("checked %+v, %v", info, err)
		}
		w.Clock.Advance(24*time.Hour - time.Second)
		_, err = w.Authenticate(t.Context(), pair.AccessToken)
		expectCode(t, "a second before the end", err, "")
		w.Clock.Advance(time.Second)
		_, err = w.Authenticate(t.Context(), pair.AccessToken)
		expectCode(t, "at the end", err, crm.CodeBadToken)
		_, err = w.Authenticate(t.Context(), "")
		expectCode(t, "no token", err, crm.CodeNoToken)
	})
}

func TestMakeTokenRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		for _, tt := range []struct {
			name, email, password, app string
			want                       crm.Code
			field                      string
		}{
			{"no e-mail", "", rightPassword, "", crm.CodeInvalid, "email"},
			{"no password", "test@test.test", "", "", crm.CodeInvalid, "password"},
			{"e-mail with NUL", "test@test.test\x00", rightPassword, "", crm.CodeInvalid, "email"},
			{"e-mail not UTF-8", "te\xffst@test.test", rightPassword, "", crm.CodeInvalid, "email"},
			{"long e-mail", strings.Repeat("a", 300) + "@test.test", rightPassword, "", crm.CodeInvalid, "email"},
			{"app without form", "test@test.test", rightPassword, "mine", crm.CodeInvalid, "appId"},
			{"app of zero", "test@test.test", rightPassword, "app_685_0", crm.CodeInvalid, "appId"},
			{"app that overflows", "test@test.test", rightPassword, "app_99999999999999999999_1", crm.CodeInvalid, "appId"},
			{"another user's app", "test@test.test", rightPassword, "app_6851_1", crm.CodeInvalid, "appId"},
			{"wrong password", "test@test.test", "wrong", "", crm.CodeDenied, ""},
			{"wrong password of 100 bytes", "test@test.test", strings.Repeat("a", 100), "", crm.CodeDenied, ""},
			{"unknown e-mail", "nobody@test.test", rightPassword, "", crm.CodeDenied, ""},
		} {
			pair, err := signIn(w, t, tt.email, tt.password, tt.app)
			expectCode(t, tt.name, err, tt.want)
			if pair != nil {
				t.Errorf("%s: got tokens", tt.name)
			}
			if e, ok := err.(*crm.Error); ok && tt.field != "" && e.Fields[tt.field] == "" {
				t.Errorf("%s: fields %v, want %s", tt.name, e.Fields, tt.field)
			}
		}
		_, wrong := signIn(w, t, "test@test.test", "wrong", "")
		_, unknown := signIn(w, t, "nobody@test.test", "wrong", "")
		if wrong.Error() != unknown.Error() {
			t.Errorf("a wrong password answers %q, an unknown e-mail %q", wrong, unknown)
		}
		_, err := signIn(w, t, "test@test.test", rightPassword, "app_685_7")
		expectCode(t, "another app of one's own", err, "")
	})
}

func TestTokensADay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		for i := range 100 {
			w.Clock.Advance(time.Minute)
			pair, err := signIn(w, t, "test@test.test", rightPassword, "")
			if err != nil {
				t.Fatalf("token %d: %v", i+1, err)
			}
			if err := w.RevokeToken(t.Context(), pair.AccessToken); err != nil { // it counts all the same
				t.Fatal(err)
			}
		}
		_, err := signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "token 101", err, crm.CodeThrottled)
		if e, ok := err.(*crm.Error); !ok || e.RetryAfter != 86400-99*60 {
			t.Errorf("retry after %+v, want when the first is a day old", err)
		}
		_, err = signIn(w, t, "test@test.test", rightPassword, "app_685_2")
		expectCode(t, "another app", err, "")
		w.Clock.Advance(24*time.Hour - 99*time.Minute)
		_, err = signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "a day later", err, "")
	})
}

func TestRefreshToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		old, err := signIn(w, t, "test@test.test", rightPassword, "app_685_3")
		if err != nil {
			t.Fatal(err)
		}
		before, err := w.SessionOfToken(t.Context(), old.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(14*24*time.Hour - time.Second)
		pair, err := w.RefreshToken(t.Context(), old.RefreshToken, crm.Client{})
		if err != nil {
			t.Fatal(err)
		}
		// The session goes on, and its sockets with it.
		after, err := w.TokenSession(t.Context(), before.ID)
		if err != nil || after != (crm.TokenSession{ID: before.ID, UserID: 685, Until: time.Unix(pair.AccessTokenEndTime, 0)}) {
			t.Errorf("the session is %+v, %v", after, err)
		}
		if got, want := w.Live.Extended(), []crmtest.Session{{UserID: 685, ID: before.ID, Until: pair.AccessTokenEndTime}}; !slices.Equal(got, want) {
			t.Errorf("the extended sessions are %+v, want %+v", got, want)
		}
		a, err := w.Authenticate(t.Context(), pair.AccessToken)
		if err != nil || a.AppID != "app_685_3" {
			t.Errorf("authenticated %+v, %v", a, err)
		}
		_, err = w.Authenticate(t.Context(), old.AccessToken)
		expectCode(t, "the old access token", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), old.RefreshToken, crm.Client{})
		expectCode(t, "the old refresh token", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), pair.AccessToken, crm.Client{})
		expectCode(t, "an access token", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), "", crm.Client{})
		expectCode(t, "none", err, crm.CodeNoToken)
		w.Clock.Advance(14 * 24 * time.Hour)
		_, err = w.RefreshToken(t.Context(), pair.RefreshToken, crm.Client{})
		expectCode(t, "expired", err, crm.CodeBadToken)
		_, err = w.TokenSession(t.Context(), before.ID)
		expectCode(t, "the expired session", err, crm.CodeBadToken)
	})
}

func TestRefreshTokenOnceOnly(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		pair, err := signIn(w, t, "test@test.test", rightPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		const n = 8
		errs := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { _, errs[i] = w.RefreshToken(t.Context(), pair.RefreshToken, crm.Client{}) })
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			expectCode(t, "a refresh that lost", err, crm.CodeBadToken)
		}
		if won != 1 {
			t.Errorf("%d refreshes of one token won, want 1", won)
		}
	})
}

func TestRevokeToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		pair, err := signIn(w, t, "test@test.test", rightPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		ended, err := w.SessionOfToken(t.Context(), pair.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.RevokeToken(t.Context(), pair.AccessToken); err != nil {
			t.Fatal(err)
		}
		if got, want := w.Live.Ended(), []crmtest.Session{{UserID: 685, ID: ended.ID}}; !slices.Equal(got, want) {
			t.Errorf("the ended sessions are %+v, want %+v", got, want)
		}
		_, err = w.TokenSession(t.Context(), ended.ID)
		expectCode(t, "the ended session", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), pair.RefreshToken, crm.Client{})
		expectCode(t, "refresh of a revoked pair", err, crm.CodeBadToken)
		expectCode(t, "revoke it again", w.RevokeToken(t.Context(), pair.AccessToken), crm.CodeBadToken)
		if err := w.RevokeToken(t.Context(), w.Token(w.Owner)); err != nil {
			t.Fatal(err)
		}
		if got := w.Live.Ended(); len(got) != 2 || got[1].ID == ended.ID {
			t.Errorf("the ended sessions are %+v, want another one", got)
		}
		if d := w.Live.Disconnected(); len(d) > 0 {
			t.Errorf("disconnected %v: each session ends its own sockets", d)
		}
	})
}

func TestExpiredTokensAreRemoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		for range 3 {
			if _, err := signIn(w, t, "test@test.test", rightPassword, ""); err != nil {
				t.Fatal(err)
			}
		}
		count := func() int64 {
			n, _, err := w.Store.Read(t.Context()).TokensSince(685, "app_685_1", crmtest.Start-1)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 3 {
			t.Fatalf("%d rows, want 3", n)
		}
		w.Clock.Advance(14 * 24 * time.Hour)
		if _, err := signIn(w, t, "test@test.test", rightPassword, ""); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 1 {
			t.Errorf("%d rows after the expired ones should be gone, want 1", n)
		}
	})
}

func TestIssueToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		pair, err := w.IssueToken(t.Context(), "Test@test.test")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Authenticate(t.Context(), pair.AccessToken)
		expectCode(t, "an issued token", err, "")
		_, err = w.IssueToken(t.Context(), "nobody@test.test")
		expectCode(t, "nobody", err, crm.CodeNotFound)
	})
}
