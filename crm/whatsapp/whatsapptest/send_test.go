package whatsapptest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestSendRefused(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	for _, code := range []string{"463", "479", "403"} {
		var number int
		for _, digit := range code {
			number = number*10 + int(digit-'0')
		}
		w.shop.FailSends(number, 1)
		_, err := c.say(w.anna.Number(), "refused "+code)
		if !errors.Is(err, whatsmeow.ErrServerReturnedError) || !strings.HasSuffix(err.Error(), code) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := c.say(w.anna.Number(), "taken"); err != nil {
		t.Error(err)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), "taken"); err != nil {
		t.Error(err)
	}
	if n := len(w.anna.Inbox()); n != 1 {
		t.Errorf("%d messages arrived, want the one that was taken", n)
	}
	w.sound(t)
}

func TestSendNeverAcknowledged(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.shop.LoseAcks(1)
	text := "is anybody there"
	msg := &waE2E.Message{Conversation: &text}
	_, err := c.SendMessage(t.Context(), w.anna.Number(), msg, whatsmeow.SendRequestExtra{ID: "3EB0AA", Timeout: time.Second})
	if !errors.Is(err, whatsmeow.ErrMessageTimedOut) {
		t.Fatalf("%v", err)
	}
	if _, err := w.anna.AwaitID(testwait.Context(t), "3EB0AA"); err != nil {
		t.Fatal(err)
	}
	// With the same id again, the phone sees one message that came twice.
	if _, err := c.SendMessage(t.Context(), w.anna.Number(), msg, whatsmeow.SendRequestExtra{ID: "3EB0AA"}); err != nil {
		t.Fatal(err)
	}
	inbox := w.anna.Inbox()
	if len(inbox) != 1 || inbox[0].Copies != 2 {
		t.Errorf("%d messages: %+v", len(inbox), inbox)
	}
	w.sound(t)
}

func TestSendCutOff(t *testing.T) {
	for name, delivered := range map[string]bool{"before the server has it": false, "before its ack": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.linked(t)
			w.shop.CutOnSend(delivered, 1)
			sent, err := c.say(w.anna.Number(), "hello")
			if err != nil {
				t.Fatal(err) // whatsmeow sends the frame again by itself
			}
			got, err := w.anna.AwaitID(testwait.Context(t), sent.ID)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(w.anna.Inbox()); n != 1 || got.Text() != "hello" {
				t.Errorf("%d messages, the first %q", n, got.Text())
			}
			w.sound(t)
		})
	}
}

func TestRetryBySender(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.anna.PlayDeaf(2) // the second retry receipt carries fresh keys
	sent, err := c.say(w.anna.Number(), "say it again")
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.anna.AwaitID(testwait.Context(t), sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text() != "say it again" || got.Retries != 2 {
		t.Errorf("arrived as %+v", got)
	}
	if _, err := c.say(w.anna.Number(), "and go on"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), "and go on"); err != nil {
		t.Error(err)
	}
	w.sound(t)
}

// TestRetryAfterRestart checks that the client asks its user for a message that it
// has forgotten.
func TestRetryAfterRestart(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	sent, err := c.say(w.anna.Number(), "remember me")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.AwaitID(testwait.Context(t), sent.ID); err != nil {
		t.Fatal(err)
	}
	c.Disconnect()
	again := w.openClient(t, c.path)
	again.GetMessageForRetry = func(_, _ types.JID, id types.MessageID) *waE2E.Message {
		text := "remember me"
		return &waE2E.Message{Conversation: &text}
	}
	if err := again.Connect(); err != nil {
		t.Fatal(err)
	}
	await[*events.Connected](again, nil)
	w.anna.AskAgain(w.shop, sent.ID)
	if _, err := w.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool { return r.ID == sent.ID && r.Copies == 2 }); err != nil {
		t.Error(err)
	}
	w.sound(t)
}

