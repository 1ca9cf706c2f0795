package whatsapp

import (
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestChatStates arranges a chat from here and on the phone. Each change is told once, with
// who did it.
func TestChatStates(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitName(t, "Shop")
		id := h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		change := func(ch crm.ChatStateChanges) crm.ChatState {
			t.Helper()
			data, err := h.ChangeChatState(t.Context(), h.Operator, h.chat(), ch)
			if err != nil {
				t.Fatal(err)
			}
			return data.State
		}
		if got := change(crm.ChatStateChanges{Pinned: crm.Value(true)}); got != (crm.ChatState{Pinned: true}) {
			t.Errorf("pinned: %+v", got)
		}
		if got := change(crm.ChatStateChanges{Archived: crm.Value(true)}); got != (crm.ChatState{Archived: true}) {
			t.Errorf("archived, and no longer pinned: %+v", got)
		}
		ch, err := h.shop.AwaitChange(testwait.Context(t), appstate.IndexArchive)
		if messages := ch.Value.GetArchiveChatAction().GetMessageRange().GetMessages(); err != nil || len(messages) != 1 || messages[0].GetKey().GetID() != id || messages[0].GetKey().GetFromMe() {
			t.Errorf("the phone is told %v, %v", ch, err)
		}
		if got := change(crm.ChatStateChanges{Unread: crm.Value(true)}); !got.Unread || !got.Archived {
			t.Errorf("marked as unread: %+v", got)
		}
		until := time.Now().Add(8 * time.Hour).Unix()
		if got := change(crm.ChatStateChanges{MutedUntil: crm.Value(until)}); got.MutedUntil == nil || *got.MutedUntil != until {
			t.Errorf("muted: %+v", got)
		}
		ch, err = h.shop.AwaitChange(testwait.Context(t), appstate.IndexMute)
		if mute := ch.Value.GetMuteAction(); err != nil || !mute.GetMuted() || mute.GetMuteEndTimestamp() != until*1000 {
			t.Errorf("the phone is told %v, %v", ch, err)
		}
		if got := change(crm.ChatStateChanges{MutedUntil: crm.Null[int64]()}); got.MutedUntil != nil {
			t.Errorf("no longer muted: %+v", got)
		}
		h.shop.Change(appstate.BuildArchive(h.anna.Number(), false, time.Now(), nil))
		h.awaitItem(t, crm.EventChatState, `"archived":false`, `"unread":true`, `"edited":null`)
		h.shop.Change(appstate.BuildMute(h.anna.Number(), true, 0))
		h.awaitItem(t, crm.EventChatState, `"mutedUntil":-1`, `"edited":null`)
		h.shop.Change(appstate.BuildPin(h.anna.Number(), true))
		h.awaitItem(t, crm.EventChatState, `"pinned":true`, `"mutedUntil":-1`)
		h.shop.Change(appstate.BuildMarkChatAsRead(h.anna.Number(), true, time.Now(), nil))
		h.awaitItem(t, crm.EventChatState, `"unread":false`, `"edited":null`)
		if n := len(h.Events(t, crm.EventChatState)); n != 9 { // 5 of ours
			t.Errorf("told %d times", n)
		}
		h.stop()
		if _, err := h.ChangeChatState(t.Context(), h.Operator, h.chat(), crm.ChatStateChanges{Archived: crm.Value(true)}); code(err) != crm.CodeUnavailable {
			t.Errorf("of a line that is not connected: %v", err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestChatStateOfAGroup checks that the phone is told up to which message of a member.
func TestChatStateOfAGroup(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitName(t, "Shop")
		g := h.wa.NewGroup("Club", true, h.anna, h.shop)
		h.anna.SendGroup(g, whatsapptest.Text("to all"))
		h.awaitItem(t, crm.EventMessage, `"to all"`)
		at := crm.ChatAddress{Line: testLine, ChatID: g.JID().String()}
		if _, err := h.ChangeChatState(t.Context(), h.Operator, at, crm.ChatStateChanges{Archived: crm.Value(true)}); err != nil {
			t.Fatal(err)
		}
		ch, err := h.shop.AwaitChange(testwait.Context(t), appstate.IndexArchive, g.JID().String())
		if messages := ch.Value.GetArchiveChatAction().GetMessageRange().GetMessages(); err != nil || len(messages) != 1 || messages[0].GetKey().GetParticipant() != h.anna.HiddenID().String() {
			t.Errorf("the phone is told %v, %v", ch, err)
		}
	})
}
