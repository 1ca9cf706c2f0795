package crm_test

import (
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// retried lets an attempt at an item fail, after which it waits for a minute.
func retried(t *testing.T, w *crmtest.World, item *crm.OutboxItem) {
	t.Helper()
	done(t, w, item, crm.Outcome{
		Status: crm.OutRetry, NotBefore: w.Clock.Now().Add(time.Minute), Error: &crm.SendError{Code: "rate_overlimit", Message: "too fast"},
	})
}

// lastOf returns the newest item of the outbox.
func lastOf(t *testing.T, w *crmtest.World) crm.OutboxItem {
	t.Helper()
	items := outbox(t, w)
	return items[len(items)-1]
}

// TestBackOffOutlastsAnAnswer checks that what waits after a failed attempt waits on when the
// person writes, because the messenger has asked for it, also when it was a first message.
// What was held as a first message does not, also when it was tried before.
func TestBackOffOutlastsAnAnswer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		writes := func(id, chat string) (woken int) {
			t.Helper()
			before := len(connector.Queued())
			ingest(t, w, messages(fromCustomer(id, chat, "hello?", crmtest.Start)))
			return len(connector.Queued()) - before
		}
		writes("A1", anna)
		sendText(t, w, anna, "a")
		retried(t, w, start(t, w, lastOf(t, w).ID))
		sendText(t, w, anna, "b")
		if woken := writes("A2", anna); woken != 0 {
			t.Errorf("the connector was woken %d times for what has to wait", woken)
		}
		wantDue(t, w, "an answer that was tried")

		ben := "79990003344@c.us"
		sendText(t, w, ben, "c")
		retried(t, w, start(t, w, lastOf(t, w).ID))
		writes("B1", ben)
		if got := coldness(t, w); got != "a b c" {
			t.Errorf("when the stranger has written, %q waits", got)
		}
		wantDue(t, w, "a first message that was tried")
		w.Clock.Advance(time.Minute)
		wantDue(t, w, "a minute later", "a", "b", "c")

		typed, found := "79990005501@c.us", "79990005502@c.us"
		sendText(t, w, typed, "d")
		sendText(t, w, found, "e")
		e := start(t, w, lastOf(t, w).ID)
		retried(t, w, e)
		w.Clock.Advance(time.Minute)
		holdFirst(t, w, w.Clock.Now().Add(time.Hour), false)
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(found), Typed: idOf(typed)}}})
		wantDue(t, w, "two first messages of one person are held", "a", "b", "c")
		if woken := writes("D1", found); woken != 1 {
			t.Errorf("the connector was woken %d times", woken)
		}
		wantDue(t, w, "held first messages, answered", "a", "b", "c", "d", "e")
	})
}
