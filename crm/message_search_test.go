package crm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// found searches, page by page, and returns the ids of the messages, or the refused field
// or the code.
func found(t *testing.T, w *crmtest.World, a crm.Actor, q crm.SearchQuery) string {
	t.Helper()
	var ids []string
	for q.Limit = 2; ; {
		page, err := w.SearchMessages(t.Context(), a, onGr, q)
		if e, ok := err.(*crm.Error); ok {
			for field := range e.Fields {
				return field
			}
			return string(e.Code)
		}
		if err != nil {
			t.Fatalf("search %q: %v", q.Search, err)
		}
		if !page.Complete {
			t.Errorf("search %q: not complete", q.Search)
		}
		for _, m := range page.Items {
			ids = append(ids, m.ID.String())
		}
		if page.NextPage == nil {
			return strings.Join(ids, " ")
		}
		q.NextPage = *page.NextPage
	}
}

func TestSearchMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const bea = "79990003344@c.us"
		file := fromCustomer("F", bea, "", crmtest.Start+9)
		file.Type, file.Message = crm.MessageDocument, crm.Content{Caption: "Signé", File: &crm.FileData{Link: "https://x.test/f", Name: "Größe.pdf"}}
		poll := fromCustomer("P", bea, "", crmtest.Start+10)
		poll.Type, poll.Message = crm.MessagePoll, crm.Content{Poll: &crm.Poll{Question: "Tea?", Options: []string{"Зелёный", "Black"}}}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{
			fromCustomer("A1", anna, "Tomás pidió café", crmtest.Start+1),
			fromCustomer("A2", anna, "Иван купил ёлку", crmtest.Start+2),
			fromCustomer("B1", bea, "иван и TOMASITO", crmtest.Start+3),
			fromCustomer("A3", anna, "私は東京都に住んでいます", crmtest.Start+4),
			fromCustomer("A4", anna, "ฉันรักเมืองไทย", crmtest.Start+5),
			fromCustomer("A5", anna, "Order 100% \"sure\" 👍🏽", crmtest.Start+6),
			fromCustomer("A6", anna, "чай или чаи", crmtest.Start+7),
			file, poll,
		}})
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, bea), crm.Value(w.Operator.UserID)); err != nil {
			t.Fatal(err)
		}
		at, long := int64(crmtest.Start+2), strings.Repeat("слово ", 16)
		for _, test := range []struct {
			who  crm.Actor
			q    crm.SearchQuery
			want string
		}{
			{w.Owner, crm.SearchQuery{Search: "tomas"}, "B1 A1"},
			{w.Owner, crm.SearchQuery{Search: "ТОМ"}, ""},
			{w.Owner, crm.SearchQuery{Search: "TOMÁS Café"}, "A1"},
			{w.Owner, crm.SearchQuery{Search: "иван"}, "B1 A2"},
			{w.Owner, crm.SearchQuery{Search: "Ив елку"}, "A2"},
			{w.Owner, crm.SearchQuery{Search: "чай"}, "A6"},
			{w.Owner, crm.SearchQuery{Search: "чаи"}, "A6"},
			{w.Owner, crm.SearchQuery{Search: "иванй"}, ""},
			{w.Owner, crm.SearchQuery{Search: "東京"}, "A3"},
			{w.Owner, crm.SearchQuery{Search: "都"}, "A3"},
			{w.Owner, crm.SearchQuery{Search: "京東"}, ""},
			{w.Owner, crm.SearchQuery{Search: "เมือง"}, "A4"},
			{w.Owner, crm.SearchQuery{Search: "👍"}, "A5"},
			{w.Owner, crm.SearchQuery{Search: "grosse"}, "F"},
			{w.Owner, crm.SearchQuery{Search: "signe"}, "F"},
			{w.Owner, crm.SearchQuery{Search: "tea зеленый"}, "P"},
			{w.Owner, crm.SearchQuery{Search: "и"}, "B1"}, // a word of one letter
			{w.Owner, crm.SearchQuery{Search: "tomas", ChatID: "79990001122"}, "A1"},
			{w.Owner, crm.SearchQuery{Search: "иван", LastTime: &at}, "A2"},
			{w.Owner, crm.SearchQuery{Search: "tomas", ChatID: "79990009999"}, "not_found"},
			{w.Owner, crm.SearchQuery{Search: "tomas", ChatID: "\x00"}, "chatId"},
			{w.Reader, crm.SearchQuery{Search: "tomas"}, "B1 A1"},
			{w.OnlyMine, crm.SearchQuery{Search: "tomas"}, "A1"},
			{w.OnlyMine, crm.SearchQuery{Search: "tomas", ChatID: bea}, "not_found"},
			{w.Outsider, crm.SearchQuery{Search: "tomas"}, "denied"},
			{w.Stranger, crm.SearchQuery{Search: "tomas"}, "not_found"},

			{w.Owner, crm.SearchQuery{Search: ""}, "search"},
			{w.Owner, crm.SearchQuery{Search: "?!\"'*"}, "search"},
			{w.Owner, crm.SearchQuery{Search: "\xff"}, "search"},
			{w.Owner, crm.SearchQuery{Search: "a\x00"}, "search"},
			{w.Owner, crm.SearchQuery{Search: strings.Repeat("a", 101)}, "search"},
			{w.Owner, crm.SearchQuery{Search: strings.Repeat("a", 100)}, ""},
			{w.Owner, crm.SearchQuery{Search: long}, ""},
			{w.Owner, crm.SearchQuery{Search: `"sure" 100%`}, "A5"},
			{w.Owner, crm.SearchQuery{Search: `tomas OR order`}, ""},
			{w.Owner, crm.SearchQuery{Search: `NEAR(tomas cafe)`}, ""},
			{w.Owner, crm.SearchQuery{Search: `tomas*`}, "B1 A1"},
			{w.Owner, crm.SearchQuery{Search: `words:tomas -b ^c {d} e+f \ ' | & ! <-> :* (`}, ""},
			{w.Owner, crm.SearchQuery{Search: "tomas", PageQuery: crm.PageQuery{NextPage: "x"}}, "nextPage"},
		} {
			if got := found(t, w, test.who, test.q); got != test.want {
				t.Errorf("user %d searches %+v: %q, want %q", test.who.UserID, test.q, got, test.want)
			}
		}
	})
}

