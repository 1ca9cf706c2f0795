package crm_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestFirstContacts checks that a line writes first to as many people as it may, and no
// more. People who wrote to it, or were written to already, do not count.
func TestFirstContacts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.FirstContactsPerDay = 2
		writes := func(phone string) error {
			_, err := w.Send(t.Context(), w.Owner, chatAt(onGr, phone), saying("Hello"))
			return err
		}
		sendText(t, w, "79990000001", "Hello")
		w.Clock.Advance(time.Hour)
		sendText(t, w, "79990000002", "Hello")
		sendText(t, w, "79990000001", "Are you there?")
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		sendText(t, w, anna, "Hi, Anna")
		var full *crm.Error
		if err := writes("79990000003"); !errors.As(err, &full) || full.Code != crm.CodeThrottled || full.RetryAfter != 23*60*60 {
			t.Fatalf("the third stranger: %v, %+v", err, full)
		}
		if page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{}); err != nil || len(page.Items) != 3 {
			t.Errorf("%d chats, %v: the one that was refused must not be there", len(page.Items), err)
		}
		if err := writes("79990000003"); err == nil {
			t.Error("asked again, it is let through")
		}
		w.Clock.Advance(23 * time.Hour)
		if err := writes("79990000003"); err != nil {
			t.Errorf("a day after the first: %v", err)
		}
		if err := writes("79990000004"); !errors.As(err, &full) || full.RetryAfter != 60*60 {
			t.Errorf("then the next: %v", err)
		}
		w.FirstContactsPerDay = 0
		for i := range 3 {
			if err := writes(fmt.Sprint("7999000001", i)); err != nil {
				t.Errorf("without a limit: %v", err)
			}
		}
	})
}

// TestFirstContactsAtOnce checks that concurrent first contacts get exactly the places
// that there are.
func TestFirstContactsAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.FirstContactsPerDay = 3
		var took atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				_, err := w.Send(t.Context(), w.Owner, chatAt(onGr, fmt.Sprint("7999000000", i)), saying("Hello"))
				var full *crm.Error
				switch {
				case err == nil:
					took.Add(1)
				case !errors.As(err, &full) || full.Code != crm.CodeThrottled:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took.Load() != 3 {
			t.Errorf("%d strangers were written to", took.Load())
		}
	})
}
