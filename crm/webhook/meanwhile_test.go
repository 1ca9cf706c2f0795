package webhook_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestMergedDuringALook gives a selected chat another id while the next event of its URL is
// looked for: the first event with that id is found.
func TestMergedDuringALook(t *testing.T) {
	url := testdb.PostgresURL(t)
	w := &world{World: crmtest.New(t, testdb.Open(t, url)), t: t, log: &testwait.Output{}}
	w.relay = broadcasting.NewRelay(broadcasting.RelayOptions{Journal: w.Journal}) // does not run
	w.hooks = w.newHooks(webhook.Options{})
	w.hooks.Serve(w.Service)
	w.Callbacks = w.hooks
	ingest := func(body string) {
		t.Helper()
		var in crm.InboundRequest
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatal(err)
		}
		if _, err := w.IngestAs(t.Context(), w.Owner, line, in); err != nil {
			t.Fatal(err)
		}
	}
	ingest(`{"messages":[{"id":"m1","chat":"555@lid","message":{"text":"Hi"}}]}`)
	if _, err := w.Journal.Number(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	d := w.set(line, crm.CallbackInput{URL: newReceiver(t).url, Events: []string{"message"}, Chats: []string{"555@lid"}})
	held := testdb.HoldTable(t, url, "journal_state")
	type look struct {
		*crm.CallbackNext
		err error
	}
	looked := make(chan look, 1)
	go func() {
		next, err := w.NextCallback(t.Context(), d.ID, d.LastEventID)
		looked <- look{next, err}
	}()
	testwait.Count(t, "who look", 1, held.Waiting)
	ingest(`{"messages":[{"id":"m2","chat":{"id":"79990001122@c.us","lid":"555@lid"},"message":{"text":"Hi"}}]}`)
	held.NumberJournal()
	held.Release()
	got := <-looked
	if got.err != nil {
		t.Fatal(got.err)
	}
	if got.Event == nil || got.Event.Name != "message" {
		t.Errorf("found is %+v, up to %d of %d", got.Event, got.Seen, w.last())
	}
}

// echo answers with what it gets, when the test lets it.
type echo struct {
	*receiver
	came, free chan struct{}
}

func newEcho(t *testing.T) *echo {
	e := &echo{receiver: newReceiver(t), came: make(chan struct{}, 100), free: make(chan struct{})}
	e.answer = func(rw http.ResponseWriter, _ *http.Request, _ int) bool {
		e.came <- struct{}{}
		<-e.free
		_, err := rw.Write([]byte("you said open"))
		return err == nil
	}
	return e
}

// redact changes what an event says.
func (w *world) redact(seq int64) {
	w.t.Helper()
	w.Tx(w.t, func(tx *models.Tx) error {
		e, err := tx.JournalEntry(seq)
		if err != nil {
			return err
		}
		return tx.SetJournalData(e.ID, strings.Replace(e.Data, `"open"`, `"close"`, 1))
	})
}

// TestEchoOnItsWay deletes what an event says while its receiver is about to repeat it: the
// answer is not in the log, neither of the delivery nor of one on demand.
func TestEchoOnItsWay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{Timeout: testwait.Long, Lease: 4 * testwait.Long})
		e := newEcho(t)
		d, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: e.url})
		if err != nil {
			t.Fatal(err)
		}
		e.secret = d.Secret
		w.run()
		done := func(seq int64) {
			t.Helper()
			w.await(d.ID, "it is done with", func(d crm.CallbackData) bool { return d.LastEventID >= seq })
		}
		w.happen(line, "79990001122@c.us", 1) // 1
		<-e.came
		w.redact(1)
		e.free <- struct{}{}
		done(1)

		w.happen(line, "79990001122@c.us", 1) // 2
		<-e.came
		e.free <- struct{}{}
		done(2)
		redelivered := make(chan crm.CallbackDelivery, 1)
		go func() {
			got, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, 2)
			if err != nil {
				t.Error(err)
			}
			redelivered <- got
		}()
		<-e.came
		w.redact(2)
		e.free <- struct{}{}
		if got := <-redelivered; !got.OK || got.Answer != "" {
			t.Errorf("on demand: %+v", got)
		}

		removed := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		w.happen(removed, "100", 1) // 3
		<-e.came
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, removed.LicenseID, removed.Messenger); err != nil {
			t.Fatal(err)
		}
		close(e.free)
		w.happen(line, "79990001122@c.us", 1)
		last := w.last()
		done(last)
		for _, entry := range w.deliveries(d.ID) {
			want := ""
			if entry.EventID > 3 {
				want = "you said open"
			}
			if entry.Answer != want {
				t.Errorf("the log has %+v", entry)
			}
		}
	})
}

// TestRedeliveryWaits has a redelivery wait for its turn while what it sends is deleted: it
// sends what is left.
func TestRedeliveryWaits(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{Timeout: testwait.Long, Lease: 4 * testwait.Long, Wait: testwait.Long})
	e := newEcho(t)
	d := w.set(line, crm.CallbackInput{URL: e.url})
	e.secret = d.Secret
	w.happen(line, "79990001122@c.us", 2)
	var all sync.WaitGroup
	redeliver := func(id int64) {
		all.Go(func() {
			if _, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, id); err != nil {
				t.Error(err)
			}
		})
	}
	redeliver(1)
	redeliver(1)
	<-e.came
	<-e.came // a company has no more places
	redeliver(2)
	testwait.Count(t, "who wait", 1, func() int { return w.hooks.Asking(crmtest.CompanyID) - 2 })
	w.redact(2)
	close(e.free)
	all.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.Index(e.taken, 2)
	if i < 0 || strings.Contains(e.bodies[i], `"open"`) {
		t.Errorf("received %v: %s", e.taken, e.bodies)
	}
}

// TestEchoIsLoggedDuringTheDeletion has an answer logged while what it repeats is deleted in a
// transaction that is not committed yet.
func TestEchoIsLoggedDuringTheDeletion(t *testing.T) {
	url := testdb.PostgresURL(t)
	w := newWorld(t, testdb.Open(t, url), webhook.Options{Timeout: testwait.Long, Lease: 4 * testwait.Long})
	e := newEcho(t)
	d := w.set(line, crm.CallbackInput{URL: e.url})
	e.secret = d.Secret
	w.happen(line, "79990001122@c.us", 1)
	waiters, redelivered := testdb.LockWaiters(t, url), make(chan crm.CallbackDelivery, 1)
	go func() {
		got, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, 1)
		if err != nil {
			t.Error(err)
		}
		redelivered <- got
	}()
	<-e.came
	w.Tx(t, func(tx *models.Tx) error {
		entry, err := tx.JournalEntry(1)
		if err != nil {
			return err
		}
		if err := tx.SetJournalData(entry.ID, strings.Replace(entry.Data, `"open"`, `"close"`, 1)); err != nil {
			return err
		}
		close(e.free)
		testwait.Count(t, "who log", 1, waiters)
		return nil
	})
	if got := <-redelivered; !got.OK || got.Answer != "" {
		t.Errorf("on demand: %+v", got)
	}
}
