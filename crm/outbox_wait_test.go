package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// due returns the texts of the messages that may be sent now, in their order.
func due(t *testing.T, w *crmtest.World) (texts []string) {
	t.Helper()
	items, err := w.Outbox(t.Context(), onGr, w.Clock.Now(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		texts = append(texts, item.Message.Content.Text)
	}
	return texts
}

func wantDue(t *testing.T, w *crmtest.World, what string, want ...string) {
	t.Helper()
	if got := due(t, w); !slices.Equal(got, want) {
		t.Errorf("%s, %q are due and not %q", what, got, want)
	}
}

var careful = crm.SendError{Code: "guarded", Message: "careful"}

func holdFirst(t *testing.T, w *crmtest.World, until time.Time, inTurn bool) {
	t.Helper()
	if err := w.OutboxHold(t.Context(), onGr, until, inTurn, careful); err != nil {
		t.Fatal(err)
	}
}

// TestHeldFirstMessages checks that first messages wait together, or in turn in the order
// in which they were accepted, that what is behind them in their chats waits with them, and
// that answers do not.
func TestHeldFirstMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		stranger := func(i int) string { return fmt.Sprint("7999000000", i) }
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		for i := range 3 {
			sendText(t, w, stranger(i), fmt.Sprint("first ", i))
			sendText(t, w, stranger(i), fmt.Sprint("second ", i))
		}
		sendText(t, w, anna, "answer")
		wantDue(t, w, "at first", "first 0", "second 0", "first 1", "second 1", "first 2", "second 2", "answer")
		holdFirst(t, w, w.Clock.Now().Add(time.Hour), false)
		wantDue(t, w, "held for an hour", "answer")
		sendText(t, w, stranger(0), "third 0")
		sendText(t, w, stranger(3), "first 3")
		wantDue(t, w, "with a new one", "answer", "first 3")
		holdFirst(t, w, w.Clock.Now().Add(time.Minute), true)
		sendText(t, w, anna, "another")
		wantDue(t, w, "held in turn", "answer", "another")
		w.Clock.Advance(time.Hour)
		if n, err := w.ExpireOutbox(t.Context()); n != 2 || err != nil {
			t.Errorf("%d messages expired, %v", n, err) // the answers
		}
		wantDue(t, w, "an hour later", "first 0", "second 0", "first 1", "second 1", "first 2", "second 2", "third 0")
		gate := w.Clock.Now().Add(time.Minute)
		holdFirst(t, w, gate, true)
		wantDue(t, w, "held in turn then")
		var until []time.Time
		for _, item := range outbox(t, w) {
			if item.FirstContact {
				until = append(until, item.NotBefore)
			}
			if item.Deadline.Sub(item.NotBefore) < crm.DefaultSendWithin {
				t.Errorf("%q waits until %v and fails at %v", item.Message.Content.Text, item.NotBefore, item.Deadline)
			}
		}
		if len(until) != 4 || !until[0].Equal(gate) {
			t.Fatalf("they wait until %v", until)
		}
		for i, at := range until[1:3] {
			if gap := at.Sub(until[i]); gap < time.Minute || gap > 90*time.Second {
				t.Errorf("message %d waits %v for the one before it", i+1, gap)
			}
		}
		if gap := until[3].Sub(crmtestStart.Add(time.Hour)); gap < time.Minute || gap > 90*time.Second {
			t.Errorf("the new one waits %v for those that waited before it", gap)
		}
	})
}

var crmtestStart = time.Unix(crmtest.Start, 0)

// TestManyHeldFirstMessages checks that first messages go in their order when there are more
// than get a time of their own at once.
func TestManyHeldFirstMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const many = 130
		park(t, w, many)
		holdFirst(t, w, w.Clock.Now().Add(time.Minute), true)
		wantDue(t, w, "held in turn")
		var sent []int64
		for range many {
			next, err := w.OutboxNext(t.Context(), onGr, w.Clock.Now())
			if err != nil || next.IsZero() {
				t.Fatalf("the next is due at %v, %v", next, err)
			}
			w.Clock.Advance(next.Sub(w.Clock.Now()))
			items, err := w.Outbox(t.Context(), onGr, w.Clock.Now(), 0, 100)
			if err != nil || len(items) == 0 {
				t.Fatalf("%d items are due at %v, %v", len(items), next, err)
			}
			sent = append(sent, items[0].ID)
			if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.DeleteOutbox(items[0].ID) }); err != nil {
				t.Fatal(err)
			}
			if len(items) > 1 {
				now := w.Clock.Now()
				holdFirst(t, w, now.Add(crm.Pace(now)), true)
			}
		}
		if !slices.IsSorted(sent) || sent[len(sent)-1]-sent[0] != int64(len(sent)-1) {
			t.Errorf("they go in the order %v", sent)
		}
	})
}

