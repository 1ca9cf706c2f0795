package webhook_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestDelivery checks what goes over the wire, and to whom.
func TestDelivery(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		w.run()
		w.happen(line, "79990001122@c.us", 2) // of before
		all, ann, company := newReceiver(t), newReceiver(t), newReceiver(t)
		other := crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}
		all.secret = w.set(line, crm.CallbackInput{URL: all.url}).Secret
		w.Tx(t, func(tx *models.Tx) error {
			_, err := tx.EnsureChat(&models.Chat{
				CompanyID: crmtest.CompanyID, LicenseID: other.LicenseID, MessengerType: other.Messenger,
				ExternalID: "79990001122@c.us", Hash: "h", Type: models.ChatPrivate, Status: models.ChatOpen,
			})
			return err
		})
		made := w.set(other, crm.CallbackInput{URL: ann.url + "/hidden-word", Events: []string{"chatStatus"}, Chats: []string{"79990001122"}})
		ann.secret = made.Secret
		of, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: company.url})
		if err != nil {
			t.Fatal(err)
		}
		company.secret = of.Secret

		w.happen(line, "79990001122@c.us", 1)  // 3
		w.happen(other, "79990003344@c.us", 1) // 4
		w.happen(other, "79990001122@c.us", 1) // 5
		w.append(crmtest.CompanyID, "employeeWorkday", channels.CompanyName(crmtest.CompanyID),
			`{"payload":{"data":[{"type":"start","employee":{"id":687}}],"meta":{"type":"employeeWorkday","companyId":2224}}}`, 1) // 6
		strange := crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"}
		w.append(crmtest.StrangeCompany, "chatStatus", strange.Channel(),
			`{"payload":{"data":[{"type":"open","chat":{"id":"79990001122@c.us"},"edited":null}],"meta":{"type":"chatStatus","licenseId":3001,"messengerType":"grWhatsApp"}}}`, 1)
		w.happen(line, "79990003344@c.us", 1) // 8
		all.wants(3, 8)
		ann.wants(5)
		company.wants(3, 4, 5, 6, 8)
		const want = `{"data":[{"type":"open","chat":{"id":"79990001122@c.us"},"edited":null}],"meta":{"type":"chatStatus","licenseId":1229,"messengerType":"grWhatsApp","eventId":3}}`
		if all.bodies[0] != want || all.header.Get("Content-Type") != "application/json" {
			t.Errorf("the body is\n%s, want\n%s", all.bodies[0], want)
		}
		if made.Secret == "" || w.set(other, crm.CallbackInput{URL: ann.url}).Secret != "" || w.status(made.ID).Secret != "" {
			t.Error("the secret is shown once, when it is made")
		}
		for _, hidden := range []string{"hidden-word", made.Secret, strings.TrimPrefix(made.Secret, "whsec_")} {
			if strings.Contains(w.log.String(), hidden) {
				t.Errorf("the log has %q:\n%s", hidden, w.log)
			}
		}
	})
}

// TestNothingIsLost posts many events to a receiver that fails for one in ten, and
// hangs for one in a hundred: each arrives, in order. Another line waits for none of it.
func TestNothingIsLost(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		n := 2000
		if !strings.HasSuffix(t.Name(), "sqlite") {
			n = 500
		}
		w := newWorld(t, store, webhook.Options{Timeout: 100 * time.Millisecond, Lease: 10 * time.Second})
		flaky, well := newReceiver(t), newReceiver(t)
		flaky.answer = func(rw http.ResponseWriter, r *http.Request, _ int) bool {
			switch {
			case rand.N(100) == 0:
				<-r.Context().Done()
				return false
			case rand.N(10) == 0:
				rw.WriteHeader(500)
				return false
			}
			return true
		}
		d := w.set(line, crm.CallbackInput{URL: flaky.url})
		flaky.secret = d.Secret
		second := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		well.secret = w.set(second, crm.CallbackInput{URL: well.url}).Secret
		w.happen(line, "79990001122@c.us", n)
		w.happen(second, "100", 1)
		w.run()
		well.wants(int64(n + 1))
		if got := len(flaky.once()); got >= n {
			t.Errorf("the other line waited for %d events", got)
		}
		flaky.wants(span(1, int64(n))...)
		got := w.await(d.ID, "all are done with", func(d crm.CallbackData) bool { return d.LastEventID >= int64(n) })
		if got.State != crm.CallbackActive || got.Lost != nil {
			t.Errorf("in the end it is %+v", got)
		}
		failed, after := true, 0
		page, err := w.CallbackDeliveries(t.Context(), w.Owner, d.ID, crm.CallbackLogQuery{Failed: &failed, PageQuery: crm.PageQuery{Limit: 100}})
		if err != nil || len(page.Items) == 0 || page.Items[0].OK {
			t.Fatalf("the failed attempts are %+v, %v", page, err)
		}
		for next := ""; ; after++ {
			page, err := w.CallbackDeliveries(t.Context(), w.Owner, d.ID, crm.CallbackLogQuery{PageQuery: crm.PageQuery{Limit: 100, NextPage: next}})
			if err != nil {
				t.Fatal(err)
			}
			if page.NextPage == nil {
				break
			}
			next = *page.NextPage
		}
		if after+1 > 2*crm.CallbackLogSize/100 { // what was taken, and what was not
			t.Errorf("the log has %d pages", after+1)
		}
	})
}

