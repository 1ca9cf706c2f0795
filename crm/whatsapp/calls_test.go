package whatsapp

import (
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

func TestCalls(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.Call(w.shop, true)
	m := w.awaitMessage(t, "the call", func(m crm.InboundMessage) bool { return m.Type == "call" })
	if m.ID.String() != id || *m.Subtype != "video" || m.Chat.ID.String() != "79995554433@c.us" {
		t.Errorf("came as %+v", m)
	}
}

// TestCallsAreRejected checks the setting of a line: off, calls ring; on, they are rejected
// and answered once, with a message that everybody sees.
func TestCallsAreRejected(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		rings := h.anna.Call(h.shop, false)
		h.awaitItem(t, crm.EventMessage, rings, `"call"`)
		const text = "We cannot take calls. Please write to us."
		if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{RejectCalls: crm.Value(true), RejectText: crm.Value(text)}); err != nil {
			t.Fatal(err)
		}
		rejected := h.anna.Call(h.shop, true)
		h.awaitItem(t, crm.EventMessage, rejected, `"call"`)
		if err := h.anna.AwaitRejected(testwait.Context(t), rejected); err != nil {
			t.Fatal(err)
		}
		got, err := h.anna.AwaitText(testwait.Context(t), text)
		if err != nil {
			t.Fatal(err)
		}
		h.awaitItem(t, crm.EventMessage, got.ID, text, `"side":"out"`)
		if err := h.CallRejected(t.Context(), testLine, anna, rejected); err != nil {
			t.Fatal(err)
		}
		h.anna.SendText(h.shop, "all right")
		h.awaitItem(t, crm.EventMessage, "all right")
		answers := 0
		for _, written := range h.texts(t) {
			if written == text {
				answers++
			}
		}
		if answers != 1 {
			t.Errorf("the caller was answered %d times", answers)
		}
		for _, done := range h.anna.Calls() {
			if done.Call == rings {
				t.Errorf("without the setting, a call is met with %s", done.Action)
			}
		}
	})
}

// TestStepsOfCalls checks that each step of a call is told once: what happens on the phone,
// what WhatsApp tells of other devices, and the line's own rejection.
func TestStepsOfCalls(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		missed, taken, refused := h.anna.Call(h.shop, false), h.anna.Call(h.shop, true), h.anna.Call(h.shop, false)
		h.awaitItem(t, crm.EventCall, missed, `"type":"offer"`, `"video":false`, `"group":false`, `"chat":{"id":"`+anna+`"}`, `"fromUser":{"id":"`+anna+`"`)
		h.awaitItem(t, crm.EventCall, taken, `"type":"offer"`, `"video":true`)
		h.awaitItem(t, crm.EventCall, refused, `"type":"offer"`)
		h.anna.HangUp(h.shop, missed, "timeout")
		h.anna.HangUp(h.shop, missed, "timeout")
		h.awaitItem(t, crm.EventCall, missed, `"type":"timeout"`)
		h.anna.HangUp(h.shop, taken, "accepted_elsewhere")
		h.awaitItem(t, crm.EventCall, taken, `"type":"accept"`, `"video":true`)
		h.anna.HangUp(h.shop, taken, "")
		h.awaitItem(t, crm.EventCall, taken, `"type":"terminate"`)
		h.anna.HangUp(h.shop, refused, "rejected_elsewhere")
		h.awaitItem(t, crm.EventCall, refused, `"type":"reject"`)
		h.anna.HangUp(h.shop, "AAAA", "timeout") // of a call that is not known
		if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{RejectCalls: crm.Value(true)}); err != nil {
			t.Fatal(err)
		}
		ours := h.anna.Call(h.shop, false)
		h.awaitItem(t, crm.EventCall, ours, `"type":"reject"`)
		h.anna.HangUp(h.shop, ours, "")
		h.anna.SendText(h.shop, "the end")
		h.awaitItem(t, crm.EventMessage, "the end")
		if n := len(h.Events(t, crm.EventCall)); n != 9 {
			t.Errorf("told %d times, want 9", n)
		}
	})
}