// park puts n first messages to strangers into the outbox.
func park(t *testing.T, w *crmtest.World, n int) {
	t.Helper()
	for i := range n {
		sendText(t, w, fmt.Sprint(79990000000+i), "Hello")
	}
}

// TestLoggedOutWithManyMessages checks that all waiting messages fail when the account is
// logged out, with a reason and an event each, although one transaction does not change
// them all, and that nothing of it touches what is sent after the next pairing.
func TestLoggedOutWithManyMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const many = 150
		park(t, w, many)
		holdFirst(t, w, w.Clock.Now().Add(time.Hour), false)
		mark := w.Mark(t)
		setState(t, w, crm.LineState{State: crm.StateLoggedOut, Device: text("")})
		if n := len(outbox(t, w)); n == many || n == 0 {
			t.Errorf("%d messages wait after the transaction", n)
		}
		setState(t, w, crm.LineState{State: crm.StateConnected, Device: text("2:1@s.whatsapp.net"), Phone: text("79990000000")})
		last := fmt.Sprint(79990000000 + many - 1)
		sendText(t, w, last, "Hello again")
		for n := 1; n > 0; {
			var err error
			if n, err = w.ExpireOutbox(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		told := 0
		for _, ev := range w.EventsAfter(t, mark, crm.EventMessageStatus) {
			for _, item := range ev.Items(t) {
				if s := string(item); strings.Contains(s, `"type":"failed"`) && strings.Contains(s, `"code":"logged_out"`) {
					told++
				}
			}
		}
		if left := coldness(t, w); told != many || left != "HELLO AGAIN" {
			t.Errorf("%d failures are told, %q waits", told, left)
		}
	})
}

// TestMergedWhileParked checks that what waits for a stranger is an answer when the chat is
// joined with one in which the person has written, and that two first messages become one.
func TestMergedWhileParked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		hidden := "100200300@lid"
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", hidden, "Hi", crmtest.Start)}})
		sendText(t, w, anna, "a")
		holdFirst(t, w, w.Clock.Now().Add(time.Hour), false)
		wantDue(t, w, "held")
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(anna), LID: idOf(hidden)}}})
		if got := coldness(t, w); got != "a" {
			t.Errorf("joined with a known person, %q waits", got)
		}
		wantDue(t, w, "joined with a known person", "a")

		typed, found := "79990003344@c.us", "79990003355@c.us"
		sendText(t, w, "79990003344", "b")
		sendText(t, w, "79990003355", "c")
		if got := coldness(t, w); got != "a B C" {
			t.Errorf("%q waits", got)
		}
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(found), Typed: idOf(typed)}}})
		if got := coldness(t, w); got != "a B c" {
			t.Errorf("of two chats with strangers that are one, %q waits", got)
		}
	})
}

// TestAnswersAreSentAtOnce checks that the connector is woken when messages wait no more,
// because the person has written or was met in another chat, and only then.
func TestAnswersAreSentAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		sendText(t, w, anna, "a")
		holdFirst(t, w, w.Clock.Now().Add(time.Hour), false)
		woken := len(connector.Queued())
		wakes := func(what string, times int) {
			t.Helper()
			got := connector.Queued()[woken:]
			if woken += len(got); len(got) != times || times > 0 && got[0] != onGr {
				t.Errorf("%s, the connector was woken for %v and not %d times", what, got, times)
			}
		}
		hello := fromCustomer("A1", anna, "Hi", crmtest.Start)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{hello}})
		wantDue(t, w, "answered", "a")
		wakes("when the person writes", 1)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{hello, fromCustomer("A2", anna, "again", crmtest.Start)}})
		wakes("when nothing waits", 0)

		begun := start(t, w, outbox(t, w)[0].ID)
		if err := w.OutboxDone(t.Context(), *begun, crm.Outcome{Status: crm.OutSent}); err != nil {
			t.Fatal(err)
		}
		wakes("when it was sent", 0)

		bob, hidden := "79990003344@c.us", "100200300@lid"
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("B1", hidden, "Hi", crmtest.Start)}})
		sendText(t, w, bob, "b")
		holdFirst(t, w, w.Clock.Now().Add(time.Hour), false)
		wakes("when it is accepted", 1)
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(bob), LID: idOf(hidden)}}})
		wantDue(t, w, "joined", "b")
		wakes("when the person is known from another chat", 1)
	})
}