// TestRewind checks that a rewind to an event or a time gives exactly the rest, and that a
// dry run moves nothing.
func TestRewind(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		w.run()
		r, dry := newReceiver(t), newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret, dry.secret = d.Secret, d.Secret
		w.happen(line, "79990001122@c.us", 20)
		w.Clock.Advance(time.Hour)
		w.happen(line, "79990001122@c.us", 20)
		r.wants(span(1, 40)...)

		rewind := func(in crm.CallbackRewind) error {
			t.Helper()
			r.forget()
			_, err := w.RewindCallback(t.Context(), w.Owner, d.ID, in)
			return err
		}
		if err := rewind(crm.CallbackRewind{EventID: crm.Value[int64](30)}); err != nil {
			t.Fatal(err)
		}
		r.wants(span(31, 40)...)
		if err := rewind(crm.CallbackRewind{Time: crm.Value[int64](crmtest.Start + 3600)}); err != nil {
			t.Fatal(err)
		}
		r.wants(span(21, 40)...)
		if err := rewind(crm.CallbackRewind{EventID: crm.Value[int64](35), URL: crm.Value(dry.url)}); err != nil {
			t.Fatal(err)
		}
		dry.wants(span(36, 40)...)
		got := w.await(d.ID, "the dry run is done", func(d crm.CallbackData) bool { return d.DryRun != nil && d.DryRun.State == crm.CallbackDone })
		w.happen(line, "79990001122@c.us", 1)
		r.wants(41)
		dry.wants(span(36, 40)...)
		if got.LastEventID < 40 || got.DryRun.URL != dry.url || got.DryRun.UntilEventID != 40 {
			t.Errorf("it is %+v", got)
		}
		kinds := map[string]int{}
		for _, e := range w.deliveries(d.ID) {
			kinds[e.Kind]++
		}
		if kinds["dryRun"] != 5 || kinds["event"] < 70 {
			t.Errorf("the log has %v", kinds)
		}
		for field, in := range map[string]crm.CallbackRewind{
			"eventId": {EventID: crm.Value[int64](42)}, "time": {Time: crm.Value[int64](-1)}, "url": {EventID: crm.Value[int64](1), URL: crm.Value("ftp://x")},
		} {
			var e *crm.Error
			if err := rewind(in); !errors.As(err, &e) || e.Fields[field] == "" {
				t.Errorf("%+v: %v", in, err)
			}
		}
		if e, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, 7); err != nil || !e.OK || e.Kind != "redelivery" || *e.Status != 200 {
			t.Errorf("redelivered: %+v, %v", e, err)
		}
		r.wants(7)
	})
}

// dying is the rules of a process that is killed: it stores nothing any more.
type dying struct {
	*crm.Service
	dead atomic.Bool
}

func (d *dying) ReportCallback(ctx context.Context, owner string, r crm.CallbackReport) (bool, error) {
	if d.dead.Load() {
		return false, errors.New("killed")
	}
	return d.Service.ReportCallback(ctx, owner, r)
}

func (d *dying) ReleaseCallbacks(ctx context.Context, owner string) error {
	if d.dead.Load() {
		return errors.New("killed")
	}
	return d.Service.ReleaseCallbacks(ctx, owner)
}

// TestKilledProcess checks that events whose delivery was not stored come again, and none is
// left out, when another process takes over.
func TestKilledProcess(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		w.happen(line, "79990001122@c.us", 3)
		rules := &dying{Service: w.Service}
		first := w.newHooks(webhook.Options{Lease: 3 * time.Second, Timeout: time.Second})
		first.Serve(rules)
		stop := background(t, first.Run)
		t.Cleanup(stop)
		r.wants(1, 2, 3)
		w.await(d.ID, "three are stored", func(d crm.CallbackData) bool { return d.LastEventID == 3 })
		rules.dead.Store(true)
		w.happen(line, "79990001122@c.us", 3)
		r.wants(span(1, 6)...)
		stop()
		r.forget()
		w.hooks = w.newHooks(webhook.Options{Lease: 3 * time.Second, Timeout: time.Second})
		w.hooks.Serve(w.Service)
		w.run()
		r.wants(4, 5, 6) // when the lease of the first is over
	})
}

// TestTwoProcesses checks that of two processes one delivers, in order, and the other goes
// on when that one stops.
func TestTwoProcesses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		first := w.run()
		w.happen(line, "79990001122@c.us", 1)
		r.wants(1)
		second := w.newHooks(webhook.Options{})
		second.Serve(w.Service)
		t.Cleanup(background(t, second.Run))
		w.happen(line, "79990001122@c.us", 50)
		r.wants(span(1, 51)...)
		if len(second.Stats()) != 0 {
			t.Errorf("the second process delivers too: %+v", second.Stats())
		}
		first()
		w.happen(line, "79990001122@c.us", 50)
		r.wants(span(1, 101)...)
		if ids := r.ids(); len(ids) != 101 {
			t.Errorf("%d events came for 101", len(ids))
		}
	})
}
