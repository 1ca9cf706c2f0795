package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestScanOfAClosedPage checks that a line is linked, and customers begin, although the
// phone's page was closed while the phone scanned; and that a scan after that, and one
// that follows an unfinished one, are no failures.
func TestScanOfAClosedPage(t *testing.T) {
	var state atomic.Value
	state.Store("pairing")
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == line+"/qr" {
			fmt.Fprint(w, `{"data":{"qr":"the code"}}`)
			return
		}
		now := state.Load()
		fmt.Fprintf(w, `{"data":{"connected":%t,"state":%q,"detail":""}}`, now == "connected", now)
	}))
	defer api.Close()
	defer http.DefaultClient.CloseIdleConnections()
	page, closePage := context.WithCancel(t.Context())
	p := &phone{owner: &client{base: api.URL}, linked: make(chan struct{})}
	scans := 0
	p.use = func(ctx context.Context, code string) error {
		scans++
		closePage()
		state.Store("connected")
		return ctx.Err()
	}
	click := func(ctx context.Context) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.click(testwait.Context(t), w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/scan", http.NoBody))
		return w
	}
	click(page)
	select {
	case <-p.linked:
	default:
		t.Fatal("the customers do not begin")
	}
	if w := click(t.Context()); w.Code != http.StatusOK || scans != 1 {
		t.Errorf("one more click: %d %s, %d scans", w.Code, w.Body, scans)
	}
	p = &phone{owner: p.owner, use: p.use, linked: make(chan struct{})}
	if w := click(t.Context()); w.Code != http.StatusOK || scans != 1 {
		t.Errorf("a click after a scan that was broken off: %d %s, %d scans", w.Code, w.Body, scans)
	}
	<-p.linked
}

// TestMiaWaitsForTheChat checks that what Mia does in a chat waits for the customer's first
// message, which may still be on its way.
func TestMiaWaitsForTheChat(t *testing.T) {
	phones, err := whatsapptest.Start(whatsapptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer phones.Close()
	asked := map[string]int{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked[r.URL.Path]++; asked[r.URL.Path] == 1 {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer api.Close()
	defer http.DefaultClient.CloseIdleConnections()
	c := &customer{Contact: phones.NewContact(cast[0].phone, cast[0].hidden, cast[0].name), mia: &colleague{client: &client{base: api.URL}, texts: map[string]bool{}}}
	for i, s := range []step{tags("order"), takes(), mia("We do"), closes()} {
		if err := s.do(t.Context(), c); err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
}
