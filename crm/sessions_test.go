package crm_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// sessionsOf returns the owner's sessions, as the session with this token lists them.
func sessionsOf(t *testing.T, w *crmtest.World, token string) []crm.SessionData {
	t.Helper()
	page, err := w.UserSessions(t.Context(), w.Owner, token, crm.PageQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func mustSignIn(t *testing.T, w *crmtest.World) *crm.TokenPair {
	t.Helper()
	return mustSignInWith(t, w, rightPassword)
}

func mustSignInWith(t *testing.T, w *crmtest.World, password string) *crm.TokenPair {
	t.Helper()
	pair, err := w.MakeToken(t.Context(), crm.SignIn{
		Email: "test@test.test", Password: password, Address: "192.0.2.7", UserAgent: "Browser\x00 \xff1" + strings.Repeat("x", 300),
	})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestSessionsAreListed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		first := mustSignIn(t, w)
		w.Clock.Advance(time.Hour)
		second := mustSignIn(t, w)
		list := sessionsOf(t, w, first.AccessToken)
		if len(list) != 3 { // the world has one too
			t.Fatalf("%d sessions: %+v", len(list), list)
		}
		got := list[1]
		want := crm.SessionData{
			ID: got.ID, AppID: "app_685_1", CreatedAt: crmtest.Start, LastUsedAt: crmtest.Start, EndTime: first.RefreshTokenEndTime,
			Address: "192.0.2.7", UserAgent: "Browser 1" + strings.Repeat("x", 191), Current: true,
		}
		if got != want || list[0].Current || list[0].ID <= got.ID {
			t.Errorf("listed\n%+v, want\n%+v", list, want)
		}
		w.Clock.Advance(time.Hour)
		if _, err := w.Authenticate(t.Context(), first.AccessToken); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(4 * time.Minute)
		if _, err := w.Authenticate(t.Context(), first.AccessToken); err != nil {
			t.Fatal(err)
		}
		if got := sessionsOf(t, w, second.AccessToken)[1]; got.LastUsedAt != crmtest.Start+7200 || got.Current {
			t.Errorf("after a use: %+v", got)
		}
		if _, err := w.RefreshToken(t.Context(), first.RefreshToken, crm.Client{Address: "192.0.2.8", UserAgent: "Other"}); err != nil {
			t.Fatal(err)
		}
		now := w.Clock.Now()
		want.Current, want.LastUsedAt, want.EndTime = false, now.Unix(), now.Add(14*24*time.Hour).Unix()
		want.Address, want.UserAgent = "192.0.2.8", "Other"
		if got := sessionsOf(t, w, second.AccessToken)[1]; got != want {
			t.Errorf("after a refresh: %+v, want %+v", got, want)
		}
		page, err := w.UserSessions(t.Context(), w.Owner, second.AccessToken, crm.PageQuery{Limit: 2})
		if err != nil || len(page.Items) != 2 || page.NextPage == nil {
			t.Fatalf("%+v, %v", page, err)
		}
		page, err = w.UserSessions(t.Context(), w.Owner, second.AccessToken, crm.PageQuery{Limit: 2, NextPage: *page.NextPage})
		if err != nil || len(page.Items) != 1 || page.NextPage != nil {
			t.Errorf("the last page: %+v, %v", page, err)
		}
	})
}

func TestSessionsAreEnded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		mine, lost := mustSignIn(t, w), mustSignIn(t, w)
		id := sessionsOf(t, w, lost.AccessToken)[0].ID
		expectCode(t, "another user's session", w.EndSession(t.Context(), w.Admin, id), crm.CodeNotFound)
		expectCode(t, "no such session", w.EndSession(t.Context(), w.Owner, 1<<40), crm.CodeNotFound)
		if err := w.EndSession(t.Context(), w.Owner, id); err != nil {
			t.Fatal(err)
		}
		if got, want := w.Live.Ended(), []crmtest.Session{{UserID: 685, ID: id}}; !slices.Equal(got, want) {
			t.Errorf("ended are the sockets of %+v, want %+v", got, want)
		}
		_, err := w.Authenticate(t.Context(), lost.AccessToken)
		expectCode(t, "the ended access token", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), lost.RefreshToken, crm.Client{})
		expectCode(t, "the ended refresh token", err, crm.CodeBadToken)
		expectCode(t, "an ended session", w.EndSession(t.Context(), w.Owner, id), crm.CodeNotFound)
		if err := w.EndOtherSessions(t.Context(), w.Owner, mine.AccessToken); err != nil {
			t.Fatal(err)
		}
		if list := sessionsOf(t, w, mine.AccessToken); len(list) != 1 || !list[0].Current {
			t.Errorf("left are %+v", list)
		}
		if d := w.Live.Disconnected(); len(d) > 0 {
			t.Errorf("the sockets of all sessions are closed: %v", d)
		}
		_, err = w.Authenticate(t.Context(), w.Token(w.Owner))
		expectCode(t, "another session", err, crm.CodeBadToken)
		_, err = w.Authenticate(t.Context(), w.Token(w.Admin))
		expectCode(t, "another user's session", err, "")
	})
}

// A refresh token that comes again ends its session, whoever presents it, and however
// often the session was refreshed since.
func TestReusedRefreshTokenEndsTheSession(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var log bytes.Buffer
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		setPassword(t, w, w.Owner, rightPassword)
		first, bystander := mustSignIn(t, w), mustSignIn(t, w)
		now := first
		for range 3 {
			w.Clock.Advance(time.Hour)
			next, err := w.RefreshToken(t.Context(), now.RefreshToken, crm.Client{})
			if err != nil {
				t.Fatal(err)
			}
			now = next
		}
		_, err := w.RefreshToken(t.Context(), first.RefreshToken, crm.Client{Address: "198.51.100.1"})
		expectCode(t, "a used refresh token", err, crm.CodeBadToken)
		_, err = w.Authenticate(t.Context(), now.AccessToken)
		expectCode(t, "the session's access token", err, crm.CodeBadToken)
		_, err = w.RefreshToken(t.Context(), now.RefreshToken, crm.Client{})
		expectCode(t, "the session's refresh token", err, crm.CodeBadToken)
		if got := w.Live.Ended(); len(got) != 1 || got[0].UserID != 685 || len(w.Live.Disconnected()) > 0 {
			t.Errorf("ended are the sockets of %+v, want one session of 685", got)
		}
		if text := log.String(); !strings.Contains(text, "user=685") || !strings.Contains(text, "198.51.100.1") || strings.Contains(text, first.RefreshToken) {
			t.Errorf("logged %s", text)
		}
		_, err = w.Authenticate(t.Context(), bystander.AccessToken)
		expectCode(t, "another session", err, "")
		_, err = w.RefreshToken(t.Context(), first.RefreshToken, crm.Client{})
		expectCode(t, "again", err, crm.CodeBadToken)
		if got := w.Live.Ended(); len(got) != 1 {
			t.Errorf("an ended session ends again: %v", got)
		}
	})
}
