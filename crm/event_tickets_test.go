package crm_test

import (
	"errors"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestEventTickets checks how long and how often a ticket opens a stream, and what ends it.
func TestEventTickets(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		makeOne := func(a crm.Actor) string {
			t.Helper()
			made, err := w.MakeEventTicket(t.Context(), a, w.Token(a), journalChannel)
			if err != nil {
				t.Fatal(err)
			}
			if now := w.Clock.Now().Unix(); made.OpenUntil != now+60 || made.ResumeUntil != now+3600 {
				t.Errorf("the ticket %+v was made at %d", made, now)
			}
			return made.Ticket
		}
		use := func(what, ticket, channel string, resume bool, want crm.Code) {
			t.Helper()
			asked := crm.TicketUse{Channel: channel, After: crm.FromNow, Resume: resume}
			if resume {
				asked.After = 0
			}
			session, _, err := w.UseEventTicket(t.Context(), ticket, asked)
			if codeOf(err) != want || err == nil && session.UserID != w.Reader.UserID {
				t.Errorf("%s: %+v, %v; want %q", what, session, err, want)
			}
		}
		ticket := makeOne(w.Reader)
		use("another channel", ticket, "private-v1.companies.3000", false, crm.CodeBadToken)
		use("another ticket", ticket+"0", journalChannel, false, crm.CodeBadToken)
		w.Clock.Advance(time.Minute - time.Second)
		use("in time", ticket, journalChannel, false, "")
		use("again", ticket, journalChannel, false, crm.CodeBadToken)
		use("again, after a cut", ticket, journalChannel, true, "")
		use("after a cut, another channel", ticket, "private-v1.users.688", true, crm.CodeBadToken)
		w.Clock.Advance(time.Hour - time.Minute)
		use("within the hour", ticket, journalChannel, true, "")
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Second)
		use("after the hour", ticket, journalChannel, true, crm.CodeBadToken)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := ticketsOf(t, store, w.Reader.UserID); n != 0 {
			t.Errorf("%d tickets are left", n)
		}

		late := makeOne(w.Reader)
		w.Clock.Advance(time.Minute)
		use("a minute later", late, journalChannel, false, crm.CodeBadToken)
		use("a minute later, as after a cut", late, journalChannel, true, crm.CodeBadToken)

		used, unused := makeOne(w.Reader), makeOne(w.Reader)
		use("used", used, journalChannel, false, "")
		w.Tx(t, func(tx *models.Tx) error { return tx.SetDisabled(w.Reader.UserID, crmtest.Start) })
		use("disabled", used, journalChannel, true, crm.CodeBadToken)
		use("disabled, unused", unused, journalChannel, false, crm.CodeBadToken)
		w.Tx(t, func(tx *models.Tx) error { return tx.SetDisabled(w.Reader.UserID, 0) })
		use("enabled again", used, journalChannel, true, "")
		w.Tx(t, func(tx *models.Tx) error { return tx.RevokeTokensOf(w.Reader.UserID, 0, w.Clock.Now().Unix()) })
		use("signed out", used, journalChannel, true, crm.CodeBadToken)
		use("signed out, unused", unused, journalChannel, false, crm.CodeBadToken)
	})
}

// TestEventTicketsKeepTheirBeginning checks that a ticket, which may be found in a log, reads
// nothing from before its first stream.
func TestEventTicketsKeepTheirBeginning(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		grow := func() {
			t.Helper()
			workday(t, w, "start")
			workday(t, w, "end")
			if n, err := w.Journal.Number(t.Context(), 10); n != 2 || err != nil {
				t.Fatalf("%d events, %v", n, err)
			}
		}
		grow()
		const never = 4711
		for what, c := range map[string]struct {
			after, begins int64          // of the first stream
			resumes       map[int64]bool // whether it goes on from there
		}{
			"from now":              {crm.FromNow, 2, map[int64]bool{0: false, 1: false, 2: true, 3: true, never: true}},
			"from a number":         {1, 1, map[int64]bool{0: false, 1: true, 2: true}},
			"from the beginning":    {0, 0, map[int64]bool{0: true, 2: true}},
			"from where nothing is": {never, never, map[int64]bool{1: false, 2: true, never: true}},
		} {
			made, err := w.MakeEventTicket(t.Context(), w.Reader, w.Token(w.Reader), journalChannel)
			if err != nil {
				t.Fatal(err)
			}
			_, begins, err := w.UseEventTicket(t.Context(), made.Ticket, crm.TicketUse{Channel: journalChannel, After: c.after})
			if err != nil || begins != c.begins {
				t.Errorf("%s: it begins at %d, %v", what, begins, err)
			}
			for after, may := range c.resumes {
				_, begins, err := w.UseEventTicket(t.Context(), made.Ticket, crm.TicketUse{Channel: journalChannel, After: after, Resume: true})
				if may && (err != nil || begins != after) || !may && codeOf(err) != crm.CodeBadToken {
					t.Errorf("%s: it goes on from %d at %d, %v", what, after, begins, err)
				}
			}
		}
	})
}

// TestEventTicketsAreFew checks who may make a ticket, and how many.
func TestEventTicketsAreFew(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for channel, want := range map[string]crm.Code{
			"private-v1.companies.3000": crm.CodeDenied, "private-v1.users.685": crm.CodeDenied, "presence-v1.companies.2224": crm.CodeInvalid, "": crm.CodeInvalid,
		} {
			_, err := w.MakeEventTicket(t.Context(), w.Reader, w.Token(w.Reader), channel)
			expectCode(t, channel, err, want)
		}
		_, err := w.MakeEventTicket(t.Context(), w.Reader, "no token", journalChannel)
		expectCode(t, "no token", err, crm.CodeBadToken)
		for range 60 {
			if _, err := w.MakeEventTicket(t.Context(), w.Reader, w.Token(w.Reader), journalChannel); err != nil {
				t.Fatal(err)
			}
		}
		w.Clock.Advance(15 * time.Second)
		_, err = w.MakeEventTicket(t.Context(), w.Reader, w.Token(w.Reader), journalChannel)
		var e *crm.Error
		if !errors.As(err, &e) || e.Code != crm.CodeThrottled || e.RetryAfter != 45 {
			t.Errorf("one more: %+v", err)
		}
		_, err = w.MakeEventTicket(t.Context(), w.Owner, w.Token(w.Owner), journalChannel)
		expectCode(t, "somebody else", err, "")
		w.Clock.Advance(45 * time.Second)
		_, err = w.MakeEventTicket(t.Context(), w.Reader, w.Token(w.Reader), journalChannel)
		expectCode(t, "a minute later", err, "")
	})
}

// ticketsOf counts the user's tickets.
func ticketsOf(t *testing.T, store *models.Store, userID int64) int64 {
	t.Helper()
	n, _, err := store.Read(t.Context()).EventTicketsSince(userID, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
