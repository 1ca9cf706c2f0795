package whatsapp

import (
	"slices"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestUnansweredQuestions checks that a read mark and a message to a stranger wait for what
// WhatsApp has to answer first, that no other chat waits with them, and that no message
// waits for a read mark.
func TestUnansweredQuestions(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.ask, o.times.privacy = 500*time.Millisecond, 500*time.Millisecond
	})
	w.pair(t)
	carla := w.NewContact("79995554466", "100200366", "Carla")
	in := w.anna.SendText(w.shop, "a question")
	w.awaitText(t, "a question")
	w.say("3EB0A1", "the devices are known then")
	w.received(t, "3EB0A1")
	first := 0 // of the outcomes of what follows
	err := w.rules.await(testwait.Context(t), "the message to be sent", func() bool { first = len(w.rules.outcomes); return len(w.rules.outbox) == 0 })
	if err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	w.Mute("privacy", "usync")
	w.enqueue(crm.OutboxItem{Kind: crm.OutRead, ChatID: anna, Reads: []crm.MessageRef{{ID: in, AuthorID: anna}}})
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554466@c.us", FirstContact: true, Message: &crm.MessageRef{
		ID: "3EB0C1", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "to a stranger"},
	}})
	w.say("3EB0A2", "an answer meanwhile")
	w.received(t, "3EB0A2")
	if took := time.Since(began); took > time.Minute {
		t.Errorf("an answer waited %s for questions about others", took)
	}
	err = w.rules.await(testwait.Context(t), "the read mark and the message to the stranger to wait for an answer", func() bool {
		return len(w.rules.outbox) == 2 && !slices.ContainsFunc(w.rules.outbox, func(item crm.OutboxItem) bool { return item.NotBefore.IsZero() })
	})
	if err != nil {
		t.Fatal(err)
	}
	w.rules.change(func() {
		for _, o := range w.rules.outcomes[first:] {
			if o.Status != crm.OutSent && (o.Status != crm.OutRetry || o.Error.Code != codeTimeout) {
				t.Errorf("without an answer: %+v", o)
			}
		}
	})
	w.Mute()
	if err := w.anna.AwaitReceipt(testwait.Context(t), in, "read"); err != nil {
		t.Error(err)
	}
	if _, err := carla.AwaitText(testwait.Context(t), "to a stranger"); err != nil {
		t.Error(err)
	}
}

// TestReadMarksWaitTogether checks that WhatsApp is asked once for what all read marks need,
// and not for each, while it refuses to tell.
func TestReadMarksWaitTogether(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	in := w.anna.SendText(w.shop, "a question")
	w.awaitText(t, "a question")
	w.RefuseRequests("privacy", 429)
	before := w.Requests("privacy")
	const marks = 5
	for range marks {
		w.enqueue(crm.OutboxItem{Kind: crm.OutRead, ChatID: anna, Reads: []crm.MessageRef{{ID: in, AuthorID: anna}}})
	}
	for n := 1; n <= marks; n++ {
		if o := w.awaitOutcome(t, n); o.Status != crm.OutRetry || o.Error.Code != codeBusy {
			t.Errorf("refused: %+v", o)
		}
	}
	if n := w.Requests("privacy") - before; n != 1 {
		t.Errorf("WhatsApp was asked %d times", n)
	}
}

// TestServersClockIsAhead checks that a message has not been sent tomorrow.
func TestServersClockIsAhead(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, newStandinAt(t, func() time.Time { return time.Now().Add(24 * time.Hour) }))
	w.pair(t)
	w.say("3EB0A1", "today")
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutSent || time.Until(o.Time) > time.Hour || time.Since(o.Time) > time.Hour {
		t.Errorf("the outcome is %+v", o)
	}
}
