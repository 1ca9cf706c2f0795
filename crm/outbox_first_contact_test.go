package crm_test

import (
	"errors"
	"fmt"
	"strings"
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

// coldness returns the messages that wait in the outbox, the first messages in capitals.
func coldness(t *testing.T, w *crmtest.World) string {
	t.Helper()
	var list []string
	for _, item := range outbox(t, w) {
		if item.Kind != crm.OutMessage {
			continue
		}
		text := item.Message.Content.Text
		if item.FirstContact {
			text = strings.ToUpper(text)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// TestNextFirstContact checks that a chat has a first message as long as nothing has reached
// the person: when it is deleted, fails or expires, the next one becomes the first. It
// stops when the person has written, or one of ours was taken.
func TestNextFirstContact(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		want := func(what, want string) {
			t.Helper()
			if got := coldness(t, w); got != want {
				t.Errorf("%s, %q waits and not %q", what, got, want)
			}
		}
		a := sendText(t, w, anna, "a")
		sendText(t, w, anna, "b")
		sendText(t, w, anna, "c")
		want("at first", "A b c")
		if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, anna), a); err != nil {
			t.Fatal(err)
		}
		want("after a deletion", "B c")
		done(t, w, start(t, w, outbox(t, w)[0].ID), crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "rejected", Message: "no"}})
		want("after a failure", "C")
		sendText(t, w, anna, "d")
		want("with another", "C d")
		w.Clock.Advance(crm.DefaultSendWithin / 2)
		sendText(t, w, anna, "e")
		w.Clock.Advance(crm.DefaultSendWithin / 2)
		if _, err := w.ExpireOutbox(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("after c and d expired", "E")
		begun := start(t, w, outbox(t, w)[0].ID)
		sendText(t, w, anna, "f")
		if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, anna), begun.Message.ID); err != nil {
			t.Fatal(err)
		}
		want("while e is under way and was deleted", "F")
		done(t, w, begun, crm.Outcome{Status: crm.OutSent})
		want("after e was sent all the same", "f")
		sendText(t, w, anna, "g")
		want("then", "f g")

		bea := "79990003344"
		sendText(t, w, bea, "h")
		failed := outbox(t, w)
		done(t, w, start(t, w, failed[len(failed)-1].ID), crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "rejected", Message: "no"}})
		sendText(t, w, bea, "i")
		want("after a failure with nothing behind it", "f g I")
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("B1", bea, "who are you?", crmtest.Start)}})
		want("after the person wrote", "f g i")
		setState(t, w, crm.LineState{State: crm.StateLoggedOut, Device: text("")})
		want("after the account was logged out", "")
	})
}

// TestPlacesOfFirstContacts checks that a first message which nobody began to send gives
// its place back, or leaves it to the next one, and that one which was tried keeps it.
func TestPlacesOfFirstContacts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.FirstContactsPerDay = 2
		places := func(what string, want int) {
			t.Helper()
			free := 0
			for i := range 3 {
				phone := fmt.Sprint("7999000009", i)
				sent, err := w.Send(t.Context(), w.Owner, chatAt(onGr, phone), saying("Hello"))
				if err != nil {
					break
				}
				free++
				defer func() { // gives the place back
					if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, phone), sent.ID.String()); err != nil {
						t.Error(err)
					}
				}()
			}
			if free != want {
				t.Errorf("%s, there are %d places and not %d", what, free, want)
			}
		}
		places("at first", 2)
		a := sendText(t, w, anna, "a")
		sendText(t, w, anna, "b")
		places("with a first message", 1)
		if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, anna), a); err != nil {
			t.Fatal(err)
		}
		places("when the next one is the first", 1)
		done(t, w, start(t, w, outbox(t, w)[0].ID), crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "rejected", Message: "no"}})
		places("when it was tried and failed", 1)
		sendText(t, w, anna, "c")
		places("when the same stranger is written to again", 1)
	})
}

// TestStrangersCountOnce checks that a person to whom several first messages were tried
// counts once, in the limit and in the rating, also when two chats turn out to be theirs.
func TestStrangersCountOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		failed := crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "rejected", Message: "no"}}
		tries := func(phone string) {
			t.Helper()
			sendText(t, w, phone, "Hello")
			done(t, w, start(t, w, lastOf(t, w).ID), failed)
		}
		writes := func(phone string, may bool) {
			t.Helper()
			sent, err := w.Send(t.Context(), w.Owner, chatAt(onGr, phone), saying("Hello"))
			var full *crm.Error
			if may != (err == nil) || !may && (!errors.As(err, &full) || full.Code != crm.CodeThrottled) {
				t.Fatalf("to %s: %v", phone, err)
			}
			if err == nil { // gives the place back
				err = w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, phone), sent.ID.String())
			}
			if err != nil && may {
				t.Fatal(err)
			}
		}
		for range 20 {
			tries(anna)
		}
		if _, rating := rate(t, w); rating != "ok" {
			t.Errorf("20 tries at one person make the line %q", rating)
		}
		typed, found, other := "79990003344", "79990003355", "79990003366"
		w.FirstContactsPerDay = 2
		tries(typed)
		tries(typed)
		writes(anna, true)
		writes(found, false)
		w.FirstContactsPerDay = 3
		tries(found)
		writes(other, false)
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(found + "@c.us"), Typed: idOf(typed + "@c.us")}}})
		writes(other, true)
		w.Clock.Advance(23 * time.Hour)
		tries(anna)
		w.FirstContactsPerDay = 1
		w.Clock.Advance(2 * time.Hour)
		writes(other, false) // anna was written to again in the last 24 hours
		writes(anna, true)
		w.Clock.Advance(22 * time.Hour)
		writes(other, true)
	})
}
