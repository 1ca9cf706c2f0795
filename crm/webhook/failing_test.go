package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
)

// refuses answers with the status until the test sets another one.
func refuses(r *receiver, status *int) {
	r.answer = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		r.mu.Lock()
		now := *status
		r.mu.Unlock()
		w.WriteHeader(now)
		return now == 200
	}
}

func (r *receiver) set(status *int, to int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*status = to
}

// TestSuspended checks that a URL that fails for too long is suspended, says so, and goes on
// when somebody resumes or rewinds it, without a gap.
func TestSuspended(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{SuspendAfter: 50 * time.Millisecond})
		w.run()
		r, status := newReceiver(t), 200
		refuses(r, &status)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		w.happen(line, "79990001122@c.us", 1)
		r.wants(1)
		r.set(&status, 503)
		w.happen(line, "79990001122@c.us", 2)
		suspended := func(d crm.CallbackData) bool { return d.State == crm.CallbackSuspended }
		got := w.await(d.ID, "it is suspended", suspended)
		if got.Reason == nil || *got.Reason != "answered 503" || got.Since == nil || got.LastEventID != 1 || got.Failures < 2 {
			t.Errorf("suspended, it is %+v", got)
		}
		w.happen(line, "79990001122@c.us", 1)
		r.set(&status, 200)
		r.wants(1)
		if _, err := w.ResumeCallback(t.Context(), w.Admin, d.ID); err != nil {
			t.Fatal(err)
		}
		r.wants(1, 2, 3, 4)
		if got := w.await(d.ID, "it goes on", func(d crm.CallbackData) bool { return d.LastEventID == 4 }); got.State != crm.CallbackActive || got.Reason != nil {
			t.Errorf("resumed, it is %+v", got)
		}
		r.set(&status, 410)
		w.happen(line, "79990001122@c.us", 1)
		got = w.await(d.ID, "it is gone", suspended)
		if got.Failures != 1 {
			t.Errorf("after 410 it is %+v", got)
		}
		r.set(&status, 200)
		r.forget()
		if _, err := w.RewindCallback(t.Context(), w.Admin, d.ID, crm.CallbackRewind{EventID: crm.Value[int64](3)}); err != nil {
			t.Fatal(err)
		}
		r.wants(4, 5)
	})
}

// TestGap checks that events that were removed from the journal before they were delivered
// are told of.
func TestGap(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{})
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: r.url})
		r.secret = d.Secret
		w.happen(line, "79990001122@c.us", 5)
		w.Clock.Advance(time.Hour)
		w.happen(line, "79990001122@c.us", 2)
		testwait.Count(t, "removed events", 5, func() int {
			n, err := w.Journal.Prune(t.Context(), w.Clock.Now(), 100)
			if err != nil {
				t.Fatal(err)
			}
			if first, err := w.Store.Read(t.Context()).JournalBounds(); err != nil || first.First == 6 {
				return 5
			}
			return n
		})
		w.run()
		r.wants(6, 7)
		got := w.await(d.ID, "it is done", func(d crm.CallbackData) bool { return d.LastEventID == 7 })
		if got.Lost == nil || got.Lost.From != 1 || got.Lost.To != 5 {
			t.Errorf("the gap is %+v", got.Lost)
		}
		if e := w.deliveries(d.ID)[0]; e.Kind != "lost" || e.EventID != 1 || e.ToID != 5 || e.OK || e.Reason != "lost" {
			t.Errorf("the log has %+v", e)
		}
		var e *crm.Error
		for field, in := range map[string]crm.CallbackRewind{"eventId": {EventID: crm.Value[int64](4)}, "time": {Time: crm.Value[int64](crmtest.Start)}} {
			if _, err := w.RewindCallback(t.Context(), w.Owner, d.ID, in); !errors.As(err, &e) || !strings.Contains(e.Fields[field], " 5 ") && !strings.HasSuffix(e.Fields[field], " 5 is kept") {
				t.Errorf("a rewind too far: %v", err)
			}
		}
	})
}

// TestQuietURL checks that a URL that wants nothing of what happens has no gap when that is
// removed.
func TestQuietURL(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{Retention: 4 * time.Millisecond})
	w.run()
	r := newReceiver(t)
	d := w.set(line, crm.CallbackInput{URL: r.url, Events: []string{"message"}})
	w.happen(line, "79990001122@c.us", 5)
	w.await(d.ID, "the cursor follows", func(d crm.CallbackData) bool { return d.LastEventID == 5 })
}

