package crm_test

import (
	"fmt"
	"testing"

	"chatcast/channels"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// outsidersChannel is the channel of a person who has access to no line.
var outsidersChannel = channels.CompanyUserName(crmtest.CompanyID, 690)

// letIn gives the outsider access to the line, which then has an event that the outsider sees.
func letIn(t *testing.T, w *crmtest.World) {
	t.Helper()
	w.Tx(t, func(tx *models.Tx) error {
		err := tx.SetEmployeeLicenses(crmtest.CompanyID, w.Outsider.UserID, []models.EmployeeLicense{{UserID: w.Outsider.UserID, LicenseID: crmtest.LicenseID}})
		if err != nil {
			return err
		}
		return tx.AppendJournal(&models.JournalEntry{
			CompanyID: crmtest.CompanyID, Name: "chatStatus", Channels: fmt.Sprintf("[%q,%q]", onGr.Channel(), outsidersChannel), CreatedAtMS: 1,
			Data: `{"payload":{"data":[{"type":"open","chat":{"id":"79990001122@c.us"},"edited":null}],"meta":{"type":"chatStatus","licenseId":1229,"messengerType":"grWhatsApp"}}}`,
		})
	})
}

// TestLetInDuringARead gives a person access to a line while a read of the person's events is
// under way, between the look at what the person may see and the read. The first event of the
// line is in that read, or in the next one.
func TestLetInDuringARead(t *testing.T) {
	url := testdb.PostgresURL(t)
	w := crmtest.New(t, testdb.Open(t, url))
	session, err := w.SessionOfToken(t.Context(), w.Token(w.Outsider))
	if err != nil {
		t.Fatal(err)
	}
	type read struct {
		items int
		next  int64
		err   error
	}
	for name, f := range map[string]func() read{
		"events": func() read {
			page, err := w.Service.Events(t.Context(), w.Outsider, crm.EventsQuery{Channel: outsidersChannel})
			if err != nil {
				return read{err: err}
			}
			return read{len(page.Items), page.NextAfter, nil}
		},
		"stream": func() read {
			page, err := w.StreamEvents(t.Context(), w.Outsider, crm.StreamQuery{Channel: outsidersChannel, Session: session.ID})
			if err != nil {
				return read{err: err}
			}
			return read{len(page.Items), page.Next, nil}
		},
	} {
		t.Run(name, func(t *testing.T) {
			held, done := testdb.HoldTable(t, url, "journal_state"), make(chan read, 1)
			go func() { done <- f() }()
			testwait.Count(t, "who read", 1, held.Waiting)
			letIn(t, w)
			held.NumberJournal()
			held.Release()
			bounds, err := w.Store.Read(t.Context()).JournalBounds()
			if err != nil {
				t.Fatal(err)
			}
			if got := <-done; got.err != nil || got.items == 0 && got.next >= bounds.LastSeq {
				t.Errorf("%d events, and the next read is after %d of %d; %v", got.items, got.next, bounds.LastSeq, got.err)
			}
			w.Tx(t, func(tx *models.Tx) error {
				return tx.SetEmployeeLicenses(crmtest.CompanyID, w.Outsider.UserID, nil)
			})
		})
	}
}

// TestLetInBetweenViewAndRead is the same for a socket that resumes.
func TestLetInBetweenViewAndRead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		history := crm.History{Service: w.Service}
		since := func(view string) (n int, through int64) {
			t.Helper()
			missed, err := history.Since(t.Context(), outsidersChannel, view, 0, 10)
			if err != nil || missed.Lost || missed.More {
				t.Fatalf("%+v, %v", missed, err)
			}
			return len(missed.Entries), missed.Through
		}
		look := func() string {
			t.Helper()
			view, err := history.View(t.Context(), fmt.Sprint(w.Outsider.UserID), outsidersChannel)
			if err != nil {
				t.Fatal(err)
			}
			return view
		}
		before := look()
		letIn(t, w)
		if _, err := w.Journal.Number(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if n, through := since(before); n != 0 || through != 0 {
			t.Errorf("the view of before has %d events up to %d, want none up to 0", n, through)
		}
		if n, through := since(look()); n != 1 || through != 1 {
			t.Errorf("a new view has %d events up to %d, want one up to 1", n, through)
		}
	})
}
