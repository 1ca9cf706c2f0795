package crm_test

import (
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestRestriction checks that a restriction of an account is stored, told once, and over
// by itself, and that it belongs to the account and not to the line.
func TestRestriction(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		until, later := int64(crmtest.Start+3600), int64(crmtest.Start+7200)
		wantUntil := func(what string, want *int64) {
			t.Helper()
			x, err := w.SessionOf(t.Context(), onGr)
			if err != nil || (x.RestrictedUntil == nil) != (want == nil) || want != nil && *x.RestrictedUntil != *want {
				t.Errorf("%s: %+v, %v", what, x, err)
			}
			status, err := w.LineStatus(t.Context(), w.Reader, onGr)
			if err != nil || (status.RestrictedUntil == nil) != (want == nil) || !status.Connected {
				t.Errorf("%s: the status is %+v, %v", what, status, err)
			}
		}
		for _, step := range []struct {
			what   string
			until  *int64
			events string
			want   *int64
		}{
			{"there is none", nil, "", nil},
			{"one that is over", unix(crmtest.Start - 1), "", nil},
			{"one for an hour", &until, "messengerStatus", &until},
			{"the same again", unix(until), "", &until},
			{"it is longer", &later, "messengerStatus", &later},
			{"it is over", nil, "messengerStatus", nil},
			{"another", &until, "messengerStatus", &until},
		} {
			got := happens(t, w, func() {
				if err := w.SetLineRestriction(t.Context(), onGr, step.until); err != nil {
					t.Fatal(err)
				}
			})
			if got != step.events {
				t.Errorf("%s causes %q", step.what, got)
			}
			wantUntil(step.what, step.want)
			if item := lastItem(t, w, "messengerStatus"); step.want != nil && item["restrictedUntil"] != float64(*step.want) || step.want == nil && item["restrictedUntil"] != nil {
				t.Errorf("%s is told as %v", step.what, item)
			}
		}
		setState(t, w, crm.LineState{State: crm.StateDisconnected})
		setState(t, w, crm.LineState{State: crm.StateConnected, Phone: text("79990000000")})
		wantUntil("connected again", &until)
		w.Clock.Advance(time.Hour)
		wantUntil("an hour later", nil)
		if err := w.SetLineRestriction(t.Context(), onGr, &later); err != nil {
			t.Fatal(err)
		}
		setState(t, w, crm.LineState{State: crm.StateConnected, Device: text("1:1@s.whatsapp.net"), Phone: text("79990000001")})
		wantUntil("another account", nil)
		gone := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "viber"}
		wantCode(t, "a line that is gone", w.SetLineRestriction(t.Context(), gone, &later), crm.CodeNotFound, "")
	})
}

// TestParked checks that a parked message does not reach its deadline while it waits, and
// is tried when the restriction ends, also before its time.
func TestParked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		w.SendWithin = time.Hour
		until := time.Unix(crmtest.Start+24*3600, 0)
		if err := w.SetLineRestriction(t.Context(), onGr, unix(until.Unix())); err != nil {
			t.Fatal(err)
		}
		sendText(t, w, anna, "Hello, stranger")
		item := outbox(t, w)[0]
		if _, err := w.OutboxStart(t.Context(), onGr, item.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.OutboxPark(t.Context(), item, until, crm.SendError{Code: "locked", Message: "not yet"}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(23 * time.Hour)
		if n, err := w.ExpireOutbox(t.Context()); n != 0 || err != nil {
			t.Errorf("%d parked messages expired, %v", n, err)
		}
		parked := outbox(t, w)[0]
		if !parked.NotBefore.Equal(until) || parked.LastError != "not yet" || !parked.Deadline.Equal(until.Add(time.Hour)) {
			t.Errorf("it is parked as %+v", parked)
		}
		before := len(connector.Queued())
		if err := w.SetLineRestriction(t.Context(), onGr, nil); err != nil {
			t.Fatal(err)
		}
		if free := outbox(t, w)[0]; !free.NotBefore.IsZero() || len(connector.Queued()) != before+1 {
			t.Errorf("set free, it is %+v; the connector was woken %d times", free, len(connector.Queued())-before)
		}
		if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, anna), item.Message.ID); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(3 * time.Hour)
		if _, err := w.ExpireOutbox(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.OutboxPark(t.Context(), item, until, crm.SendError{}); err != nil {
			t.Errorf("one that is deleted: %v", err)
		}
	})
}

// TestParkedChats checks that what comes after a parked message in its chat waits as long,
// and that all of it is sent as soon as the person writes.
func TestParkedChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.SendWithin = time.Hour
		until := time.Unix(crmtest.Start+24*3600, 0)
		sendText(t, w, anna, "Hello, stranger")
		sendText(t, w, anna, "before it was parked")
		if err := w.OutboxPark(t.Context(), outbox(t, w)[0], until, crm.SendError{Code: "locked", Message: "not yet"}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(2 * time.Hour)
		sendText(t, w, anna, "after it was parked")
		w.Clock.Advance(20 * time.Hour)
		if n, err := w.ExpireOutbox(t.Context()); n != 0 || err != nil {
			t.Errorf("%d messages expired behind a parked one, %v", n, err)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "who are you?", crmtest.Start)}})
		items := outbox(t, w)
		if len(items) != 3 {
			t.Fatalf("%d items wait", len(items))
		}
		for _, item := range items {
			if item.FirstContact || !item.NotBefore.IsZero() {
				t.Errorf("after the person wrote, it waits as %+v", item)
			}
		}
	})
}

// TestLockThatChanges checks what waits for the end of a lock when the lock is told again,
// becomes longer or shorter, or has ended in the past.
func TestLockThatChanges(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		at := func(d time.Duration) *int64 { return unix(w.Clock.Now().Add(d).Unix()) }
		locks := func(until *int64) (woken bool) {
			t.Helper()
			before := len(connector.Queued())
			if err := w.SetLineRestriction(t.Context(), onGr, until); err != nil {
				t.Fatal(err)
			}
			return len(connector.Queued()) > before
		}
		lock := time.Hour
		locks(at(lock))
		sendText(t, w, anna, "a")
		sendText(t, w, anna, "b")
		for _, step := range []struct {
			what  string
			until time.Duration
			woken bool
		}{
			{"told again", time.Hour, false},
			{"longer", 3 * time.Hour, true},
			{"shorter", time.Minute, true},
			{"ended in the past", -time.Minute, true},
		} {
			holdFirst(t, w, w.Clock.Now().Add(lock), false)
			wantDue(t, w, "held")
			lock = step.until
			if woken := locks(at(lock)); woken != step.woken {
				t.Errorf("%s: the connector is woken: %v", step.what, woken)
			}
			if step.woken {
				wantDue(t, w, step.what, "a", "b") // the sender looks at the lock again
			} else {
				wantDue(t, w, step.what)
			}
		}
	})
}