// TestChangesCountAtOnce checks that a change cuts the delivery that is on its way, and that
// the event goes to the new URL; a removed URL or line gets nothing more.
func TestChangesCountAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store, webhook.Options{Timeout: testwait.Long, Lease: 4 * testwait.Long})
		w.run()
		came, left := make(chan int, 9), make(chan int, 9)
		hang := newReceiver(t)
		hang.answer = func(_ http.ResponseWriter, r *http.Request, nth int) bool {
			came <- nth
			<-r.Context().Done()
			left <- nth
			return false
		}
		expect := func(what string, c chan int) {
			t.Helper()
			select {
			case <-c:
			case <-time.After(testwait.Long):
				t.Fatalf("%s did not come\n%s", what, w.log)
			}
		}
		r := newReceiver(t)
		d := w.set(line, crm.CallbackInput{URL: hang.url})
		r.secret, hang.secret = d.Secret, d.Secret
		w.happen(line, "79990001122@c.us", 1)
		expect("the event", came)
		w.set(line, crm.CallbackInput{URL: r.url})
		expect("the end", left)
		r.wants(1)

		w.set(line, crm.CallbackInput{URL: hang.url})
		w.happen(line, "79990001122@c.us", 1)
		expect("the event", came)
		w.set(line, crm.CallbackInput{URL: r.url, Events: []string{"message"}})
		expect("the end", left)
		w.await(d.ID, "the event is not wanted", func(d crm.CallbackData) bool { return d.LastEventID == 2 })
		r.wants(1)

		w.set(line, crm.CallbackInput{URL: hang.url})
		w.happen(line, "79990001122@c.us", 1)
		expect("the event", came)
		if err := w.DeleteLineCallback(t.Context(), w.Owner, line); err != nil {
			t.Fatal(err)
		}
		expect("the end", left)

		second := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		hang.mu.Lock()
		hang.secret = w.set(second, crm.CallbackInput{URL: hang.url}).Secret
		hang.mu.Unlock()
		w.happen(second, "100", 1)
		expect("the event", came)
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, second.LicenseID, second.Messenger); err != nil {
			t.Fatal(err)
		}
		expect("the end", left)
		if list, err := w.CallbackURLs(t.Context(), w.Owner, 0); err != nil || len(list) != 0 {
			t.Errorf("there are still %+v, %v", list, err)
		}
	})
}

// TestHangingURLsHoldUpNobody lets more URLs hang than POSTs of a company run at once, after a first
// failure: another one gets its events all the same.
func TestHangingURLsHoldUpNobody(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{Timeout: testwait.Long, Lease: 4 * testwait.Long})
	var mu sync.Mutex
	asked, hanging := map[string]int{}, 0
	hang := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil || r.ContentLength == 0 {
			return
		}
		mu.Lock()
		asked[r.URL.Path]++
		first := asked[r.URL.Path] == 1
		if !first {
			hanging++
		}
		mu.Unlock()
		if first {
			rw.WriteHeader(500)
			return
		}
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close)
	const many = 70 // more than POSTs run at once
	for i := range many {
		on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: fmt.Sprintf("hanging%d", i)}
		w.Tx(t, func(tx *models.Tx) error {
			return tx.Insert(&models.Messenger{LicenseID: on.LicenseID, Type: on.Messenger, Name: on.Messenger})
		})
		w.set(on, crm.CallbackInput{URL: hang.URL + "/" + on.Messenger})
		w.happen(on, "100", 1)
	}
	r := newReceiver(t)
	r.secret = w.set(line, crm.CallbackInput{URL: r.url}).Secret
	w.run()
	testwait.Count(t, "URLs that fail", many, func() int { mu.Lock(); defer mu.Unlock(); return len(asked) })
	testwait.Count(t, "URLs that hang", 4, func() int { mu.Lock(); defer mu.Unlock(); return hanging })
	w.happen(line, "79990001122@c.us", 20)
	r.wants(span(many+1, many+20)...)
}

// TestPrivateTargets checks that addresses that are not public are neither accepted nor
// dialled, and that redirects are not followed.
func TestPrivateTargets(t *testing.T) {
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), webhook.Options{})
	asked := make(chan string, 100)
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	t.Cleanup(inside.Close)
	away := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	var e *crm.Error
	if _, err := w.SetLineCallback(t.Context(), w.Owner, line, crm.CallbackInput{URL: away.URL + "/hidden-word"}); !errors.As(err, &e) || !strings.Contains(e.Fields["url"], "redirects are not followed") || strings.Contains(e.Message, "hidden-word") {
		t.Errorf("a redirect: %v", err)
	}
	d := w.set(line, crm.CallbackInput{URL: inside.URL + "/hidden-word"}) // while it is allowed
	<-asked
	guarded := webhook.New(webhook.Options{Log: slog.New(slog.NewTextHandler(w.log, nil)), Retry: time.Millisecond})
	guarded.Serve(w.Service)
	w.Callbacks = guarded
	for _, host := range []string{inside.URL, strings.Replace(inside.URL, "127.0.0.1", "localhost", 1), "http://169.254.169.254", "http://[::1]:80", "http://10.0.0.1"} {
		if _, err := w.SetLineCallback(t.Context(), w.Owner, line, crm.CallbackInput{URL: host + "/hidden-word"}); !errors.As(err, &e) || !strings.Contains(e.Fields["url"], "has not: the address is private") {
			t.Errorf("%s: %v", host, err)
		}
	}
	t.Cleanup(background(t, guarded.Run))
	w.happen(line, "79990001122@c.us", 1)
	got := w.await(d.ID, "it fails", func(d crm.CallbackData) bool { return d.Failures > 1 })
	if got.Reason == nil || !strings.Contains(*got.Reason, "private") || w.deliveries(d.ID)[0].Reason != "private_target" {
		t.Errorf("it is %+v", got)
	}
	if len(asked) > 0 {
		t.Errorf("%s was asked for", <-asked)
	}
	if strings.Contains(w.log.String(), "hidden-word") {
		t.Errorf("the log has the URL:\n%s", w.log)
	}
}
