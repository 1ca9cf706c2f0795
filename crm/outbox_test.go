package crm_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// paired is a world whose grWhatsApp line has an account.
func paired(t *testing.T, store *models.Store) (*crmtest.World, *crmtest.Connector) {
	t.Helper()
	w := crmtest.New(t, store)
	connector := w.Connect(whatsApp)
	setState(t, w, crm.LineState{State: crm.StateConnected, Device: text("79990000000:7@s.whatsapp.net"), Phone: text("79990000000")})
	return w, connector
}

func setState(t *testing.T, w *crmtest.World, st crm.LineState) {
	t.Helper()
	if err := w.SetLineState(t.Context(), onGr, st); err != nil {
		t.Fatal(err)
	}
}

func sendText(t *testing.T, w *crmtest.World, chat, what string) string {
	t.Helper()
	sent, err := w.Send(t.Context(), w.Owner, chatAt(onGr, chat), saying(what))
	if err != nil {
		t.Fatal(err)
	}
	return sent.ID.String()
}

// someday is later than anything waits, so the outbox of then is all of it.
var someday = time.Unix(1<<40, 0)

func outbox(t *testing.T, w *crmtest.World) []crm.OutboxItem {
	t.Helper()
	items, err := w.Outbox(t.Context(), onGr, someday, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// waiting returns the contents of the outbox, in words.
func waiting(t *testing.T, w *crmtest.World) string {
	t.Helper()
	var list []string
	for _, item := range outbox(t, w) {
		word := item.Kind
		if item.Message != nil {
			word += " " + item.Message.Content.Text
		}
		for _, m := range item.Reads {
			word += " " + m.ID
		}
		list = append(list, word)
	}
	return strings.Join(list, ", ")
}

func start(t *testing.T, w *crmtest.World, id int64) *crm.OutboxItem {
	t.Helper()
	item, err := w.OutboxStart(t.Context(), onGr, id)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func done(t *testing.T, w *crmtest.World, item *crm.OutboxItem, o crm.Outcome) {
	t.Helper()
	if err := w.OutboxDone(t.Context(), *item, o); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsSentWaitsInTheOutbox follows the messages of one chat from the operator to
// the messenger.
func TestWhatIsSentWaitsInTheOutbox(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, connector := paired(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		quoting := saying("Hello")
		quoted := idOf("A1")
		quoting.Quoted = &quoted
		first, err := w.Send(t.Context(), w.Owner, chatAt(onGr, anna), quoting)
		if err != nil {
			t.Fatal(err)
		}
		sendText(t, w, "79990003344", "Dear Bea")
		if _, err := w.Send(t.Context(), w.Owner, chatAt(onGr, anna), crm.Outgoing{
			Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: quoted, Emoji: "👍"}},
		}); err != nil {
			t.Fatal(err)
		}
		if n := len(connector.Queued()); n != 3 {
			t.Errorf("the connector heard %d times that there is more", n)
		}
		items := outbox(t, w)
		if len(items) != 3 {
			t.Fatalf("the outbox holds %+v", items)
		}
		m, opening, reaction := items[0], items[1], items[2]
		if m.Kind != crm.OutMessage || m.ChatID != anna || m.Message.ID != first.ID.String() || m.Message.Content.Text != "Hello" ||
			m.FirstContact || m.Quoted == nil || m.Quoted.ID != "A1" || m.Quoted.Content.Text != "Hi" || m.Quoted.AuthorID != anna {
			t.Errorf("a message is %+v", m)
		}
		if !opening.FirstContact || opening.Group {
			t.Errorf("the first message of a chat is %+v", opening)
		}
		if reaction.Reaction == nil || reaction.Reaction.ID != "A1" || reaction.Reaction.FromMe {
			t.Errorf("a reaction is %+v", reaction)
		}
		item := start(t, w, m.ID)
		if item == nil || item.Attempts != 1 {
			t.Fatalf("the attempt is %+v", item)
		}
		later := w.Clock.Now().Add(time.Minute)
		done(t, w, item, crm.Outcome{Status: crm.OutRetry, Error: &crm.SendError{Code: "offline", Message: "no connection"}, NotBefore: later})
		if again := outbox(t, w)[0]; again.ID != m.ID || !again.NotBefore.Equal(later) || again.LastError != "no connection" {
			t.Errorf("after a try that failed it is %+v", again)
		}
		sent := happens(t, w, func() {
			item = start(t, w, m.ID)
			done(t, w, item, crm.Outcome{Status: crm.OutSent, Time: w.Clock.Now()})
			done(t, w, item, crm.Outcome{Status: crm.OutSent, Time: w.Clock.Now()})
		})
		if status := lastItem(t, w, "messageStatus"); sent != "messageStatus" || status["type"] != "sent" || status["id"] != first.ID.String() {
			t.Errorf("sending causes %q, at the end %v", sent, status)
		}
		if start(t, w, m.ID) != nil || len(outbox(t, w)) != 2 {
			t.Error("what was sent is still to be sent")
		}
		failed := happens(t, w, func() {
			done(t, w, start(t, w, opening.ID), crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "463", Message: "too many new chats"}})
			ingest(t, w, crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: idOf(opening.Message.ID), Type: "delivered"}}})
		})
		failure, _ := json.Marshal(lastItem(t, w, "messageStatus")["error"])
		if failed != "messageStatus" || string(failure) != `{"code":"463","message":"too many new chats"}` {
			t.Errorf("failing causes %q with the error %s", failed, failure)
		}
	})
}

