package webhook_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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

// TestLiveAfterAChange has a live event wait for an endpoint that hangs, which is changed meanwhile: the
// event goes where the endpoint is then, or nowhere.
func TestLiveAfterAChange(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		p := quick()
		p.Timeout = testwait.Long
		w := newWorld(t, store, webhook.Options{
			Timeout: testwait.Long, Lease: 4 * testwait.Long, Formats: map[string]crm.CallbackFormat{formatOfTests: &parts{n: 1, policy: p}},
		})
		w.run()
		change := func(c crm.EndpointChanges) func(*crm.Endpoint) error {
			return func(e *crm.Endpoint) error {
				_, err := w.ChangeEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID, c)
				return err
			}
		}
		moved := newTaker(t, nil)
		for name, do := range map[string]func(*crm.Endpoint) error{
			"moved":   change(crm.EndpointChanges{URL: crm.Value(moved.url)}),
			"off":     change(crm.EndpointChanges{Enabled: crm.Value(false)}),
			"removed": func(e *crm.Endpoint) error { return w.DeleteEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID) },
		} {
			came, let := make(chan struct{}, 9), make(chan struct{})
			free := sync.OnceFunc(func() { close(let) })
			r := newTaker(t, nil)
			hangs := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
				came <- struct{}{}
				<-let
				r.ServeHTTP(rw, req)
			}))
			t.Cleanup(hangs.Close)
			t.Cleanup(free)
			e := w.endpoint(hangs.URL)
			live := func() {
				w.hooks.Live(crmtest.CompanyID, crm.CallbackEvent{Name: "chatPresence", Body: []byte("{}"), Line: line, At: time.Now()})
			}
			live()
			<-came
			live()
			testwait.Count(t, "events that wait", 1, func() int { n, _ := w.hooks.LiveQueued(); return n })
			if err := do(e); err != nil {
				t.Fatal(err)
			}
			free()
			testwait.Count(t, "lanes that are done", 1, func() int { _, busy := w.hooks.LiveQueued(); return 1 - busy })
			if got := r.got(); !slices.Equal(got, []string{"0.0"}) {
				t.Errorf("%s: the old URL got %v", name, got)
			}
			if got := moved.got(); (len(got) == 1) != (name == "moved") {
				t.Errorf("%s: the new URL got %v", name, got)
			}
			if name == "moved" {
				moved.mu.Lock()
				moved.bodies = nil
				moved.mu.Unlock()
				if err := w.DeleteEndpoint(t.Context(), w.Owner, formatOfTests, e.PublicID); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestLiveBesideDeadEndpoints checks that an endpoint gets what is not in the journal while others of its
// company hang: those that failed before, and callback URLs.
func TestLiveBesideDeadEndpoints(t *testing.T) {
	p := quick()
	p.Timeout = testwait.Long
	o := patient
	o.Formats = map[string]crm.CallbackFormat{formatOfTests: &parts{n: 1, policy: p}}
	w := newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), o)
	h, r := newHanging(t), newTaker(t, nil)
	h.first = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }
	for i := range 5 { // more than places of a company
		on := w.newLine(t, fmt.Sprintf("hangs%d", i))
		w.set(on, crm.CallbackInput{URL: fmt.Sprintf("%s/callback%d", h.url, i)})
		w.happen(on, "100", 1)
	}
	w.run()
	h.hang(t, 4)
	var dead []*crm.Endpoint
	for i := range 5 {
		dead = append(dead, w.endpoint(fmt.Sprintf("%s/live%d", h.url, i)))
	}
	w.endpoint(r.url)
	live := func() {
		w.hooks.Live(crmtest.CompanyID, crm.CallbackEvent{Name: "chatPresence", Body: []byte("{}"), Line: line, At: time.Now()})
	}
	live()
	r.wants(t, "0.0")
	for _, e := range dead {
		testwait.Count(t, "failed attempts", 1, func() int { return len(w.deliveries(e.ID)) })
	}
	live()
	r.wants(t, "0.0", "0.0")
}

// TestLiveOfManyCompanies checks that a company in which much is typed leaves room for the events of
// others.
func TestLiveOfManyCompanies(t *testing.T) {
	w := newFormatWorld(t, testdb.Open(t, testdb.SQLiteURL(t)), &parts{n: 1, policy: quick()})
	ev := crm.CallbackEvent{Name: "chatPresence", Body: []byte("{}"), Line: line, At: time.Now()}
	for range 3000 {
		w.hooks.Live(crmtest.CompanyID, ev)
	}
	of := w.hooks.LiveWaiting()
	w.hooks.Live(crmtest.StrangeCompany, ev)
	if n := w.hooks.LiveWaiting(); of == 0 || of > 500 || n != of+1 {
		t.Errorf("%d events of one company wait, and %d with one of another", of, n)
	}
}
