package crm_test

import (
	"context"
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestDisabledUser(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		pair := mustSignIn(t, w)
		host := w.HostUsers()
		if err := host.SetEnabled(t.Context(), " Test@test.test ", false); err != nil {
			t.Fatal(err)
		}
		if got := w.Live.Disconnected(); !slices.Equal(got, []int64{685}) {
			t.Errorf("disconnected %v, want 685", got)
		}
		_, err := w.Authenticate(t.Context(), pair.AccessToken)
		expectCode(t, "the access token", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), pair.RefreshToken, crm.Client{})
		expectCode(t, "the refresh token", err, crm.CodeBadToken)
		_, err = signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "sign in", err, crm.CodeDenied)
		_, wrong := signIn(w, t, "test@test.test", "wrong", "")
		_, unknown := signIn(w, t, "nobody@test.test", "wrong", "")
		if wrong.Error() != unknown.Error() {
			t.Errorf("a wrong password of a disabled user answers %q, an unknown e-mail %q", wrong, unknown)
		}
		_, err = w.IssueToken(t.Context(), "test@test.test")
		expectCode(t, "a token without a password", err, crm.CodeDenied)
		list, err := host.List(t.Context())
		want := crm.HostUser{ID: 685, Email: "test@test.test", Name: "Owner", Companies: "Company (owner)", Disabled: true, LastUsed: crmtest.Start}
		if err != nil || len(list) != 7 || list[0] != want {
			t.Errorf("listed %+v, %v, want %+v first", list, err, want)
		}
		if err := host.SetEnabled(t.Context(), "test@test.test", true); err != nil {
			t.Fatal(err)
		}
		_, err = signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "sign in when enabled again", err, "")
		expectCode(t, "nobody", host.SetEnabled(t.Context(), "nobody@test.test", false), crm.CodeNotFound)
	})
}

func TestPasswordIsReset(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		pair := mustSignIn(t, w)
		replaced, _, err := w.HostUsers().ResetCode(t.Context(), "test@test.test")
		if err != nil {
			t.Fatal(err)
		}
		code, expires, err := w.HostUsers().ResetCode(t.Context(), "test@test.test")
		if err != nil || expires.Unix() != crmtest.Start+86400 {
			t.Fatal(expires, err)
		}
		expectCode(t, "no code", w.ResetPassword(t.Context(), "", "a new password"), crm.CodeInvalid)
		expectCode(t, "short password", w.ResetPassword(t.Context(), code, "short"), crm.CodeInvalid)
		expectCode(t, "replaced code", w.ResetPassword(t.Context(), replaced, "a new password"), crm.CodeDenied)
		_, err = w.Authenticate(t.Context(), pair.AccessToken)
		expectCode(t, "the session before the code is used", err, "")
		if err := w.ResetPassword(t.Context(), code, "a new password"); err != nil {
			t.Fatal(err)
		}
		_, err = w.Authenticate(t.Context(), pair.AccessToken)
		expectCode(t, "an old session", err, crm.CodeBadToken)
		if got := w.Live.Disconnected(); !slices.Equal(got, []int64{685}) {
			t.Errorf("disconnected %v, want 685", got)
		}
		_, err = signIn(w, t, "test@test.test", rightPassword, "")
		expectCode(t, "the old password", err, crm.CodeDenied)
		_, err = signIn(w, t, "test@test.test", "a new password", "")
		expectCode(t, "the new password", err, "")
		expectCode(t, "used code", w.ResetPassword(t.Context(), code, "another password"), crm.CodeDenied)

		code, _, err = w.HostUsers().ResetCode(t.Context(), "test@test.test")
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(crm.ResetLife)
		expectCode(t, "expired code", w.ResetPassword(t.Context(), code, "another password"), crm.CodeDenied)

		code, _, err = w.HostUsers().ResetCode(t.Context(), "test@test.test")
		if err != nil {
			t.Fatal(err)
		}
		change := crm.MyChanges{Password: ptr("my own password"), CurrentPassword: "a new password"}
		if _, err := w.ChangeMe(t.Context(), w.Owner, mustSignInWith(t, w, "a new password").AccessToken, change); err != nil {
			t.Fatal(err)
		}
		expectCode(t, "a code from before the password was changed", w.ResetPassword(t.Context(), code, "another password"), crm.CodeDenied)

		if err := w.HostUsers().SetPassword(t.Context(), "test@test.test", "a third password"); err != nil {
			t.Fatal(err)
		}
		_, err = signIn(w, t, "test@test.test", "a third password", "")
		expectCode(t, "the password that was set", err, "")
		expectCode(t, "a short one", w.HostUsers().SetPassword(t.Context(), "test@test.test", "short"), crm.CodeInvalid)
	})
}

// A server closes the sockets of users whom another process has signed out since it
// started, those alone, and once.
func TestCutOffsOfOtherProcesses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		server := crmtest.New(t, store)
		command := crm.New(crm.Options{Store: store, Live: &crmtest.Live{}, Now: server.Clock.Now, PasswordCost: 4}).HostUsers()
		round := func(last int64) int64 {
			t.Helper()
			next, err := server.LookForCutOffs(t.Context(), last)
			if err != nil {
				t.Fatal(err)
			}
			return next
		}
		disable := func(email string) {
			t.Helper()
			if err := command.SetEnabled(t.Context(), email, false); err != nil {
				t.Fatal(err)
			}
		}
		disable("reader@test.test")
		last, err := server.Service.CutOffs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		disable("operator@test.test")
		// A database that does not answer the first time hides nothing.
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if last, err = server.LookForCutOffs(ended, last); err == nil {
			t.Fatal("no error")
		}
		disable("admin@test.test")
		// One signs in again before the server looks: the new session keeps its sockets.
		signIn := func() int64 {
			t.Helper()
			pair, err := server.IssueToken(t.Context(), "mine@test.test")
			if err != nil {
				t.Fatal(err)
			}
			session, err := server.SessionOfToken(t.Context(), pair.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			return session.ID
		}
		before := signIn()
		disable("mine@test.test")
		if err := command.SetEnabled(t.Context(), "mine@test.test", true); err != nil {
			t.Fatal(err)
		}
		// The newest of two new sessions ends before the server looks, too: it is not the other's end.
		after, newest := signIn(), signIn()
		if err := server.EndSession(t.Context(), server.OnlyMine, newest); err != nil {
			t.Fatal(err)
		}
		round(round(last))
		got := server.Live.EndedBefore()
		var users []int64
		for _, s := range got {
			users = append(users, s.UserID)
		}
		if !slices.Equal(users, []int64{687, 686, server.OnlyMine.UserID}) || len(server.Live.Disconnected()) != 0 {
			t.Fatalf("ended are earlier sessions of %v and all of %v", users, server.Live.Disconnected())
		}
		if first := got[2].ID; first <= before || first > after {
			t.Errorf("ended are sessions before %d, want %d to end and %d to stay", first, before, after)
		}
	})
}