// TestEditsAndDeletionsOfWhatWaits checks that a message without an attempt is sent
// with its current content, or not at all. A change follows a message that may be
// outside already.
func TestEditsAndDeletionsOfWhatWaits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		edit := func(id, to string) {
			t.Helper()
			if _, err := w.EditMessage(t.Context(), w.Owner, chatAt(onGr, anna), id, crm.Edit{Text: &to}); err != nil {
				t.Fatal(err)
			}
		}
		remove := func(id string) {
			t.Helper()
			if err := w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, anna), id); err != nil {
				t.Fatal(err)
			}
		}
		wants := func(want string) {
			t.Helper()
			if got := waiting(t, w); got != want {
				t.Errorf("the outbox holds %q, want %q", got, want)
			}
		}
		untried := sendText(t, w, anna, "one")
		edit(untried, "two")
		wants("message two")
		remove(untried)
		wants("")

		tried := sendText(t, w, anna, "three")
		item := start(t, w, outbox(t, w)[0].ID)
		edit(tried, "four")
		edit(tried, "five")
		wants("message five, edit five")
		done(t, w, item, crm.Outcome{Status: crm.OutSent})
		wants("edit five")
		remove(tried)
		wants("delete ")
		done(t, w, start(t, w, outbox(t, w)[0].ID), crm.Outcome{Status: crm.OutSent})
		wants("")
		if _, err := w.SentMessage(t.Context(), onGr, anna, tried); err == nil {
			t.Error("what was deleted is given out for a retry")
		}

		doomed := sendText(t, w, anna, "six")
		item = start(t, w, outbox(t, w)[0].ID)
		edit(doomed, "seven")
		done(t, w, item, crm.Outcome{Status: crm.OutFailed})
		wants("")
		edit(doomed, "eight")
		remove(doomed)
		wants("")
	})
}

// TestOutboxDeadline checks that a message that could not be sent in time fails, with
// that reason.
func TestOutboxDeadline(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		setState(t, w, crm.LineState{State: crm.StateDisconnected})
		sendText(t, w, anna, "one")
		sendText(t, w, anna, "two")
		started := start(t, w, outbox(t, w)[0].ID)
		done(t, w, started, crm.Outcome{Status: crm.OutRetry, Error: &crm.SendError{Message: "no connection"}})
		w.Clock.Advance(crm.DefaultSendWithin - time.Second)
		started = start(t, w, started.ID)
		sendText(t, w, anna, "three")
		w.Clock.Advance(time.Minute)
		got := happens(t, w, func() {
			if n, err := w.ExpireOutbox(t.Context()); n != 1 || err != nil {
				t.Errorf("%d expired, %v", n, err)
			}
		})
		status := lastItem(t, w, "messageStatus")
		if got != "messageStatus" || status["error"].(map[string]any)["code"] != crm.SendDeadline {
			t.Errorf("the deadline causes %q: %v", got, status)
		}
		if got := waiting(t, w); got != "message one, message three" {
			t.Errorf("the outbox holds %q: what is just being sent must stay", got)
		}
		w.Clock.Advance(time.Hour)
		got = happens(t, w, func() {
			if start(t, w, started.ID) != nil {
				t.Error("an attempt begins after the deadline")
			}
		})
		if reason := lastItem(t, w, "messageStatus")["error"].(map[string]any)["message"].(string); got != "messageStatus" || !strings.Contains(reason, "no connection") {
			t.Errorf("a late attempt causes %q: %s", got, reason)
		}
		if n, err := w.ExpireOutbox(t.Context()); n != 1 || err != nil || waiting(t, w) != "" {
			t.Errorf("%d expired, %v, left %q", n, err, waiting(t, w))
		}
	})
}

// TestReadingGoesOut checks that the customer is notified of what an operator read.
func TestReadingGoesOut(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		at := int64(crmtest.Start)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", at), fromAccount("A2", anna, "Hello", at+1), fromCustomer("A3", anna, "?", at+2)}})
		for range 2 {
			if _, err := w.MarkRead(t.Context(), w.Owner, chatAt(onGr, anna)); err != nil {
				t.Fatal(err)
			}
		}
		if got := waiting(t, w); got != "read A1 A3" {
			t.Errorf("the outbox holds %q", got)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A4", anna, "!", at+3)}})
		ingest(t, w, crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chatOf(anna)}}})
		if got := waiting(t, w); got != "read A1 A3" {
			t.Errorf("what was read on the phone goes out: %q", got)
		}
	})
}

// TestBridgesHaveNoOutbox checks a bridge, and a line of the type that was never
// paired.
func TestBridgesHaveNoOutbox(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		connector := w.Connect(whatsApp)
		sendText(t, w, anna, "by the bridge")
		setState(t, w, crm.LineState{State: crm.StateDisconnected})
		sendText(t, w, anna, "still by the bridge")
		receive(t, w, onGr, `{"messages":[{"id":"B1","chat":"79990001122","message":{"text":"Hi"}}]}`)
		if len(outbox(t, w)) != 0 || len(connector.Queued()) != 0 {
			t.Errorf("a bridge's messages are in the outbox: %+v", outbox(t, w))
		}
	})
}

// TestPairedLinesRefuseInbound checks that a paired line accepts no inbound messages:
// otherwise an actor who may write could put words into a customer's mouth.
func TestPairedLinesRefuseInbound(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		_, err := w.IngestAs(t.Context(), w.Owner, onGr, inbound(t, `{"messages":[{"id":"B1","chat":"79990001122","message":{"text":"Hi"}}]}`))
		wantCode(t, "inbound of a paired line", err, crm.CodeConflict, "")
	})
}