// TestSearchFollowsTheMessages edits, replaces, deletes, restores and merges messages:
// only what they say now is found.
func TestSearchFollowsTheMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		x := delivered(t, store) // a message that says "one"
		w := x.World
		want := func(when, search, ids string) {
			t.Helper()
			if got := found(t, w, w.Owner, crm.SearchQuery{Search: search}); got != ids {
				t.Errorf("%s, %q finds %q, want %q", when, search, got, ids)
			}
		}
		x.edit("banana")
		want("edited", "one", "")
		want("edited", "banana", x.id)
		done(t, w, x.start(), refused)
		want("after the edit was refused", "banana", "")
		want("after the edit was refused", "one", x.id)
		x.remove()
		want("deleted", "one", "")
		done(t, w, x.start(), refused)
		want("after the deletion was refused", "one", x.id)
		x.remove()
		want("deleted again", "one", "")
		if n, err := store.Read(t.Context()).Indexed(); n != 0 || err != nil {
			t.Errorf("the index has words of %d deleted messages, %v", n, err)
		}

		const lid = "555@lid"
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{
			fromCustomer("A1", anna, "cherry", crmtest.Start+1), fromCustomer("L1", lid, "cherry too", crmtest.Start+2),
			fromCustomer("A2", anna, "cherry twice", crmtest.Start+3), fromCustomer("A2", lid, "cherry twice", crmtest.Start+3),
		}})
		want("in two chats", "cherry", "A2 A2 L1 A1")
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(anna), LID: idOf(lid)}}})
		want("in one chat", "cherry", "A2 L1 A1")
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("L1"), Chat: chatOf(lid)}}})
		want("deleted by the customer", "cherry", "A2 A1")
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, onGr.LicenseID, onGr.Messenger); err != nil {
			t.Fatal(err)
		}
		if n, err := store.Read(t.Context()).Indexed(); n != 0 || err != nil {
			t.Errorf("%d messages of a line that is gone are indexed, %v", n, err)
		}
	})
}

