package webhook_test

import (
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
