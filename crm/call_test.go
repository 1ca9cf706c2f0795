package crm_test

import (
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// callStep returns a step of a call of a person known by a hidden id.
func callStep(id, typ string) crm.InboundCall {
	return crm.InboundCall{ID: idOf(id), Chat: chatOf("100200301@lid"), By: crm.InboundUser{ID: idOf("100200301@lid"), Name: "Anna"}, Type: typ}
}

// types returns the types of the events about calls, in order.
func callTypes(t *testing.T, w *crmtest.World) string {
	t.Helper()
	var all []string
	for _, ev := range w.Events(t, crm.EventCall) {
		for _, typ := range []string{crm.CallOffer, crm.CallAccept, crm.CallReject, crm.CallTimeout, crm.CallTerminate} {
			if strings.Contains(ev.Data, `"type":"`+typ+`"`) {
				all = append(all, typ)
			}
		}
	}
	return strings.Join(all, " ")
}

// TestStepsOfACall checks that each step of a call is told once and in order, also when the
// caller's chat gets another id meanwhile, and that calls are forgotten.
func TestStepsOfACall(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		step := func(typ string) { ingest(t, w, crm.InboundBatch{Calls: []crm.InboundCall{callStep("C1", typ)}}) }
		step(crm.CallTimeout) // of a call that is not known
		step(crm.CallOffer)   // and one of a chat that is not here
		if got := callTypes(t, w); got != "" {
			t.Errorf("told is %q", got)
		}
		m := fromCustomer("C1", "100200301@lid", "", crmtest.Start)
		m.Type, m.Message = "call", crm.Content{}
		offer := callStep("C1", crm.CallOffer)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{m}, Calls: []crm.InboundCall{offer}})
		step(crm.CallOffer)
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("100200301@lid")}}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", "79990001122", "Hi", crmtest.Start)}})
		for _, typ := range []string{crm.CallAccept, crm.CallAccept, crm.CallTerminate, crm.CallReject, crm.CallOffer} {
			step(typ)
		}
		if got := callTypes(t, w); got != "offer accept terminate" {
			t.Errorf("told is %q", got)
		}
		all := w.Events(t, crm.EventCall)
		if last := all[len(all)-1].Data; !strings.Contains(last, `"chat":{"id":"79990001122@c.us"}`) || strings.Contains(last, "Anna") {
			t.Errorf("the last one is %s", last)
		}
		w.Clock.Advance(25 * time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Read(t.Context()).CallOf(onGr.LicenseID, onGr.Messenger, "C1"); err == nil {
			t.Error("the call is remembered")
		}
		_, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Calls: []crm.InboundCall{callStep("C1", "ringing")}})
		wantCode(t, "another step", err, crm.CodeInvalid, "calls[0].type")
	})
}

// TestJoinedChatsKeepTheirState checks how a chat is arranged that was two.
func TestJoinedChatsKeepTheirState(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{
			fromCustomer("A1", "100200301@lid", "Hi", crmtest.Start), fromCustomer("A2", "79990001122", "Hi", crmtest.Start),
		}})
		ingest(t, w, crm.InboundBatch{States: []crm.InboundChatState{
			{Chat: chatOf("100200301@lid"), Changes: crm.ChatStateChanges{Archived: crm.Value(true), Unread: crm.Value(true), MutedUntil: crm.Value[int64](crm.MutedForEver)}},
			{Chat: chatOf("79990001122"), Changes: crm.ChatStateChanges{Pinned: crm.Value(true)}},
			{Chat: chatOf("79990009999"), Changes: crm.ChatStateChanges{Pinned: crm.Value(true)}},
		}})
		if n := len(w.Events(t, crm.EventChatState)); n != 2 {
			t.Errorf("told %d times", n)
		}
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("100200301@lid")}}})
		st := onlyChat(t, w).State
		if st.Archived || !st.Pinned || !st.Unread || st.MutedUntil == nil || *st.MutedUntil != crm.MutedForEver {
			t.Errorf("the state is %+v", st)
		}
		until := w.Now().Add(time.Hour).Unix()
		ingest(t, w, crm.InboundBatch{States: []crm.InboundChatState{{Chat: chatOf("79990001122"), Changes: crm.ChatStateChanges{MutedUntil: crm.Value(until)}}}})
		if st = onlyChat(t, w).State; st.MutedUntil == nil || *st.MutedUntil != until {
			t.Errorf("muted until %v", st.MutedUntil)
		}
		w.Clock.Advance(2 * time.Hour)
		if st = onlyChat(t, w).State; st.MutedUntil != nil {
			t.Errorf("still muted until %d", *st.MutedUntil)
		}
		_, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{States: []crm.InboundChatState{{Chat: chatOf("79990001122"), Changes: crm.ChatStateChanges{MutedUntil: crm.Value[int64](-2)}}}})
		wantCode(t, "no time", err, crm.CodeInvalid, "states[0].mutedUntil")
	})
}