// TestSearchOldMessages indexes names and messages that are older than the index, in the
// background. Until then a search of messages says that it is not complete, and names are
// found as they are written.
func TestSearchOldMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const old = 450 // more than two batches
		chat := putChat(t, w, whatsApp, anna)
		other := putChat(t, w, whatsApp, "79990008888@c.us")
		w.Tx(t, func(tx *models.Tx) error {
			other.Name = "Ёж"
			if err := tx.SaveChat(&other); err != nil {
				return err
			}
			for i := range old {
				m := models.Message{ChatID: chat.ID, ExternalID: fmt.Sprint("O", i), Time: crmtest.Start - old + int64(i), Type: "text",
					Content: `{"text":"Старый ё"}`, Author: `{"id":"1"}`}
				if i == 7 {
					m.Content = "{" // a row that a fault left
				}
				if err := tx.Insert(&m); err != nil {
					return err
				}
			}
			return tx.Reindex()
		})
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", anna, "старый", crmtest.Start)}})
		page, err := w.SearchMessages(t.Context(), w.Owner, onGr, crm.SearchQuery{Search: "старый"})
		if err != nil || page.Complete || len(page.Items) != 1 {
			t.Errorf("before: %d messages, complete: %v, %v", len(page.Items), page.Complete, err)
		}
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("O3"), Chat: chatOf(anna)}}})
		ingest(t, w, crm.InboundBatch{Edits: []crm.InboundEdit{{ID: idOf("O4"), Chat: chatOf(anna), Message: crm.Content{Text: "новый"}}}})
		names := func(when, search string, want int) {
			t.Helper()
			if page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{Search: search}); err != nil || len(page.Items) != want {
				t.Errorf("%s: %q finds %d chats, %v, want %d", when, search, len(page.Items), err, want)
			}
		}
		names("before", "Ёж", 1)
		names("before", "еж", 0)
		for range 2 { // again changes nothing
			if err := w.RunIndexer(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		names("after", "еж", 1)
		if got := strings.Fields(found(t, w, w.Owner, crm.SearchQuery{Search: "стар"})); len(got) != old+1-3 {
			t.Errorf("%d messages are found, want %d", len(got), old+1-3)
		}
		if got := found(t, w, w.Owner, crm.SearchQuery{Search: "новый"}); got != "O4" {
			t.Errorf("the edited message: %q", got)
		}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if err := w.RunIndexer(stopped); err != nil {
			t.Errorf("an indexer that is stopped: %v", err)
		}
	})
}

func TestLastMessage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		empty := putChat(t, w, whatsApp, "79990007777@c.us")
		file := fromCustomer("A3", anna, "", crmtest.Start+3)
		file.Type, file.Message = crm.MessageDocument, crm.Content{Caption: "Look", File: &crm.FileData{Link: "https://x.test/f", Name: "f"}}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{
			fromCustomer("A2", anna, "second", crmtest.Start+2), fromCustomer("A1", anna, "first", crmtest.Start+1), file,
			fromAccount("B1", "79990003344@c.us", "ours", crmtest.Start+1),
		}})
		ingest(t, w, crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf("A3"), Chat: chatOf(anna)}}})
		page, err := w.Chats(t.Context(), w.Reader, onGr, crm.ChatQuery{})
		if err != nil || len(page.Items) != 3 {
			t.Fatalf("%d chats, %v", len(page.Items), err)
		}
		for _, chat := range page.Items {
			last := chat.LastMessage
			switch chat.ID {
			case empty.ExternalID:
				if last != nil {
					t.Errorf("of an empty chat: %+v", last)
				}
			case anna:
				if last == nil || last.ID.String() != "A3" || last.DeletedAt == nil || last.Message.Caption != "" || last.Side != crm.SideIn {
					t.Errorf("a deleted one: %+v", last)
				}
			default:
				if last == nil || last.Message.Text != "ours" || last.Side != crm.SideOut || last.FromUser.Name != "Our phone" {
					t.Errorf("ours: %+v", last)
				}
			}
		}
	})
}
