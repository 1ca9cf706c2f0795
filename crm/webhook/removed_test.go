package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestRemovedLine removes a line whose last events have numbers and are not published: the
// company's URL gets nothing of them, also not on demand.
func TestRemovedLine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := &world{World: crmtest.New(t, store), t: t, log: &testwait.Output{}}
		w.relay = broadcasting.NewRelay(broadcasting.RelayOptions{Journal: w.Journal}) // does not run
		w.hooks = w.newHooks(webhook.Options{})
		w.hooks.Serve(w.Service)
		w.Callbacks = w.hooks
		r := newReceiver(t)
		d, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: r.url})
		if err != nil {
			t.Fatal(err)
		}
		r.secret = d.Secret
		gone := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		number := func() {
			t.Helper()
			if _, err := w.Journal.Number(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
		}
		add := func(name, channel, data string) {
			t.Helper()
			w.Tx(t, func(tx *models.Tx) error {
				return tx.AppendJournal(&models.JournalEntry{CompanyID: crmtest.CompanyID, Name: name, Channels: fmt.Sprintf("[%q]", channel), Data: data, CreatedAtMS: w.Clock.Now().UnixMilli()})
			})
			number()
		}
		add("chatStatus", gone.Channel(), fmt.Sprintf(`{"payload":{"data":[{"type":"open","chat":{"id":"100"},"edited":null}],"meta":{"type":"chatStatus","licenseId":%d,"messengerType":"telegram"}}}`, gone.LicenseID))
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, gone.LicenseID, gone.Messenger); err != nil {
			t.Fatal(err)
		}
		number()
		add("employeeWorkday", channels.CompanyName(crmtest.CompanyID),
			`{"payload":{"data":[{"type":"start","employee":{"id":687}}],"meta":{"type":"employeeWorkday","companyId":2224}}}`)
		last := w.last()
		if _, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, 1); !crm.IsCallbackGone(err) {
			t.Errorf("redelivered: %v", err)
		}
		w.run()
		testwait.Count(t, "the last event", 1, func() int {
			if slices.Contains(r.ids(), last) {
				return 1
			}
			return 0
		})
		if slices.Contains(r.ids(), 1) {
			t.Errorf("received %v", r.ids())
		}
	})
}

// TestRedacted checks that an attempt sends an event as it is then.
func TestRedacted(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{})
	w.run()
	r, status := newReceiver(t), 200
	refuses(r, &status)
	d := w.set(line, crm.CallbackInput{URL: r.url})
	r.secret = d.Secret
	r.set(&status, 500)
	w.happen(line, "79990001122@c.us", 1)
	w.await(d.ID, "it fails", func(d crm.CallbackData) bool { return d.Failures > 0 })
	w.Tx(t, func(tx *models.Tx) error {
		e, err := tx.JournalEntry(1)
		if err != nil {
			return err
		}
		return tx.SetJournalData(e.ID, strings.Replace(e.Data, "open", "close", 1))
	})
	r.mu.Lock()
	asked := r.asked
	r.mu.Unlock()
	testwait.Count(t, "attempts since, one of which may have been under way", 2, func() int { r.mu.Lock(); defer r.mu.Unlock(); return min(2, r.asked-asked) })
	r.set(&status, 200)
	r.wants(1)
	if !strings.Contains(r.bodies[0], `"type":"close"`) {
		t.Errorf("sent was %s", r.bodies[0])
	}
}

// TestEchoesAreForgotten checks that the log of a URL whose receiver repeats what it gets does
// not keep what was deleted since, or may be: an event that was redacted, those of a removed
// line, and what the journal does not have any more.
func TestEchoesAreForgotten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		r.answer = func(rw http.ResponseWriter, _ *http.Request, _ int) bool {
			_, err := io.WriteString(rw, "you said open")
			return err == nil
		}
		d, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: r.url})
		if err != nil {
			t.Fatal(err)
		}
		r.secret = d.Secret
		w.run()
		removed := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		w.happen(removed, "100", 1)
		w.happen(line, "79990001122@c.us", 2)
		r.wants(1, 2, 3)
		w.await(d.ID, "they are done with", func(d crm.CallbackData) bool { return d.LastEventID == 3 })
		answers := func(want ...string) {
			t.Helper()
			var got []string
			for _, e := range w.deliveries(d.ID) {
				if e.EventID <= 3 {
					got = append(got, e.Answer)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("the answers are %q, want %q", got, want)
			}
		}
		answers("you said open", "you said open", "you said open")
		w.Tx(t, func(tx *models.Tx) error {
			e, err := tx.JournalEntry(2)
			if err != nil {
				return err
			}
			return tx.SetJournalData(e.ID, strings.Replace(e.Data, "open", "close", 1))
		})
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, removed.LicenseID, removed.Messenger); err != nil {
			t.Fatal(err)
		}
		answers("", "", "you said open")
		w.prune() // a deletion does not find the answer any more
		answers("", "", "")
	})
}

// TestRewindToAnEmptyJournal rewinds to times when everything is removed: from then on, if
// nothing that was removed happened later.
func TestRewindToAnEmptyJournal(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		d := w.set(line, crm.CallbackInput{URL: newReceiver(t).url})
		w.happen(line, "79990001122@c.us", 2)
		w.prune()
		to := func(at time.Time) error {
			_, err := w.RewindCallback(t.Context(), w.Owner, d.ID, crm.CallbackRewind{Time: crm.Value(at.Unix())})
			return err
		}
		then := w.Clock.Now()
		var e *crm.Error
		if err := to(then); !errors.As(err, &e) || !strings.Contains(e.Fields["time"], " 2 ") {
			t.Errorf("to when they happened: %v", err)
		}
		w.Clock.Advance(time.Hour)
		later := then.Add(time.Second)
		for range 2 {
			if err := to(later); err != nil {
				t.Errorf("to later: %v", err)
			}
			if got := w.status(d.ID).LastEventID; got != 2 {
				t.Errorf("then the last event is %d", got)
			}
			w.happen(line, "79990001122@c.us", 1)
		}
		if err := to(then); !errors.As(err, &e) {
			t.Errorf("to when they happened, with others: %v", err)
		}
	})
}
