package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestMessagesOfALine merges the messages of many chats, the newest first.
func TestMessagesOfALine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var want []string // the newest first
		var all crm.InboundBatch
		for i := range 240 {
			chat := fmt.Sprintf("7999000%04d@c.us", 1000+i*7%60)
			id := fmt.Sprintf("M%d", i)
			all.Messages = append(all.Messages, fromCustomer(id, chat, "Hi", crmtest.Start-1000+int64(i)))
			want = append(want, id)
		}
		ingest(t, w, all)
		slices.Reverse(want)
		list := func(a crm.Actor, q crm.LineMessageQuery) (ids []string, total int) {
			t.Helper()
			found, err := w.LineMessages(t.Context(), a, onGr, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range found.Items {
				ids = append(ids, m.ID.String())
			}
			return ids, found.Total
		}
		for _, part := range [][2]int{{0, 50}, {50, 100}, {200, 100}, {240, 1}} {
			got, total := list(w.Reader, crm.LineMessageQuery{Skip: part[0], Limit: part[1]})
			if part := want[part[0]:min(part[0]+part[1], 240)]; total != 240 || !slices.Equal(got, part) {
				t.Errorf("of %d: %v, want %v", total, got, part)
			}
		}
		const at = crmtest.Start - 1000
		if got, total := list(w.Owner, crm.LineMessageQuery{From: at + 100, To: at + 109, Limit: 100}); total != 10 || !slices.Equal(got, want[130:140]) {
			t.Errorf("of ten seconds: %v", got)
		}
		if got, total := list(w.Owner, crm.LineMessageQuery{ChatID: "79990001000", Limit: 2}); total != 4 || !slices.Equal(got, []string{"M180", "M120"}) {
			t.Errorf("of one chat: %d, %v", total, got)
		}
		if got, _ := list(w.Owner, crm.LineMessageQuery{Limit: 2, Match: func(m *crm.HistoryItem) bool { return strings.HasSuffix(m.ID.String(), "7") }}); !slices.Equal(got, []string{"M237", "M227"}) {
			t.Errorf("that match: %v", got)
		}
		if got, total := list(w.Owner, crm.LineMessageQuery{Skip: 3, Limit: 4, Uncounted: true}); total != 7 || !slices.Equal(got, want[3:7]) {
			t.Errorf("uncounted: %d, %v", total, got)
		}
		if got, _ := list(w.Owner, crm.LineMessageQuery{ID: "M7", Limit: 1}); !slices.Equal(got, []string{"M7"}) {
			t.Errorf("by id: %v", got)
		}
		if _, err := w.LineMessages(t.Context(), w.Stranger, onGr, crm.LineMessageQuery{Limit: 1}); err == nil {
			t.Error("another company may read")
		}
		for _, q := range []crm.LineMessageQuery{{}, {Limit: -1}, {Skip: -1, Limit: 1}, {Skip: 5000, Limit: 1}} {
			_, err := w.LineMessages(t.Context(), w.Owner, onGr, q)
			wantCode(t, fmt.Sprintf("%+v", q), err, crm.CodeInvalid, "limit")
		}
	})
}

// TestMessagesOfALineAreThoseOfSeenChats: an operator who sees only their own chats gets
// nothing of those of others, by no way.
func TestMessagesOfALineAreThoseOfSeenChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A", anna, "Hi", crmtest.Start-2), fromCustomer("B", "79990005566@c.us", "Hi", crmtest.Start-1)}})
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, anna), crm.Value(w.Operator.UserID)); err != nil {
			t.Fatal(err)
		}
		for _, q := range []crm.LineMessageQuery{{Limit: 10}, {ID: "A", Limit: 10}, {ChatID: anna, Limit: 10}} {
			for actor, sees := range map[crm.Actor]bool{w.OnlyMine: false, w.Operator: true} {
				found, err := w.LineMessages(t.Context(), actor, onGr, q)
				if err != nil {
					t.Fatal(err)
				}
				if got := slices.ContainsFunc(found.Items, func(m crm.HistoryItem) bool { return m.ID.String() == "A" }); got != sees {
					t.Errorf("%+v by %d: the message is seen: %v", q, actor.UserID, got)
				}
			}
		}
		_, err := w.LineMessage(t.Context(), w.OnlyMine, onGr, "A")
		wantCode(t, "a message of another's chat", err, crm.CodeNotFound, "")
		_, err = w.LineContact(t.Context(), w.OnlyMine, crm.ContactAddress{Line: onGr, ContactID: anna})
		wantCode(t, "the person of another's chat", err, crm.CodeNotFound, "")
		_, _, err = w.MessageFile(t.Context(), w.OnlyMine, onGr, "A")
		wantCode(t, "the file of another's chat", err, crm.CodeNotFound, "")
		_, _, err = w.MessageFile(t.Context(), w.Operator, onGr, "A")
		wantCode(t, "the file of a text", err, crm.CodeInvalid, "id")
	})
}

// TestOrigins: a reaction and a vote tell what is known of the message that they are about,
// in events and in lists; it is not stored, and a deleted message tells nothing in it.
func TestOrigins(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A", anna, "Secret", crmtest.Start-9)}})
		mark, first := w.Mark(t), idOf("A")
		reacts := fromCustomer("R", anna, "", crmtest.Start-8)
		reacts.Type, reacts.Message = crm.MessageReaction, crm.Content{Reaction: &crm.Reaction{MessageID: idOf("A"), Emoji: "👍", Origin: &crm.MessageOrigin{FromMe: true}}}
		other := fromCustomer("S", anna, "", crmtest.Start-7)
		other.Type, other.Message = crm.MessageReaction, crm.Content{Reaction: &crm.Reaction{MessageID: idOf("NOTHERE"), Emoji: "👍", Origin: &crm.MessageOrigin{FromMe: true}}}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{reacts, other}})
		events := w.EventsAfter(t, mark, "message")
		if of := messageOf(t, events[0]).Message.Reaction.Origin; of == nil || of.FromMe || of.Time != crmtest.Start-9 || of.Type != "text" {
			t.Errorf("the origin is %+v", of)
		}
		if of := messageOf(t, events[1]).Message.Reaction.Origin; of != nil {
			t.Errorf("of a message that is not here it is %+v", of)
		}
		late := fromCustomer("P", anna, "Secret too", crmtest.Start-6)
		late.QuotedMessageID = &first
		placeholder := late
		placeholder.Type, placeholder.Subtype, placeholder.Message = crm.MessageUnknown, text(crm.SubtypeUndecryptable), crm.Content{}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{placeholder}})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{late}}) // whole in the event, with what it quotes
		if all := w.EventsAfter(t, mark, "messageEdit"); len(all) != 1 || strings.Count(all[0].Data, "Secret") != 3 {
			t.Errorf("what arrived late is told as %v", all)
		}
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("A"), Chat: chatOf(anna)}, {ID: idOf("P"), Chat: chatOf(anna)}}})
		for _, ev := range w.Events(t) {
			if strings.Contains(ev.Data, "Secret") {
				t.Errorf("%s still has what was deleted: %s", ev.Name, ev.Data)
			}
		}
	})
}
