package whatsapp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"

	"go.mau.fi/whatsmeow/appstate"
)

func TestWrittenOnThePhone(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.shop.Write(w.anna.Number(), whatsapptest.Text("from my phone"))
	m := w.awaitText(t, "from my phone")
	if m.ID.String() != id || !m.FromMe || m.Chat.ID.String() != "79995554433@c.us" || m.FromUser == nil || *m.FromUser.Phone != "79990001122" {
		t.Errorf("came as %+v, from %+v", m, m.FromUser)
	}
	in := w.anna.SendText(w.shop, "read me")
	w.awaitText(t, "read me")
	w.shop.Read(w.anna.Number(), in)
	w.awaitBatch(t, "the chat read", func(batch crm.InboundBatch) bool {
		return len(batch.Reads) == 1 && batch.Reads[0].Chat.ID.String() == "79995554433@c.us" && batch.Reads[0].UpTo.String() == in && len(batch.Statuses) == 0
	})
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	failed := false // fail once, in the middle: what was not imported comes again
	w.onMessage(func() error {
		if n := historyReceipts(w); n > 1 { // the first part has names
			t.Errorf("the phone heard of %d parts before the second one was imported", n)
		}
		if !failed {
			failed = true
			return errUnavailable
		}
		return nil
	})
	past := time.Now().Add(-48 * time.Hour)
	chat := whatsapptest.PastChat{Chat: w.anna.Number(), Name: "Anna", Unread: 2}
	for i := range 250 {
		chat.Messages = append(chat.Messages, whatsapptest.Past{
			ID: fmt.Sprintf("OLD%d", i), FromMe: i%2 == 1, Time: past.Add(time.Duration(i) * time.Second), What: whatsapptest.Text(fmt.Sprint("old ", i)),
		})
	}
	w.shop.SetHistory(false, chat)
	w.pair(t)
	w.awaitText(t, "old 249")
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprint("old ", i))
	}
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("imported %d: %q ...", len(got), got[:min(3, len(got))])
	}
	eventually(t, "the history is not acknowledged", func() bool { return w.shop.Unsettled() == 0 && historyReceipts(w) >= 2 })
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for _, batch := range w.rules.batches {
		if len(batch.Messages) > 0 && (!batch.History || len(batch.Messages) > historyBatch) {
			t.Errorf("history told as %d messages, History %v", len(batch.Messages), batch.History)
		}
	}
}

// TestHistoryInSmallBatches imports many people and chats. No transaction is about more of
// them than historyBatch, because everybody else waits for it.
func TestHistoryInSmallBatches(t *testing.T) {
	w := newWorld(t)
	var chats []whatsapptest.PastChat
	for i := range 2*historyBatch + 50 {
		c := w.NewContact(fmt.Sprint(79991110000+i), fmt.Sprint(555666000+i), fmt.Sprint("Customer ", i))
		chats = append(chats, whatsapptest.PastChat{Chat: c.Number()})
	}
	chats[0].Messages = []whatsapptest.Past{{ID: "OLD", Time: time.Now().Add(-time.Hour), What: whatsapptest.Text("old")}}
	w.shop.SetHistory(false, chats...)
	w.pair(t)
	w.awaitText(t, "old")
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	people, ids := 0, 0
	for _, b := range w.rules.batches {
		if n := len(b.Contacts) + len(b.Aliases) + len(b.Messages); n > historyBatch {
			t.Errorf("a batch has %d people, ids and messages", n)
		}
		people, ids = people+len(b.Contacts), ids+len(b.Aliases)
	}
	if people < len(chats) || ids < len(chats) {
		t.Errorf("%d people and %d ids were imported, want %d", people, ids, len(chats))
	}
}

// historyReceipts returns how many parts of the history the phone thinks we have.
func historyReceipts(w *world) (n int) {
	for _, r := range w.shop.Receipts() {
		if r.Type == "hist_sync" {
			n++
		}
	}
	return n
}

func TestLabelsOfThePast(t *testing.T) {
	w := newWorld(t)
	w.shop.Change(appstate.BuildLabelEdit("7", "Important", 3, false))
	w.shop.Change(appstate.BuildLabelChat(w.anna.Number(), "7", true))
	w.pair(t)
	w.awaitBatch(t, "the label", func(batch crm.InboundBatch) bool { return len(batch.Labels) == 1 && batch.History })
	w.awaitBatch(t, "its chat", func(batch crm.InboundBatch) bool { return len(batch.Tags) == 1 && batch.History })
}
