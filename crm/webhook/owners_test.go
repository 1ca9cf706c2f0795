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