// TestAnsweredDuringTheAttempt checks that a message does not wait for the end of a lock
// when the person has written while it was tried, and that of a second try it is known.
func TestAnsweredDuringTheAttempt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		sendText(t, w, anna, "a")
		sendText(t, w, anna, "b")
		begun := start(t, w, outbox(t, w)[0].ID)
		if begun.Answers || !begun.FirstContact {
			t.Errorf("begun, it is %+v", begun)
		}
		locked := crm.SendError{Code: crm.SendReachoutLocked, Message: "locked"}
		if err := w.OutboxPark(t.Context(), *begun, w.Clock.Now().Add(time.Hour), locked); err != nil {
			t.Fatal(err)
		}
		wantDue(t, w, "refused")
		if item := outbox(t, w)[0]; item.Attempts != 0 || item.LastError != "locked" {
			t.Errorf("refused, it is %+v", item)
		}
		w.Clock.Advance(time.Hour)
		begun = start(t, w, outbox(t, w)[0].ID)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "who are you?", crmtest.Start)}})
		if err := w.OutboxPark(t.Context(), *begun, w.Clock.Now().Add(time.Hour), locked); err != nil {
			t.Fatal(err)
		}
		wantDue(t, w, "answered during the attempt", "a", "b")
		if begun = start(t, w, begun.ID); !begun.Answers || begun.FirstContact {
			t.Errorf("begun again, it is %+v", begun)
		}
		if err := w.OutboxPark(t.Context(), *begun, w.Clock.Now().Add(time.Hour), locked); err != nil {
			t.Fatal(err)
		}
		wantDue(t, w, "refused again")
	})
}

// TestRefusedAndDeleted checks that a message which WhatsApp refused for a lock is deleted
// without a word to the person, because nobody has it.
func TestRefusedAndDeleted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		sendText(t, w, anna, "a")
		begun := start(t, w, outbox(t, w)[0].ID)
		locked := crm.SendError{Code: crm.SendReachoutLocked, Message: "locked"}
		if err := w.OutboxPark(t.Context(), *begun, w.Clock.Now().Add(time.Hour), locked); err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, anna), begun.Message.ID); err != nil {
			t.Fatal(err)
		}
		if got := waiting(t, w); got != "" {
			t.Errorf("%q waits", got)
		}
	})
}

// TestStrangersSeeNoTyping checks that nobody is shown to be typing to a person whom the
// line has not met.
func TestStrangersSeeNoTyping(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		shown := func(what string, want int) {
			t.Helper()
			if err := w.Typing(t.Context(), w.Owner, chatAt(onGr, anna), crm.TypingText); err != nil {
				t.Fatal(err)
			}
			if got := len(connector.Typed()); got != want {
				t.Errorf("%s, typing was shown %d times and not %d", what, got, want)
			}
		}
		sendText(t, w, anna, "Hello")
		shown("while the first message waits", 0)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		shown("after an answer", 1)
	})
}

// TestClockOfAProcessIsWrong checks that a process whose clock was put on fails no messages:
// those of the other processes are in the same outbox.
func TestClockOfAProcessIsWrong(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		w.Clock.Set(time.Now().Unix())
		sendText(t, w, anna, "a")
		w.Clock.Advance(2 * crm.DefaultSendWithin)
		if n, err := w.ExpireOutbox(t.Context()); n != 0 || err != nil {
			t.Errorf("%d items have failed, %v", n, err)
		}
		if begun := start(t, w, lastOf(t, w).ID); begun == nil {
			t.Error("the message is not sent")
		}
	})
}
