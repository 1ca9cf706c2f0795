package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestNewProcessesClaimOnce has many processes that are new ask for the URLs at once: one
// of them gets each.
func TestNewProcessesClaimOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		w.set(line, crm.CallbackInput{URL: newReceiver(t).url})
		for round := range 5 {
			var owners atomic.Int64
			var claims errgroup.Group
			for i := range 8 {
				claims.Go(func() error {
					list, err := w.ClaimCallbacks(t.Context(), fmt.Sprintf("%d-%d", round, i), time.Hour, false)
					owners.Add(int64(len(list)))
					return err
				})
			}
			if err := claims.Wait(); err != nil {
				t.Fatal(err)
			}
			if n := owners.Load(); n != 1 {
				t.Fatalf("in round %d the URL has %d processes", round, n)
			}
			for i := range 8 {
				if err := w.ReleaseCallbacks(t.Context(), fmt.Sprintf("%d-%d", round, i)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestClaimsWaitForNoURL claims while a URL is locked, as by a long deletion of its line: the
// others are renewed, and that one is taken later.
func TestClaimsWaitForNoURL(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.PostgresURL(t)), webhook.Options{})
	locked := w.set(line, crm.CallbackInput{URL: newReceiver(t).url})
	other := w.set(crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}, crm.CallbackInput{URL: newReceiver(t).url})
	claimed := func(want ...int64) {
		t.Helper()
		list, err := w.ClaimCallbacks(t.Context(), "second", time.Hour, false)
		var got []int64
		for _, cb := range list {
			got = append(got, cb.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("claimed are %v, %v; want %v", got, err, want)
		}
	}
	w.Tx(t, func(tx *models.Tx) error {
		_, err := tx.LockCallbackURL(locked.ID)
		claimed(other.ID)
		return err
	})
	claimed(locked.ID, other.ID)
	w.Tx(t, func(tx *models.Tx) error {
		rows, err := tx.ClaimCallbacks("second", time.Hour, false)
		for _, row := range rows {
			if row.Events+row.Lines+row.Chats+row.FormerChats != "" {
				t.Errorf("each claim loads %+v", row)
			}
		}
		return err
	})
}

// TestDryRunIsReportedAfterItsURL checks that who reports of a dry run waits for its URL before
// it locks the dry run, as who rewinds does: otherwise they would meet in a deadlock.
func TestDryRunIsReportedAfterItsURL(t *testing.T) {
	url := testdb.PostgresURL(t)
	w := newWorld(t, testdb.Open(t, url), webhook.Options{})
	w.happen(line, "79990001122@c.us", 1)
	r := newReceiver(t)
	d := w.set(line, crm.CallbackInput{URL: r.url})
	if _, err := w.RewindCallback(t.Context(), w.Owner, d.ID, crm.CallbackRewind{EventID: crm.Value[int64](0), URL: crm.Value(r.url)}); err != nil {
		t.Fatal(err)
	}
	list, err := w.ClaimCallbacks(t.Context(), "first", time.Hour, false)
	if err != nil || len(list) != 2 || !list[1].DryRun() {
		t.Fatalf("claimed are %+v, %v", list, err)
	}
	waiters, reported := testdb.LockWaiters(t, url), make(chan error, 1)
	report := crm.CallbackReport{Callback: list[1], Attempts: []crm.CallbackReported{{Event: crm.CallbackEvent{ID: 1, Name: "chatStatus"}, Nth: 1}}}
	w.Tx(t, func(tx *models.Tx) error {
		if _, err := tx.LockCallbackURL(d.ID); err != nil {
			return err
		}
		go func() {
			_, err := w.ReportCallback(t.Context(), "first", report)
			reported <- err
		}()
		testwait.Count(t, "who report", 1, waiters)
		rows, err := tx.ClaimCallbacks("second", time.Hour, true) // skips what another one has locked
		if len(rows) != 2 {
			t.Errorf("while it waits, it has locked the dry run: free are %d", len(rows))
		}
		return err
	})
	if err := <-reported; err != nil {
		t.Error(err)
	}
}

// held is the rules of a process that can be held up before it claims.
type held struct {
	*crm.Service
	mu    sync.Mutex // held by the test
	owner atomic.Pointer[string]
}

func (h *held) ClaimCallbacks(ctx context.Context, owner string, ttl time.Duration, alone bool) ([]crm.Callback, error) {
	h.owner.Store(&owner)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Service.ClaimCallbacks(ctx, owner, ttl, alone)
}

// TestGivenBack has another process take a URL, deliver and give it back before the first
// one looks: that one goes on where the other was, and what it had in hand is not stored.
func TestGivenBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		rules := &held{Service: w.Service}
		w.hooks.Serve(rules)
		w.run()
		w.happen(line, "79990001122@c.us", 3)
		r.wants(1, 2, 3)
		w.await(d.ID, "three are stored", func(d crm.CallbackData) bool { return d.LastEventID == 3 })

		rules.mu.Lock()
		unlock := sync.OnceFunc(rules.mu.Unlock)
		t.Cleanup(unlock)
		first := *rules.owner.Swap(nil)
		w.Tx(t, (*models.Tx).CallbacksChanged)
		w.hooks.Changed()
		testwait.Count(t, "processes that are held up", 1, func() int {
			if rules.owner.Load() == nil {
				return 0
			}
			return 1
		})
		if err := w.ReleaseCallbacks(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		list, err := w.ClaimCallbacks(t.Context(), "second", time.Hour, false)
		if err != nil || len(list) != 1 {
			t.Fatalf("the second process has %+v, %v", list, err)
		}
		w.happen(line, "79990001122@c.us", 3)
		theirs := list[0]
		before := theirs
		before.Epoch-- // as the first one has it
		theirs.CursorSeq = 6
		for _, report := range []crm.Callback{before, theirs} {
			saved, err := w.ReportCallback(t.Context(), "second", crm.CallbackReport{Callback: report})
			if err != nil || saved != (report.Epoch == theirs.Epoch) {
				t.Errorf("the progress of epoch %d is stored: %t, %v", report.Epoch, saved, err)
			}
		}
		if err := w.ReleaseCallbacks(t.Context(), "second"); err != nil {
			t.Fatal(err)
		}
		unlock()
		w.happen(line, "79990001122@c.us", 1)
		testwait.Count(t, "the last event", 1, func() int {
			if slices.Contains(r.ids(), 7) {
				return 1
			}
			return 0
		})
		if got := r.ids(); !slices.Equal(got, []int64{1, 2, 3, 7}) {
			t.Errorf("received %v", got)
		}
	})
}

