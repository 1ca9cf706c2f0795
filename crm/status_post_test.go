package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// statusPost returns what a customer posted as their status.
func statusPost(id, phone string) crm.InboundMessage {
	subtype := crm.SubtypeStatus
	m := fromCustomer(id, phone, "At the sea", crmtest.Start-5)
	m.Subtype = &subtype
	return m
}

// TestStatusPostOfNobody checks that the status post of somebody without a chat makes
// neither a chat nor a contact, also beside a message that makes one, and that a deletion is
// remembered unless it asks for nothing.
func TestStatusPostOfNobody(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		result, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Messages: []crm.InboundMessage{
			statusPost("S1", "79990000001"), fromCustomer("A1", anna, "Hi", crmtest.Start), statusPost("S2", anna),
		}})
		if err != nil || result.Messages[0].Result != crm.ResultUnknown || result.Messages[1].Result != crm.ResultAccepted || result.Messages[2].Result != crm.ResultAccepted {
			t.Fatalf("the results are %+v, %v", result.Messages, err)
		}
		if chat := onlyChat(t, w); chat.Unread != 1 || chat.LastMessage.ID.String() != "A1" {
			t.Errorf("the chat is %+v", chat)
		}
		people, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
		if err != nil || len(people.Items) != 1 {
			t.Errorf("there are %+v, %v", people.Items, err)
		}
		deleted := func(id string, ifHere bool) crm.InboundDelete {
			return crm.InboundDelete{ID: idOf(id), Chat: chatOf(anna), By: idOf(anna), IfHere: ifHere}
		}
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{deleted("S2", true), deleted("S3", true), deleted("S4", false)}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{statusPost("S3", anna), statusPost("S4", anna)}})
		for _, m := range messagesOf(t, w, anna) {
			if gone := m.DeletedAt != nil; gone != (m.ID.String() == "S2" || m.ID.String() == "S4") {
				t.Errorf("%s is deleted: %v", m.ID, gone)
			}
		}
	})
}

// TestStatusPostIsNoAnswer checks that a stranger who posts a status remains one: the first
// message to them waits like any other, and the next is the first one when it fails.
func TestStatusPostIsNoAnswer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		if _, err := w.CreateChat(t.Context(), w.Owner, onGr, crm.ChatInput{Phone: crm.Value("79990001122")}); err != nil {
			t.Fatal(err)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{statusPost("S1", anna)}})
		sendText(t, w, anna, "Hello")
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{statusPost("S2", anna)}})
		if items := outbox(t, w); len(items) != 1 || !items[0].FirstContact {
			t.Errorf("the outbox has %+v, want a first message", items)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		if items := outbox(t, w); len(items) != 1 || items[0].FirstContact {
			t.Errorf("after an answer the outbox has %+v", items)
		}
	})
}
