package whatsapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestCustomerTypes checks that a customer's typing is published and not stored.
func TestCustomerTypes(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.Type(h.shop, types.ChatPresenceComposing, types.ChatPresenceMediaText) // the chat is not known yet
		h.anna.SendText(h.shop, "hello")
		h.awaitItem(t, crm.EventMessage, "hello")
		expectTyping := func(typ string) {
			t.Helper()
			eventually(t, "nobody hears "+typ, func() bool {
				for _, ev := range h.Live.Published() {
					if ev.Name == crm.EventChatPresence && strings.Contains(ev.Data, `"type":"`+typ+`","chat":{"id":"79995554433@c.us"},"fromUser":{"id":"79995554433@c.us","username":null,"name":"Anna","phone":"79995554433","lid":"`+h.anna.HiddenID().String()+`"}`) {
						return true
					}
				}
				return false
			})
		}
		h.anna.Type(h.shop, types.ChatPresenceComposing, types.ChatPresenceMediaAudio)
		expectTyping(crm.PresenceRecording)
		h.anna.Type(h.shop, types.ChatPresencePaused, types.ChatPresenceMediaText)
		expectTyping(crm.PresencePaused)
		if len(h.Events(t, crm.EventChatPresence)) != 0 {
			t.Error("it is in the journal")
		}
		if page, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{}); err != nil || len(page.Items) != 1 {
			t.Errorf("%d chats, %v", len(page.Items), err)
		}
	})
}

// TestTypingIsToldOnce checks that repeated typing notifications are not all published.
func TestTypingIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	began := time.Now()
	for range 20 {
		w.anna.Type(w.shop, types.ChatPresenceComposing, types.ChatPresenceMediaText)
	}
	w.anna.Type(w.shop, types.ChatPresencePaused, types.ChatPresenceMediaText)
	w.anna.SendText(w.shop, "hello")
	w.awaitText(t, "hello")
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	const anna = "79995554433@c.us 79995554433@c.us "
	most := 2 + int(time.Since(began)/typingPause)
	if n := len(w.rules.presences); n < 2 || n > most || w.rules.presences[0] != anna+"typing" || w.rules.presences[n-1] != anna+"paused" {
		t.Errorf("told are %q", w.rules.presences)
	}
}

// TestOnlineWhileSomebodyWrites checks that the account is online only while somebody
// writes, and that it subscribes to the presence of the chat.
func TestOnlineWhileSomebodyWrites(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.online = 300 * time.Millisecond
	})
	w.pair(t)
	if err := w.shop.AwaitPresence(testwait.Context(t), "unavailable"); err != nil { // from then on the account's name is known
		t.Fatal(err)
	}
	w.say("3EB0E1", "one")
	w.awaitOutcome(t, 1)
	w.say("3EB0E2", "two")
	w.awaitOutcome(t, 2)
	if err := w.shop.AwaitWatched(testwait.Context(t), w.anna); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is shown as online for ever", func() bool {
		all := w.shop.Presences()
		return len(all) > 0 && all[len(all)-1].Type == "unavailable" && slices.ContainsFunc(all, func(p whatsapptest.Presence) bool { return p.Type == "available" })
	})
	w.sound(t)
}