// TestUnwantedEventsAreNotWritten checks that a URL that wants nothing of what happens
// causes no write each time, and gets what it wants afterwards.
func TestUnwantedEventsAreNotWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url, Events: []string{"chatStatus"}})
		r.secret = d.Secret
		rules := &counting{Service: w.Service}
		w.hooks.Serve(rules)
		w.run()
		other := fmt.Sprintf(`{"payload":{"data":[{"chat":{"id":"1@c.us"},"edited":null}],"meta":{"type":"chatRead","licenseId":%d,"messengerType":%q}}}`, line.LicenseID, line.Messenger)
		for range 20 {
			looks := rules.looks.Load()
			w.append(crmtest.CompanyID, "chatRead", line.Channel(), other, 1)
			testwait.Count(t, "looks", 1, func() int { return min(1, int(rules.looks.Load()-looks)) })
		}
		if n := rules.reports.Load(); n > 1 { // one may be of the start
			t.Errorf("%d writes for 20 events that are not wanted", n)
		}
		w.happen(line, "79990001122@c.us", 1)
		r.wants(21)
		w.await(d.ID, "the cursor follows", func(d crm.CallbackData) bool { return d.LastEventID == 21 })
		w.append(crmtest.CompanyID, "chatRead", line.Channel(), other, 1000)
		w.await(d.ID, "the cursor follows from far behind", func(d crm.CallbackData) bool { return d.LastEventID >= 1021 })
	})
}

// counting counts the looks for events and the writes.
type counting struct {
	*crm.Service
	looks, reports atomic.Int64
}

func (c *counting) NextCallback(ctx context.Context, id, after int64) (*crm.CallbackNext, error) {
	defer c.looks.Add(1)
	return c.Service.NextCallback(ctx, id, after)
}

func (c *counting) ReportCallback(ctx context.Context, owner string, r crm.CallbackReport) (bool, error) {
	c.reports.Add(1)
	return c.Service.ReportCallback(ctx, owner, r)
}
