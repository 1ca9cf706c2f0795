package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
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

// hanging is an endpoint that takes POSTs and does not answer.
type hanging struct {
	url         string
	free        chan struct{} // closed when the test ends, before what it started does
	freed       sync.Once
	came, ended atomic.Int64
	first       http.HandlerFunc // answers the first POST of each path; nil: that hangs too
	empty       bool             // empty POSTs hang, and no others
}

func newHanging(t *testing.T) *hanging {
	h := &hanging{free: make(chan struct{})}
	asked := make(chan map[string]bool, 1)
	asked <- map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || (len(body) == 0) != h.empty {
			return
		}
		paths := <-asked
		first := !paths[r.URL.Path]
		paths[r.URL.Path] = true
		asked <- paths
		if first && h.first != nil {
			h.first(rw, r)
			return
		}
		h.came.Add(1)
		select {
		case <-r.Context().Done():
		case <-h.free:
		}
		h.ended.Add(1)
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

// hang waits until n POSTs hang at once.
func (h *hanging) hang(t *testing.T, n int) {
	t.Helper()
	h.freed.Do(func() { t.Cleanup(func() { close(h.free) }) })
	testwait.Count(t, "POSTs that hang", n, func() int { return int(h.came.Load() - h.ended.Load()) })
}

// newLine adds a line to the license of the company.
func (w *world) newLine(t *testing.T, name string) crm.Line {
	t.Helper()
	on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: name}
	w.Tx(t, func(tx *models.Tx) error {
		return tx.Insert(&models.Messenger{LicenseID: on.LicenseID, Type: on.Messenger, Name: on.Messenger})
	})
	return on
}

var patient = webhook.Options{Timeout: testwait.Long, Lease: 4 * testwait.Long}

// TestNobodyWaitsForAHangingURL checks that each event of a URL arrives while the POST to
// another one hangs: it waits for none of that.
func TestNobodyWaitsForAHangingURL(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, patient)
		h, r := newHanging(t), newReceiver(t)
		w.set(w.newLine(t, "hangs"), crm.CallbackInput{URL: h.url})
		r.secret = w.set(line, crm.CallbackInput{URL: r.url}).Secret
		w.run()
		w.happen(crm.Line{LicenseID: crmtest.LicenseID, Messenger: "hangs"}, "100", 1)
		h.hang(t, 1)
		for i := range int64(10) {
			w.happen(line, "79990001122@c.us", 1)
			r.wants(span(2, i+2)...)
		}
		if h.came.Load() != 1 || h.ended.Load() != 0 {
			t.Errorf("%d POSTs hung, and %d have ended", h.came.Load(), h.ended.Load())
		}
	})
}

// TestCompaniesHoldUpNoOther lets more URLs of a company hang in their first attempt than
// POSTs run at once. Another company gets its events all the same.
func TestCompaniesHoldUpNoOther(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), patient)
	h, r := newHanging(t), newReceiver(t)
	const many = 70
	for i := range many {
		on := w.newLine(t, fmt.Sprintf("hangs%d", i))
		w.set(on, crm.CallbackInput{URL: h.url})
		w.happen(on, "100", 1)
	}
	strange := crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"}
	d, err := w.SetLineCallback(t.Context(), w.Stranger, strange, crm.CallbackInput{URL: r.url})
	if err != nil {
		t.Fatal(err)
	}
	r.secret = d.Secret
	w.run()
	h.hang(t, 8)
	data := fmt.Sprintf(`{"payload":{"data":[{"type":"open","chat":{"id":"100"},"edited":null}],"meta":{"type":"chatStatus","licenseId":%d,"messengerType":%q}}}`, strange.LicenseID, strange.Messenger)
	w.append(crmtest.StrangeCompany, "chatStatus", strange.Channel(), data, 2)
	r.wants(many+1, many+2)
	if h.came.Load() != 8 || h.ended.Load() != 0 {
		t.Errorf("%d POSTs of one company hung, and %d have ended", h.came.Load(), h.ended.Load())
	}
}

// TestSlowURLsAreApart lets URLs that answer slowly, but well, hang afterwards: they have
// no place among the quick ones any more.
func TestSlowURLsAreApart(t *testing.T) {
	o := patient
	o.Slow = 20 * time.Millisecond
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), o)
	h, r := newHanging(t), newReceiver(t)
	h.first = func(http.ResponseWriter, *http.Request) { <-time.After(2 * o.Slow) }
	for i := range 9 {
		on := w.newLine(t, fmt.Sprintf("slow%d", i))
		w.set(on, crm.CallbackInput{URL: fmt.Sprintf("%s/%d", h.url, i)})
		w.happen(on, "100", 2)
	}
	r.secret = w.set(line, crm.CallbackInput{URL: r.url}).Secret
	w.run()
	h.hang(t, 4)
	w.happen(line, "79990001122@c.us", 1)
	r.wants(19)
	if h.came.Load() != 4 || h.ended.Load() != 0 {
		t.Errorf("%d POSTs hung, and %d have ended", h.came.Load(), h.ended.Load())
	}
}

// TestAskingIsBounded checks that an admin whose URLs hang when they are checked gets a 429
// for more, and people of other companies do not wait for them.
func TestAskingIsBounded(t *testing.T) {
	o := patient
	o.Wait = 10 * time.Millisecond
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), o)
	r := newReceiver(t)
	d := w.set(line, crm.CallbackInput{URL: r.url})
	r.secret = d.Secret
	w.happen(line, "79990001122@c.us", 1)
	h := newHanging(t)
	h.empty = true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := make(chan error, 2)
	for range cap(asked) {
		go func() {
			_, err := w.SetLineCallback(ctx, w.Owner, line, crm.CallbackInput{URL: h.url})
			asked <- err
		}()
	}
	h.hang(t, cap(asked))
	throttled := func(what string, err error) {
		t.Helper()
		var e *crm.Error
		if !errors.As(err, &e) || e.Code != crm.CodeThrottled || e.RetryAfter < 1 {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: r.url})
	throttled("a third URL", err)
	_, err = w.RewindCallback(t.Context(), w.Owner, d.ID, crm.CallbackRewind{EventID: crm.Value[int64](0), URL: crm.Value(r.url)})
	throttled("a dry run", err)
	_, err = w.RedeliverCallback(t.Context(), w.Owner, d.ID, 1)
	throttled("a redelivery", err)
	if got := w.deliveries(d.ID); len(got) != 0 {
		t.Errorf("the log has %+v", got)
	}
	if _, err := w.SetCompanyCallback(t.Context(), w.Stranger, crmtest.StrangeCompany, crm.CallbackInput{URL: r.url}); err != nil {
		t.Errorf("another company: %v", err)
	}
	cancel()
	for range cap(asked) {
		if err := <-asked; err == nil {
			t.Error("a URL that hangs was taken")
		}
	}
	if _, err := w.RedeliverCallback(t.Context(), w.Owner, d.ID, 1); err != nil || !slices.Equal(r.ids(), []int64{1}) {
		t.Errorf("afterwards: %v, %v", err, r.ids())
	}
}
