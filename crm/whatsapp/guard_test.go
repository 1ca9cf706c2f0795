package whatsapp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// someday is later than anything waits, so the outbox of then is all of it.
var someday = time.Unix(1<<40, 0)

func guarded(o *Options) { o.Guard = true }

// first queues a first message to a person.
func (w *world) first(id, phone string) {
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: phone + "@c.us", FirstContact: true, Message: &crm.MessageRef{
		ID: id, FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "Hello"},
	}})
}

func (w *world) rate(r crm.LineRating) { w.rules.change(func() { w.rules.rating = r }) }

// awaitHeld waits until n messages wait for a time, and returns the times in the order of
// the outbox.
func (w *world) awaitHeld(t *testing.T, n int) (until []time.Time) {
	t.Helper()
	err := w.rules.await(testwait.Context(t), "messages to wait", func() bool {
		until = nil
		for _, item := range w.rules.outbox {
			if !item.NotBefore.IsZero() {
				until = append(until, item.NotBefore)
			}
		}
		return len(until) == n
	})
	if err != nil {
		t.Fatal(err)
	}
	return until
}

// TestGuard checks that first messages wait while their line is rated stop, and keep their
// distance while it is careful, and that answers are sent meanwhile.
func TestGuard(t *testing.T) {
	w := newWorld(t, guarded)
	bob := w.NewContact("79991112233", "555666777", "Bob")
	w.pair(t)
	w.rate(crm.LineRating{Rating: crm.Rating{Rating: crm.RatingStop, Reasons: []crm.RatingReason{{Code: "locked", Rating: crm.RatingStop, Message: "No."}}}})
	w.first("3EB0F1", bob.Number().User)
	if until := w.awaitHeld(t, 1); time.Until(until[0]) < 59*time.Minute {
		t.Errorf("it waits until %v", until)
	}
	w.say("3EB0A1", "an answer")
	if _, err := w.anna.AwaitText(testwait.Context(t), "an answer"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w.rate(crm.LineRating{Rating: crm.Rating{Rating: crm.RatingCareful}, LastContact: now})
	w.rules.change(func() { w.rules.outbox[0].NotBefore = time.Time{} })
	w.first("3EB0F2", "79991112244")
	w.first("3EB0F3", "79991112255")
	until := w.awaitHeld(t, 3)
	for i, at := range until {
		before := now
		if i > 0 {
			before = until[i-1]
		}
		if gap := at.Sub(before); gap < time.Minute-time.Second || gap > 91*time.Second {
			t.Errorf("message %d waits %v for the one before it", i, gap)
		}
	}
	w.say("3EB0A2", "another answer")
	if _, err := w.anna.AwaitText(testwait.Context(t), "another answer"); err != nil {
		t.Fatal(err)
	}
	w.rate(crm.LineRating{Rating: crm.Rating{Rating: crm.RatingOK}, LastContact: time.Now()})
	w.rules.change(func() { w.rules.outbox[0].NotBefore = time.Time{} })
	w.m.Queue(testLine)
	if got, err := bob.AwaitText(testwait.Context(t), "Hello"); err != nil || got.ID != "3EB0F1" {
		t.Errorf("Bob got %+v, %v", got, err)
	}
}

// TestNextFirstMessageWaits checks that the message behind a first one that failed does not
// pass the guard, although it was read together with it.
func TestNextFirstMessageWaits(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		until := time.Now().Add(time.Hour).Unix()
		for _, until := range []*int64{&until, nil} { // a line that was locked is careful
			if err := h.SetLineRestriction(t.Context(), testLine, until); err != nil {
				t.Fatal(err)
			}
		}
		h.stop()
		var ids []string
		for _, text := range []string{"one", "two"} {
			sent, err := h.Send(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: bob.Number().User + "@c.us"}, crm.Outgoing{
				Type: crm.MessageText, Content: crm.Content{Text: text},
			})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, sent.ID.String())
		}
		h.shop.FailSends(479, 1)
		h.m, h.stop = h.node(t, h.Service, guarded)
		h.Service.Messengers[Type] = h.m
		h.awaitItem(t, crm.EventMessageStatus, ids[0], `"rejected"`)
		eventually(t, "the second message does not wait", func() bool {
			items, err := h.Outbox(t.Context(), testLine, someday, 0, 10)
			return err == nil && len(items) == 1 && items[0].Message.ID == ids[1] && items[0].FirstContact && time.Until(items[0].NotBefore) > 30*time.Second
		})
		if n := len(bob.Inbox()); n != 0 {
			t.Errorf("%d messages reached Bob", n)
		}
	}, guarded)
}

