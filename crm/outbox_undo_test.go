package crm_test

import (
	"encoding/json"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// changing is a message that WhatsApp has and that operators change several times.
type changing struct {
	*crmtest.World
	t  *testing.T
	id string
}

var refused = crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "rejected", Message: "WhatsApp refused the message"}}

// delivered is a world in which WhatsApp has taken a message that says "one".
func delivered(t *testing.T, store *models.Store) *changing {
	t.Helper()
	w, _ := paired(t, store)
	x := &changing{World: w, t: t, id: sendText(t, w, anna, "one")}
	done(t, w, x.start(), crm.Outcome{Status: crm.OutSent})
	return x
}

func (x *changing) start() *crm.OutboxItem {
	x.t.Helper()
	return start(x.t, x.World, outbox(x.t, x.World)[0].ID)
}

func (x *changing) edit(to string) {
	x.t.Helper()
	x.Clock.Advance(time.Second)
	if _, err := x.EditMessage(x.t.Context(), x.Owner, chatAt(onGr, anna), x.id, crm.Edit{Text: &to}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *changing) remove() {
	x.t.Helper()
	x.Clock.Advance(time.Second)
	if err := x.DeleteMessage(x.t.Context(), x.Owner, chatAt(onGr, anna), x.id); err != nil {
		x.t.Fatal(err)
	}
}

// shows checks the message's content in the history against want; empty means deleted.
func (x *changing) shows(want string, edited bool) {
	x.t.Helper()
	page, err := x.Messages(x.t.Context(), x.Owner, chatAt(onGr, anna), crm.MessageQuery{})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, m := range page.Items {
		if m.ID.String() == x.id && (m.Message.Text != want || (m.EditedAt != nil) != edited || (m.DeletedAt != nil) != (want == "")) {
			x.t.Errorf("the history shows %q, edited %v, deleted %v; want %q, edited %v", m.Message.Text, m.EditedAt, m.DeletedAt, want, edited)
		}
	}
}

// takenBack runs f, which must cause one messageEdit with the content want and the
// reason why.
func (x *changing) takenBack(want, code string, f func()) {
	x.t.Helper()
	got := happens(x.t, x.World, f)
	if got != "messageEdit" {
		x.t.Fatalf("it causes %q", got)
	}
	item := lastItem(x.t, x.World, "messageEdit")
	message := item["message"].(map[string]any)
	violation, _ := json.Marshal(item["error"])
	var why crm.SendError
	if err := json.Unmarshal(violation, &why); err != nil || why.Code != code || message["text"] != want || item["edited"] != nil {
		x.t.Errorf("the event is %v, want %q because of %s", item, want, code)
	}
}

// TestChangesThatAreRefused checks that a change that nobody outside has seen is not
// shown as if they had seen it.
func TestChangesThatAreRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		x := delivered(t, store)
		x.edit("two")
		if item := lastItem(t, x.World, "messageEdit"); item["error"] != nil {
			t.Errorf("an edit says the error %v", item["error"])
		}
		x.shows("two", true)
		x.takenBack("one", "rejected", func() { done(t, x.World, x.start(), refused) })
		x.shows("one", false)

		x.remove()
		x.shows("", false)
		x.takenBack("one", "rejected", func() { done(t, x.World, x.start(), refused) })
		x.shows("one", false)

		x.edit("two")
		done(t, x.World, x.start(), crm.Outcome{Status: crm.OutSent})
		x.edit("three")
		x.edit("four") // not attempted yet: one change, from two to four
		x.takenBack("two", "rejected", func() { done(t, x.World, x.start(), refused) })
		x.shows("two", true)
		if got := waiting(t, x.World); got != "" {
			t.Errorf("the outbox holds %q", got)
		}
	})
}

