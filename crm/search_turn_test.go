package crm_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// TestSearchesLeaveConnections starts more searches than there are connections, while
// something keeps all of them waiting. Others can still read, and the searches end.
func TestSearchesLeaveConnections(t *testing.T) {
	url := testdb.PostgresURL(t)
	store := testdb.Open(t, url)
	w := crmtest.New(t, store)
	w.SearchTime = testwait.Scaled(3 * time.Second)
	ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "word", crmtest.Start)}})
	waiting := testdb.LockTable(t, url, "message_search")

	ctx, most := t.Context(), store.Readers()/2
	ends := make(chan string, 2*store.Readers())
	for range cap(ends) {
		go func() {
			_, err := w.SearchMessages(ctx, w.Owner, onGr, crm.SearchQuery{Search: "word"})
			if e := (*crm.Error)(nil); errors.As(err, &e) && e.Code == crm.CodeUnavailable {
				ends <- e.Message
			} else {
				ends <- fmt.Sprint(err)
			}
		}()
	}
	testwait.Count(t, "searches at once", most, waiting)
	if _, err := w.Chats(ctx, w.Owner, onGr, crm.ChatQuery{}); err != nil {
		t.Errorf("a list of chats meanwhile: %v", err)
	}
	if n := waiting(); n > most {
		t.Errorf("%d of %d connections search", n, store.Readers())
	}
	got := map[string]int{}
	for range cap(ends) {
		got[<-ends]++
	}
	want := map[string]int{
		"too many searches run at once; try again later":                     cap(ends) - most,
		"the search takes too long; search for a rarer word, or in one chat": most,
	}
	if !maps.Equal(got, want) {
		t.Errorf("the searches end with %v, want %v", got, want)
	}
}
