package whatsapp

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// pastOf gives the account a history of n messages with each of some people.
func (w *world) pastOf(n int, people ...*whatsapptest.Contact) {
	var chats []whatsapptest.PastChat
	for _, who := range people {
		chat := whatsapptest.PastChat{Chat: who.Number()}
		for i := range n {
			id := fmt.Sprint("PAST", who.Number().User, "N", i)
			chat.Messages = append(chat.Messages, whatsapptest.Past{ID: id, Time: time.Now().Add(time.Duration(i-1000) * time.Minute), What: whatsapptest.Text(id)})
		}
		chats = append(chats, chat)
	}
	w.shop.SetHistory(false, chats...)
}

// people returns new customers.
func (w *world) people(n int) (all []*whatsapptest.Contact) {
	for i := range n {
		all = append(all, w.NewContact(fmt.Sprint(79996660000+i), fmt.Sprint(300200000+i), fmt.Sprint("Customer ", i)))
	}
	return all
}

// TestHistoryHoldsUpNobody checks that texts arrive while the history is imported, and that
// what happens to a message of the history finds it: its chat is imported next.
func TestHistoryHoldsUpNobody(t *testing.T) {
	w := newWorld(t)
	all := w.people(4)
	w.pastOf(3, all...)
	importing, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.rules.before(func(batch crm.InboundBatch) error {
		if batch.History && len(batch.Messages) > 0 {
			once.Do(func() {
				close(importing)
				<-release
			})
		}
		return nil
	})
	w.pair(t)
	<-importing
	w.anna.SendText(w.shop, "live")
	w.awaitText(t, "live")
	last, about := all[3], "PAST79996660003N1"
	last.Send(w.shop, &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: last.KeyOf(w.shop, about, true), Text: proto.String("❤")}})
	s := w.m.serving(testLine)
	eventually(t, "the chat of the reaction is not the next", func() bool {
		s.past.mu.Lock()
		defer s.past.mu.Unlock()
		return len(s.past.chats) == 4 && s.past.chats[1].GetID() == last.Number().String()
	})
	close(release)
	w.awaitText(t, "PAST79996660002N2")
	w.awaitMessage(t, "the reaction", func(m crm.InboundMessage) bool { return m.Type == crm.MessageReaction })
	var order []string
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for _, b := range w.rules.batches {
		for _, m := range b.Messages {
			order = append(order, m.ID.String())
		}
	}
	reaction := slices.IndexFunc(order, func(id string) bool { return id[:4] != "PAST" && id != order[0] })
	if at := slices.Index(order, about); at < 0 || at > reaction || at > slices.Index(order, "PAST79996660001N0") {
		t.Errorf("%s, to which the reaction %d belongs, came as %d of %q", about, reaction, at, order)
	}
	if len(order) != 4*3+2 {
		t.Errorf("%d messages came: %q", len(order), order)
	}
}

// TestHistoryGoesOn stops the program in the middle of an import, and while a part cannot be
// fetched. Neither is lost, the line works meanwhile, and nothing of it is left afterwards.
func TestHistoryGoesOn(t *testing.T) {
	w := newWorld(t)
	all := w.people(3)
	w.pastOf(3, all...)
	w.MediaDown(503)
	w.pair(t)
	w.anna.SendText(w.shop, "live")
	w.awaitText(t, "live")
	w.stop()
	w.start(t)
	fail := true
	failing := make(chan struct{}, 100)
	w.rules.before(func(batch crm.InboundBatch) error {
		w.rules.mu.Lock()
		defer w.rules.mu.Unlock()
		if fail && batch.History && len(batch.Messages) > 0 && batch.Messages[0].ID.String() == "PAST79996660001N0" {
			notify(failing)
			return errUnavailable
		}
		return nil
	})
	w.MediaDown(0)
	select {
	case <-failing:
	case <-testwait.Context(t).Done():
		t.Fatal("the history is not imported")
	}
	w.stop()
	w.rules.change(func() { fail = false })
	w.start(t)
	w.awaitText(t, "PAST79996660002N2")
	eventually(t, "the phone does not hear of it", func() bool { return historyReceipts(w) == 2 })
	eventually(t, "parts are left", func() bool { return w.count(t, historyPart.Table) == 0 })
	w.awaitState(t, crm.StateConnected)
	if err := w.m.container.keepPart(t.Context(), w.awaitState(t, crm.StateConnected).Device, "LEFT", new(waE2E.HistorySyncNotification)); err != nil {
		t.Fatal(err)
	}
	if err := w.m.Logout(testwait.Context(t), testLine); err != nil {
		t.Fatal(err)
	}
	if n := w.count(t, historyPart.Table); n != 0 {
		t.Errorf("%d parts outlive the device", n)
	}
}

// count returns the number of rows of a table.
func (w *world) count(t *testing.T, table string) (n int) {
	t.Helper()
	if err := w.m.container.db.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
