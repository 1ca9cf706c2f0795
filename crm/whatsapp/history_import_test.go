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

// holdAt makes the import of the history wait before the first batch that begins with a
// message. what is the error of that batch, if any.
func (w *world) holdAt(what error, ids ...string) (reached, release []chan struct{}) {
	for range ids {
		reached, release = append(reached, make(chan struct{})), append(release, make(chan struct{}))
	}
	left := slices.Clone(ids)
	var mu sync.Mutex
	w.rules.before(func(batch crm.InboundBatch) error {
		if !batch.History || len(batch.Messages) == 0 {
			return nil
		}
		mu.Lock()
		at := slices.Index(left, batch.Messages[0].ID.String())
		if at >= 0 {
			left[at] = ""
		}
		mu.Unlock()
		if at < 0 {
			return nil
		}
		close(reached[at])
		<-release[at]
		return what
	})
	return reached, release
}

func pastID(person, message int) string { return fmt.Sprint("PAST", 79996660000+person, "N", message) }

// ids returns the ids of the messages that came, in order.
func (w *world) ids() (all []string) {
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for _, b := range w.rules.batches {
		for _, m := range b.Messages {
			all = append(all, m.ID.String())
		}
	}
	return all
}

// TestHistoryHoldsUpNobody checks that texts arrive while the history is imported, and that
// what happens to a message of the history finds it: its chat is imported next, and nothing
// waits for the others.
func TestHistoryHoldsUpNobody(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.times = patient; o.times.past = testwait.Long })
	all := w.people(4)
	w.pastOf(3, all...)
	reached, release := w.holdAt(nil, pastID(0, 0), pastID(1, 0))
	w.pair(t)
	<-reached[0]
	w.anna.SendText(w.shop, "live")
	w.awaitText(t, "live")
	last := all[3]
	last.Send(w.shop, &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: last.KeyOf(w.shop, pastID(3, 1), true), Text: proto.String("❤")}})
	s := w.m.serving(testLine)
	eventually(t, "the chat of the reaction is not the next", func() bool {
		s.past.mu.Lock()
		defer s.past.mu.Unlock()
		return len(s.past.chats) == 4 && s.past.chats[1].GetID() == last.Number().String()
	})
	close(release[0])
	<-reached[1]
	w.awaitMessage(t, "the reaction", func(m crm.InboundMessage) bool { return m.Type == crm.MessageReaction })
	if order := w.ids(); len(order) != 2*3+2 || slices.Index(order, pastID(3, 2)) != 6 {
		t.Errorf("before the other chats came %q", order)
	}
	close(release[1])
	w.awaitText(t, pastID(2, 2))
	if order := w.ids(); len(order) != 4*3+2 {
		t.Errorf("%d messages came: %q", len(order), order)
	}
}

// TestHistoryGoesOnAfterACut cuts the connection in the middle of an import. What was
// imported is not imported again.
func TestHistoryGoesOnAfterACut(t *testing.T) {
	w := newWorld(t)
	w.pastOf(3, w.people(3)...)
	reached, release := w.holdAt(errUnavailable, pastID(1, 0))
	w.pair(t)
	<-reached[0]
	w.shop.Drop()
	close(release[0])
	w.awaitText(t, pastID(2, 2))
	if order := w.ids(); len(order) != 3*3 {
		t.Errorf("%d messages came: %q", len(order), order)
	}
}

// TestPhoneHearsOfTheHistory ends the connection before the phone is told that a part was
// imported. It is told on the next one.
func TestPhoneHearsOfTheHistory(t *testing.T) {
	w := newWorld(t)
	w.pastOf(3, w.people(1)...)
	reached, release := w.holdAt(nil, pastID(0, 0))
	w.pair(t)
	<-reached[0]
	s := w.m.serving(testLine)
	s.past.mu.Lock()
	part := s.past.part // not the part with the names, of which the phone may hear now or later
	s.past.mu.Unlock()
	s.client().Disconnect()
	close(release[0])
	w.awaitText(t, pastID(0, 2))
	w.stop()
	w.start(t)
	eventually(t, "the phone does not hear of it", func() bool { return heardOf(w)[part] })
	eventually(t, "parts are left", func() bool { return w.count(t, historyPart.Table) == 0 })
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
	eventually(t, "the phone does not hear of the names", func() bool { return historyReceipts(w) == 1 })
	w.stop()
	w.start(t)
	fail := true
	failing := make(chan struct{}, 100)
	w.rules.before(func(batch crm.InboundBatch) error {
		w.rules.mu.Lock()
		defer w.rules.mu.Unlock()
		if fail && batch.History && len(batch.Messages) > 0 && batch.Messages[0].ID.String() == pastID(1, 0) {
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
	w.awaitText(t, pastID(2, 2))
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