// TestGuardWithRules checks that a line which writes to people without WhatsApp is rated
// stop, that this is told, and that the next first message waits and does not fail.
func TestGuardWithRules(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		h.anna.SendText(h.shop, "Do you have tea?")
		h.awaitItem(t, crm.EventMessage, "Do you have tea?")
		write := func(phone, text string) string {
			sent, err := h.Send(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: phone + "@c.us"}, crm.Outgoing{
				Type: crm.MessageText, Content: crm.Content{Text: text},
			})
			if err != nil {
				t.Fatal(err)
			}
			return sent.ID.String()
		}
		for i := range 10 {
			id := write(fmt.Sprint("7999000000", i), fmt.Sprint("Hello ", string(rune('a'+i))))
			h.awaitItem(t, crm.EventMessageStatus, id, `"not_on_whatsapp"`)
		}
		id := write(bob.Number().User, "Hello, Bob")
		h.awaitItem(t, crm.EventMessengerStatus, `"rating":"stop"`, `"code":"not_on_whatsapp"`)
		h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do"}})
		if _, err := h.anna.AwaitText(testwait.Context(t), "We do"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the message does not wait", func() bool {
			items, err := h.Outbox(t.Context(), testLine, someday, 0, 10)
			return err == nil && len(items) == 1 && items[0].Message.ID == id && items[0].Deadline.Sub(items[0].NotBefore) >= time.Hour
		})
		if n := len(bob.Inbox()); n != 0 {
			t.Errorf("%d messages reached Bob", n)
		}
	}, guarded)
}

// TestTypingBeforeTexts checks that a line is shown as typing before it sends a text, and
// that the text comes after.
func TestTypingBeforeTexts(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.TypeFor = time.Second })
	w.pair(t)
	began := time.Now()
	w.say("3EB0A1", "a text")
	if err := w.anna.AwaitTyping(testwait.Context(t), "composing"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), "a text"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestPaceOfALine checks that a line's settings go before the program's configuration, also
// when they change while it is connected.
func TestPaceOfALine(t *testing.T) {
	w := newWorld(t)
	w.rules.change(func() { w.rules.settings.Typing = new(true) })
	w.pair(t)
	w.say("3EB0A1", "a text")
	if err := w.anna.AwaitTyping(testwait.Context(t), "composing"); err != nil {
		t.Fatal(err)
	}
	w.awaitOutcome(t, 1)
	w.rules.change(func() { w.rules.settings = crm.AccountSettings{Typing: new(false), SendDelay: new(time.Second)} })
	w.m.Configure(testLine)
	eventually(t, "the settings are not taken over", func() bool { return w.m.serving(testLine).paceNow() == pace{delay: time.Second} })
	began := time.Now()
	w.say("3EB0A2", "another one")
	w.awaitOutcome(t, 2)
	if took := time.Since(began); took < time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestTypingTime(t *testing.T) {
	const most = 10 * time.Second
	for range 100 {
		if d := typingTime("Hi", most); d < 1100*time.Millisecond || d > 1650*time.Millisecond {
			t.Errorf("a short text: %v", d)
		}
		if d := typingTime(string(make([]rune, 1000)), most); d != most {
			t.Errorf("a long text: %v", d)
		}
		if d := jitter(time.Second); d < time.Second || d > 1500*time.Millisecond {
			t.Errorf("a second: %v", d)
		}
	}
	if d := jitter(0); d != 0 {
		t.Errorf("no delay: %v", d)
	}
}

// TestPhoneIsSeen checks that what the account's own phone does shows that it is there, and
// that this and the version are reported.
func TestPhoneIsSeen(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.say("3EB0A1", "a text") // the phone gets a copy, and confirms it
	if _, err := w.anna.AwaitText(testwait.Context(t), "a text"); err != nil {
		t.Fatal(err)
	}
	w.shop.Write(w.anna.Number(), &waE2E.Message{Conversation: new("from the phone")})
	w.awaitText(t, "from the phone")
	s := w.m.serving(testLine)
	if at := s.phoneSeen.Load(); time.Since(time.Unix(at, 0)) > testwait.Long {
		t.Fatalf("the phone was seen %v", at)
	}
	s.report(t.Context())
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	if !slices.ContainsFunc(w.rules.seen, func(seen crm.LineSeen) bool { return !seen.Phone.IsZero() }) {
		t.Errorf("it is reported as %+v", w.rules.seen)
	}
}
