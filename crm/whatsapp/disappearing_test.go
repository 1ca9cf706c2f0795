package whatsapp

import (
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

const day = 24 * 60 * 60

// expiring returns a text in a chat whose messages disappear.
func expiring(text string, after uint32, since time.Time) *waE2E.Message {
	return whatsapptest.RichText(text, &waE2E.ContextInfo{Expiration: &after, EphemeralSettingTimestamp: proto.Int64(since.Unix())})
}

// setting returns the change of a chat's setting, which is no message.
func setting(after uint32) *waE2E.Message {
	return &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_EPHEMERAL_SETTING.Enum(), EphemeralExpiration: &after,
	}}
}

// answered sends a text and returns the context that it arrives with.
func (h *harness) answered(t *testing.T, text string) *waE2E.ContextInfo {
	t.Helper()
	id := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: text}})
	got, err := h.anna.AwaitID(testwait.Context(t), id)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text() != text {
		t.Errorf("arrived as %v", got.Message)
	}
	return got.Message.GetExtendedTextMessage().GetContextInfo()
}

// TestDisappearingMessages checks that a chat's setting is sent along, whoever tells it and
// in whichever way, until the customer changes it.
func TestDisappearingMessages(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		now := time.Now()
		h.anna.SendText(h.shop, "hello")
		h.awaitItem(t, crm.EventMessage, `"hello"`)
		if c := h.answered(t, "before"); c != nil {
			t.Errorf("without a setting the context is %v", c)
		}

		h.anna.Send(h.shop, expiring("for a day", day, now.Add(-time.Minute)))
		h.awaitItem(t, crm.EventMessage, `"for a day"`)
		if c := h.answered(t, "one"); c.GetExpiration() != day || c.GetEphemeralSettingTimestamp() != now.Add(-time.Minute).Unix() {
			t.Errorf("after a message the context is %v", c)
		}

		// What was set before, or cannot be, changes nothing.
		h.anna.Send(h.shop, expiring("an old one", 0, now.Add(-time.Hour)))
		h.anna.Send(h.shop, expiring("a lie", 1<<32-1, now))
		h.anna.Send(h.shop, setting(1<<32-1))
		h.anna.SendText(h.shop, "and a plain text")
		h.awaitItem(t, crm.EventMessage, `"and a plain text"`)
		if c := h.answered(t, "two"); c.GetExpiration() != day {
			t.Errorf("after lies the context is %v", c)
		}

		h.anna.Send(h.shop, setting(7*day))
		h.anna.SendText(h.shop, "changed")
		h.awaitItem(t, crm.EventMessage, `"changed"`)
		c := h.answered(t, "three")
		if m := c.GetDisappearingMode(); c.GetExpiration() != 7*day || m.GetInitiator() != waE2E.DisappearingMode_CHANGED_IN_CHAT || m.InitiatedByMe == nil || m.GetInitiatedByMe() {
			t.Errorf("after the customer's change the context is %v", c)
		}

		h.stop() // the setting is not in memory
		m, stop := h.node(t, h.Service)
		h.m, h.stop = m, stop
		h.Service.Messengers[Type] = m
		h.awaitState(t, crm.StateConnected)
		if c := h.answered(t, "four"); c.GetExpiration() != 7*day {
			t.Errorf("after a restart the context is %v", c)
		}

		h.anna.Send(h.shop, setting(0))
		h.anna.SendText(h.shop, "stays")
		h.awaitItem(t, crm.EventMessage, `"stays"`)
		if c := h.answered(t, "five"); c != nil {
			t.Errorf("after it was switched off the context is %v", c)
		}
	})
}

