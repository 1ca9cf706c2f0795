package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestLooksAreBounded has a URL want one event behind many that it does not: each look for it
// ends, and it comes.
func TestLooksAreBounded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		w.ingest(`"79990001122"`)
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url, Chats: []string{"79990001122"}})
		r.secret = d.Secret
		const others = 1000
		w.happen(line, "79990003344@c.us", others)
		w.happen(line, "79990001122@c.us", 1)
		last := w.last()
		looks := 0
		for after := d.LastEventID; ; looks++ {
			next, err := w.NextCallback(t.Context(), d.ID, after)
			if err != nil {
				t.Fatal(err)
			}
			if next.Event != nil {
				break
			}
			if !next.More || next.Seen <= after || next.Seen >= last {
				t.Fatalf("after %d it has looked up to %d of %d", after, next.Seen, last)
			}
			after = next.Seen
		}
		if looks == 0 || looks > 20 {
			t.Errorf("%d looks for an event behind %d", looks, others)
		}
		w.run()
		r.wants(last)
	})
}

// TestNoPostAfterALongLook has a look for the next event take longer than the right to
// deliver lasts: the event is posted when the right is renewed.
func TestNoPostAfterALongLook(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{Lease: time.Second})
	r := newReceiver(t)
	d := w.set(line, crm.CallbackInput{URL: r.url})
	r.secret = d.Secret
	rules := &longLook{held: held{Service: w.Service}}
	rules.asked = func() int { r.mu.Lock(); defer r.mu.Unlock(); return r.asked }
	w.hooks.Serve(rules)
	w.happen(line, "79990001122@c.us", 1)
	w.run()
	r.wants(1)
	if n := rules.early.Load(); n != 0 {
		t.Errorf("%d POSTs when another process may deliver", n)
	}
}

// longLook finds the first event when the right to deliver is over, and has it renewed some
// time later.
type longLook struct {
	held
	asked func() int
	took  atomic.Bool
	early atomic.Int64
}

func (l *longLook) NextCallback(ctx context.Context, id, after int64) (*crm.CallbackNext, error) {
	next, err := l.Service.NextCallback(ctx, id, after)
	if err == nil && next.Event != nil && l.took.CompareAndSwap(false, true) {
		l.mu.Lock()
		<-time.After(700 * time.Millisecond)
		time.AfterFunc(300*time.Millisecond, func() {
			l.early.Add(int64(l.asked()))
			l.mu.Unlock()
		})
	}
	return next, err
}

// TestTwoGapsAreTold has two gaps, one behind the other, while the database takes no reports:
// both are told of.
func TestTwoGapsAreTold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		w.happen(line, "79990001122@c.us", 2)
		w.prune()
		w.append(crmtest.CompanyID, "chatStatus", line.Channel(), `{}`, 1)
		w.happen(line, "79990001122@c.us", 1)
		rules := &failing{Service: w.Service}
		rules.reports.Store(3)
		w.hooks.Serve(rules)
		w.run()
		r.wants(4)
		w.await(d.ID, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 4 })
		log := w.deliveries(d.ID)
		if len(log) != 3 || log[0].Reason != "lost" || log[0].EventID != 1 || log[0].ToID != 2 || log[1].Reason != "unreadable" || log[1].EventID != 3 {
			t.Errorf("the log has %+v", log)
		}
		w.prune() // with the entry that is no event
	})
}

// TestReportedLater has the database take no report when a URL has got all that there is: it gets
// nothing again when there is more.
func TestReportedLater(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		w.happen(line, "79990001122@c.us", 3)
		rules := &failing{Service: w.Service}
		rules.reports.Store(1)
		w.hooks.Serve(rules)
		w.run()
		r.wants(1, 2, 3)
		testwait.Count(t, "reports in vain", 1, func() int { return 1 - int(max(0, rules.reports.Load())) })
		w.happen(line, "79990001122@c.us", 1)
		r.wants(1, 2, 3, 4)
		w.await(d.ID, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 4 })
	})
}

// failing fails as often as the numbers say.
type failing struct {
	*crm.Service
	looks, reports atomic.Int64
}

var errAway = errors.New("the database is away")

func (f *failing) NextCallback(ctx context.Context, id, after int64) (*crm.CallbackNext, error) {
	if f.looks.Add(-1) >= 0 {
		return nil, errAway
	}
	return f.Service.NextCallback(ctx, id, after)
}

func (f *failing) ReportCallback(ctx context.Context, owner string, r crm.CallbackReport) (bool, error) {
	if f.reports.Add(-1) >= 0 {
		return false, errAway
	}
	return f.Service.ReportCallback(ctx, owner, r)
}

// TestNoPlaceForTheDatabase checks that a URL that waits for the database has no place to
// post: others need it.
func TestNoPlaceForTheDatabase(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{})
	r := newReceiver(t)
	d := w.set(line, crm.CallbackInput{URL: r.url})
	r.secret = d.Secret
	rules, waits := &failing{Service: w.Service}, &onWait{Handler: slog.DiscardHandler}
	rules.looks.Store(1)
	w.hooks.Log = slog.New(waits)
	waits.then = func() { waits.taken.Add(int64(w.hooks.Posting())) }
	w.hooks.Serve(rules)
	w.happen(line, "79990001122@c.us", 1)
	w.run()
	r.wants(1)
	testwait.Count(t, "waits", 1, func() int { return int(waits.n.Load()) })
	if n := waits.taken.Load(); n != 0 {
		t.Errorf("it waits with %d places", n)
	}
}

// onWait calls then when a URL begins to wait for the database.
type onWait struct {
	slog.Handler
	then     func()
	n, taken atomic.Int64
}

func (h *onWait) Enabled(context.Context, slog.Level) bool { return true }

func (h *onWait) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "a callback URL waits") {
		h.then()
		h.n.Add(1)
	}
	return nil
}