// TestChangesBehindOneAnother checks that the last change that fails restores what
// people outside have, not what the change before it wanted.
func TestChangesBehindOneAnother(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		x := delivered(t, store)
		x.edit("two")
		first := x.start()
		x.edit("three")
		if got := happens(t, x.World, func() { done(t, x.World, first, refused) }); got != "" {
			t.Errorf("with another edit behind it, a refusal causes %q", got)
		}
		x.shows("three", true)
		x.takenBack("one", "rejected", func() { done(t, x.World, x.start(), refused) })
		x.shows("one", false)

		x.edit("two")
		first = x.start()
		x.edit("three")
		done(t, x.World, first, crm.Outcome{Status: crm.OutSent})
		x.takenBack("two", "rejected", func() { done(t, x.World, x.start(), refused) })

		x.edit("four")
		first = x.start()
		x.remove()
		if got := happens(t, x.World, func() { done(t, x.World, first, refused) }); got != "" {
			t.Errorf("an edit of what was deleted meanwhile causes %q", got)
		}
		x.takenBack("two", "rejected", func() { done(t, x.World, x.start(), refused) })

		x.edit("five")
		first = x.start()
		x.remove()
		done(t, x.World, first, crm.Outcome{Status: crm.OutSent})
		x.takenBack("five", "rejected", func() { done(t, x.World, x.start(), refused) })
		x.shows("five", true)
	})
}

// TestChangesOfWhatIsBeingSent checks that the result of the message itself decides
// whether there is something to restore.
func TestChangesOfWhatIsBeingSent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		x := delivered(t, store)
		x.id = sendText(t, x.World, anna, "one")
		message := x.start()
		x.edit("two")
		done(t, x.World, message, crm.Outcome{Status: crm.OutSent})
		x.takenBack("one", "rejected", func() { done(t, x.World, x.start(), refused) })

		x.id = sendText(t, x.World, anna, "one")
		message = x.start()
		x.remove()
		done(t, x.World, message, crm.Outcome{Status: crm.OutSent})
		x.takenBack("one", "rejected", func() { done(t, x.World, x.start(), refused) })

		x.id = sendText(t, x.World, anna, "one")
		message = x.start()
		x.remove()
		done(t, x.World, message, refused)
		if got := happens(t, x.World, func() { done(t, x.World, x.start(), refused) }); got != "" {
			t.Errorf("a deletion of what was never sent causes %q", got)
		}
		x.shows("", false)
	})
}

// TestChangesThatRunOutOfTime covers the deadline and a lost account.
func TestChangesThatRunOutOfTime(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		x := delivered(t, store)
		x.edit("two")
		x.takenBack("one", crm.SendDeadline, func() {
			x.Clock.Advance(2 * crm.DefaultSendWithin)
			if _, err := x.ExpireOutbox(t.Context()); err != nil {
				t.Error(err)
			}
		})
		x.edit("two")
		x.start()
		x.edit("three")
		x.remove()
		doomed := sendText(t, x.World, anna, "never sent")
		start(t, x.World, outbox(t, x.World)[1].ID)
		text := "nor this"
		if _, err := x.EditMessage(t.Context(), x.Owner, chatAt(onGr, anna), doomed, crm.Edit{Text: &text}); err != nil {
			t.Fatal(err)
		}
		got := happens(t, x.World, func() { setState(t, x.World, crm.LineState{State: crm.StateLoggedOut, Device: new(string)}) })
		if got != "messageEdit messageStatus messengerStatus" || waiting(t, x.World) != "" {
			t.Errorf("logging out causes %q and leaves %q", got, waiting(t, x.World))
		}
		if item := lastItem(t, x.World, "messageEdit"); item["error"].(map[string]any)["code"] != crm.SendLoggedOut {
			t.Errorf("the event is %v", item)
		}
		x.shows("one", false)
	})
}

// TestChangesOnThePhoneMeanwhile checks that a change by the account's owner is
// outside, whatever becomes of ours.
func TestChangesOnThePhoneMeanwhile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		x := delivered(t, store)
		later := func(seconds int64) *int64 { at := x.Clock.Now().Unix() + seconds; return &at }
		x.edit("two")
		attempt := x.start()
		ingest(t, x.World, crm.InboundBatch{Edits: []crm.InboundEdit{{
			ID: idOf(x.id), Chat: chatOf(anna), FromMe: true, Type: crm.MessageText, Message: crm.Content{Text: "by phone"}, Time: later(1),
		}}})
		x.takenBack("by phone", "rejected", func() { done(t, x.World, attempt, refused) })

		x.remove()
		attempt = x.start()
		ingest(t, x.World, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf(x.id), Chat: chatOf(anna), FromMe: true, Time: later(2)}}})
		if got := happens(t, x.World, func() { done(t, x.World, attempt, refused) }); got != "" || waiting(t, x.World) != "" {
			t.Errorf("after a deletion on the phone a refusal causes %q, %q waits", got, waiting(t, x.World))
		}
		x.shows("", true)
	})
}