// TestDisappearingInGroups checks that a group's setting is its own: what a member says in
// a message does not change it.
func TestDisappearingInGroups(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		g := h.wa.NewGroup("Friends", false, h.anna, h.shop)
		g.Disappear(h.anna, day)
		h.pair(t)
		at := crm.ChatAddress{Line: testLine, ChatID: g.JID().String()}
		answered := func(text string) *waE2E.ContextInfo {
			sent, err := h.Send(t.Context(), h.Operator, at, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: text}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := h.anna.AwaitID(testwait.Context(t), sent.ID.String())
			if err != nil {
				t.Fatal(err)
			}
			return got.Message.GetExtendedTextMessage().GetContextInfo()
		}
		h.anna.SendGroup(g, expiring("in the group", 30, time.Now()))
		h.awaitItem(t, crm.EventMessage, `"in the group"`)
		if c := answered("one"); c.GetExpiration() != day {
			t.Errorf("the context is %v", c)
		}
		g.Disappear(h.anna, 0)
		h.anna.SendGroup(g, whatsapptest.Text("it stays"))
		h.awaitItem(t, crm.EventMessage, `"it stays"`)
		if c := answered("two"); c != nil {
			t.Errorf("after it was switched off the context is %v", c)
		}
	})
}

// TestDisappearingInNewChats sets on the phone, and then here, after how long messages
// disappear in new chats: both have what was set last, and chats that the line begins carry it.
func TestDisappearingInNewChats(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.shop.SetTimer(7*day, time.Now().Add(-time.Hour))
		h.pair(t)
		is := func(want int64) {
			t.Helper()
			eventually(t, "the setting is not told", func() bool {
				settings, err := h.LineSettings(t.Context(), h.Owner, testLine)
				return err == nil && settings.Disappearing == want && h.shop.Timer() == int(want)
			})
		}
		is(7 * day)
		c := h.answered(t, "one") // nobody has written yet
		if m := c.GetDisappearingMode(); c.GetExpiration() != 7*day || m.GetInitiator() != waE2E.DisappearingMode_INITIATED_BY_ME || m.GetTrigger() != waE2E.DisappearingMode_ACCOUNT_SETTING {
			t.Errorf("the context is %v", c)
		}
		if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{Disappearing: crm.Value[int64](day)}); err != nil {
			t.Fatal(err)
		}
		is(day)
		h.shop.SetTimer(0, time.Now().Add(time.Minute))
		h.shop.Drop() // it is asked for at each connection
		is(0)
		if c := h.answered(t, "two"); c.GetExpiration() != 7*day {
			t.Errorf("the chat that was there has the context %v", c)
		}
	})
}

// TestTimerIsAskedForOnce checks that a heartbeat does not ask for the setting that the
// connection is about to ask for.
func TestTimerIsAskedForOnce(t *testing.T) {
	var timer accountTimer
	if timer.due(1) {
		t.Error("a heartbeat asks before the connection has")
	}
	timer.asked = true
	if !timer.due(1) {
		t.Error("a new setting is not due")
	}
}

// TestRefusedTimerIsLeftAlone checks that WhatsApp is not asked again and again for a setting
// that it does not tell, until the setting is another one.
func TestRefusedTimerIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.rules.change(func() { w.rules.settings.Disappearing, w.rules.settings.DisappearingSince = day, 1 })
	w.RefuseRequests("usync", 429)
	w.pair(t)
	asked := func(n int) {
		t.Helper()
		eventually(t, "WhatsApp is not asked", func() bool { return w.Requests("usync disappearing_mode") >= n })
	}
	asked(1)
	for i := range 3 {
		w.m.tend(t.Context(), true) // a heartbeat of the program
		text := fmt.Sprint("after heartbeat ", i)
		w.anna.SendText(w.shop, text)
		w.awaitText(t, text)
	}
	if n := w.Requests("usync disappearing_mode"); n != 1 {
		t.Errorf("WhatsApp was asked %d times", n)
	}
	w.rules.change(func() { w.rules.settings.DisappearingSince = 2 })
	w.m.tend(t.Context(), true)
	asked(2)
	w.stop()
	if n := w.Requests("usync disappearing_mode"); n != 2 {
		t.Errorf("WhatsApp was asked %d times", n)
	}
}
