package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// asidesOf returns one message of each kind that does not count as one. Each is newer than
// the message A1 that it is about.
func asidesOf(at int64) map[string]crm.InboundMessage {
	reaction := func(id, emoji string) crm.InboundMessage {
		m := fromCustomer(id, anna, "", at)
		m.Type, m.Message = crm.MessageReaction, crm.Content{Reaction: &crm.Reaction{MessageID: idOf("A1"), Emoji: emoji}}
		return m
	}
	vote, closed, other := fromCustomer("V1", anna, "", at), fromCustomer("V2", anna, "", at), reaction("R3", "👍")
	subtype := "encReactionMessage"
	vote.Type, vote.Message = crm.MessagePoll, crm.Content{Vote: &crm.PollVote{MessageID: idOf("A1"), Options: []string{"Tea"}}}
	post, status := fromCustomer("S1", anna, "At the sea", at), crm.SubtypeStatus
	post.Subtype = &status
	closed.Type, closed.Subtype, closed.Message, closed.Aside = crm.MessageUnknown, &subtype, crm.Content{}, true
	other.FromMe, other.FromUser = true, &crm.InboundUser{ID: idOf("70000000001@c.us")}
	return map[string]crm.InboundMessage{
		"reaction": reaction("R1", "👍"), "reaction taken off": reaction("R2", ""), "our own reaction": other,
		"vote": vote, "reaction that cannot be opened": closed, "status post": post,
	}
}

// TestAsidesCountAsNoMessage closes and reads a chat. A reaction or a vote is published,
// but leaves the chat closed and read, in its place in the list, and without a window.
func TestAsidesCountAsNoMessage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const at = crmtest.Start - 9*86400
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Thank you", at)}, Reads: []crm.InboundRead{{Chat: chatOf(anna)}}})
		if _, err := w.SetChatStatus(t.Context(), w.Owner, chatAt(onGr, anna), models.ChatClose); err != nil {
			t.Fatal(err)
		}
		for what, m := range asidesOf(crmtest.Start - 5) {
			if got := happens(t, w, func() { ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{m}}) }); got != "message" {
				t.Errorf("%s: events %q, want only its own", what, got)
			}
			chat := onlyChat(t, w)
			if chat.Status != models.ChatClose || chat.Unread != 0 || chat.LastTime != at || chat.Conversation != nil || chat.LastMessage.ID.String() != "A1" {
				t.Errorf("%s: the chat is %+v, its last message %+v", what, chat, chat.LastMessage)
			}
		}
		if n := len(messagesOf(t, w, anna)); n != 7 {
			t.Errorf("the chat lists %d entries, want all", n)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A2", anna, "And a question", crmtest.Start)}})
		if chat := onlyChat(t, w); chat.Status != models.ChatOpen || chat.Unread != 1 || chat.LastMessage.ID.String() != "A2" {
			t.Errorf("after a message the chat is %+v", chat)
		}
	})
}

// TestAsidesAreNotRead checks that asides take no place among the unread messages: neither
// when the phone has read some of them, nor in the read mark for the customer.
func TestAsidesAreNotRead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		at := int64(crmtest.Start - 100)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "One", at), fromCustomer("A2", anna, "Two", at+1)}})
		for _, m := range asidesOf(at + 2) {
			ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{m}})
		}
		upTo := idOf("A1")
		ingest(t, w, crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chatOf(anna), UpTo: &upTo}}})
		if chat := onlyChat(t, w); chat.Unread != 1 {
			t.Errorf("%d are unread after the first was read, want 1", chat.Unread)
		}
		if _, err := w.MarkRead(t.Context(), w.Owner, chatAt(onGr, anna)); err != nil {
			t.Fatal(err)
		}
		items := outbox(t, w)
		if len(items) != 1 || len(items[0].Reads) != 1 || items[0].Reads[0].ID != "A2" {
			t.Errorf("the read mark names %+v, want A2", items)
		}
	})
}

// TestPlaceholderBecomesAside reads what turns out to be a reaction: it was counted as a
// message that could not be read.
func TestPlaceholderBecomesAside(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at, subtype := int64(crmtest.Start-100), crm.SubtypeUndecryptable
		m := fromCustomer("R1", anna, "", at)
		m.Type, m.Subtype, m.Message = crm.MessageUnknown, &subtype, crm.Content{}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{m, fromCustomer("A1", anna, "Hi", at+1)}})
		if chat := onlyChat(t, w); chat.Unread != 2 {
			t.Fatalf("%d are unread, want 2", chat.Unread)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{asidesOf(at)["reaction"]}})
		if chat := onlyChat(t, w); chat.Unread != 1 {
			t.Errorf("%d are unread, want the message alone", chat.Unread)
		}
	})
}