func TestGarbledMessagesAreAskedForAgain(t *testing.T) {
	w := newWorld(t)
	w.shop.IgnoreRequests(true) // so that only the contact can help
	c := w.linked(t)
	for i, text := range []string{"in a new session", "in an old one"} {
		id := w.anna.SendText(w.shop, text, whatsapptest.SendOpts{Garbled: i + 1})
		bad := await(c, func(e *events.UndecryptableMessage) bool { return e.Info.ID == id })
		if bad.IsUnavailable {
			t.Error("a broken message is said not to be there")
		}
		m := c.awaitText(text)
		if m.Info.ID != id || m.RetryCount != i+1 {
			t.Errorf("%s: came as %s after %d retries", text, m.Info.ID, m.RetryCount)
		}
		if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
			t.Error(err)
		}
	}
	w.sound(t)
}

func TestLostSession(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.anna.SendText(w.shop, "one")
	c.awaitText("one")
	if _, err := c.say(w.anna.Number(), "two"); err != nil {
		t.Fatal(err)
	}
	w.anna.ForgetSession(w.shop)
	w.anna.SendText(w.shop, "three")
	c.awaitText("three")
	w.anna.Reinstall()
	await(c, func(e *events.IdentityChange) bool { return e.JID == w.anna.Number() && !e.Implicit })
	w.anna.SendText(w.shop, "from my new phone")
	c.awaitText("from my new phone")
	if _, err := c.say(w.anna.Number(), "congratulations"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), "congratulations"); err != nil {
		t.Error(err)
	}
	w.sound(t)
}

func TestPhoneHelpsOut(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	id := w.anna.SendText(w.shop, "look quickly", whatsapptest.SendOpts{Unavailable: "view_once"})
	gone := await(c, func(e *events.UndecryptableMessage) bool { return e.Info.ID == id })
	if !gone.IsUnavailable || gone.UnavailableType != events.UnavailableTypeViewOnce {
		t.Errorf("came as %+v", gone)
	}
	m := c.awaitText("look quickly")
	if m.Info.ID != id || m.UnavailableRequestID == "" {
		t.Errorf("came as %+v", m.Info)
	}
	w.sound(t)
}

func TestNoProtobuf(t *testing.T) {
	w := newWorld(t)
	w.linked(t)
	id := w.anna.SendText(w.shop, "", whatsapptest.SendOpts{Plaintext: []byte("\xff\xff no protobuf")})
	good := w.anna.SendText(w.shop, "a good one")
	if err := w.anna.AwaitDelivered(testwait.Context(t), good); err != nil {
		t.Fatal(err)
	}
	nacks := w.shop.Nacks()
	if len(nacks) != 1 || nacks[0].ID != id || nacks[0].Code != whatsmeow.NackInvalidProtobuf {
		t.Errorf("refused: %+v", nacks)
	}
}

func TestManyPrekeys(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	// Each new session uses up a prekey. The client uploads 812 at first.
	w.shop.SpendPreKeys(770)
	for range 40 {
		w.anna.ForgetSession(w.shop)
		w.anna.SendText(w.shop, "again")
	}
	w.anna.SendText(w.shop, "done")
	c.awaitText("done")
	if err := w.shop.AwaitPreKeys(testwait.Context(t), 50); err != nil {
		t.Error(err)
	}
	w.sound(t)
}

func TestNobodyThere(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	list, err := c.IsOnWhatsApp(t.Context(), []string{"+79995554433", "+79990000000"})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || !list[0].IsIn || list[0].JID != w.anna.HiddenID() || list[0].PhoneNumber != w.anna.Number() || list[1].IsIn {
		t.Errorf("%+v", list)
	}
	info, err := c.GetUserInfo(t.Context(), []types.JID{w.anna.Number()})
	if err != nil || info[w.anna.Number()].LID != w.anna.HiddenID() {
		t.Errorf("%+v, %v", info, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Long)
	defer cancel()
	if _, err := c.SendMessage(ctx, types.NewJID("79990000000", types.DefaultUserServer), &waE2E.Message{}); err == nil || !strings.Contains(err.Error(), "no LID found") {
		t.Errorf("a message to nobody: %v", err)
	}
	w.sound(t)
}
