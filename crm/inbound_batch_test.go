package crm_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const anna = "79990001122@c.us"

func idOf(text string) crm.ID { return crm.MakeID(whatsApp, text) }

func chatOf(id string) crm.InboundChat { return crm.InboundChat{ID: idOf(id)} }

func unix(n int64) *int64 { return &n }

// fromCustomer returns a message of the customer.
func fromCustomer(id, chat, text string, at int64) crm.InboundMessage {
	return crm.InboundMessage{ID: idOf(id), Chat: chatOf(chat), Time: &at, Message: crm.Content{Text: text}}
}

// fromAccount returns a message that the account itself wrote on its phone.
func fromAccount(id, chat, text string, at int64) crm.InboundMessage {
	m := fromCustomer(id, chat, text, at)
	m.FromMe, m.FromUser = true, &crm.InboundUser{ID: idOf("70000000001@c.us"), Name: "Our phone"}
	return m
}

// by returns a message of author in a group.
func by(author, id, chat, text string, at int64) crm.InboundMessage {
	m := fromCustomer(id, chat, text, at)
	m.FromUser = &crm.InboundUser{ID: idOf(author), Name: author}
	return m
}

// ingest calls Ingest, and fails the test when it fails.
func ingest(t *testing.T, w *crmtest.World, news crm.InboundBatch) crm.InboundResult {
	t.Helper()
	answer, err := w.Ingest(t.Context(), onGr, news)
	if err != nil {
		t.Fatalf("ingest: %v", err)
	}
	return answer
}

// happens returns the names of the events that f causes, separated by spaces.
func happens(t *testing.T, w *crmtest.World, f func()) string {
	t.Helper()
	mark := w.Mark(t)
	f()
	return strings.Join(names(w.EventsAfter(t, mark)), " ")
}

// lastItem returns the only item of the newest event with this name, as decoded JSON.
func lastItem(t *testing.T, w *crmtest.World, event string) map[string]any {
	t.Helper()
	all := w.Events(t, event)
	if len(all) == 0 {
		t.Fatalf("there is no %s", event)
	}
	var item map[string]any
	if err := json.Unmarshal(all[len(all)-1].Items(t)[0], &item); err != nil {
		t.Fatal(err)
	}
	return item
}

func onlyChat(t *testing.T, w *crmtest.World) crm.ChatData {
	t.Helper()
	page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d chats, %v", len(page.Items), err)
	}
	return page.Items[0]
}

func messagesOf(t *testing.T, w *crmtest.World, chat string) []crm.HistoryItem {
	t.Helper()
	page, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, chat), crm.MessageQuery{Direction: crm.DirectionNext})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// TestIngestIsIdempotent ingests a batch with every kind of part twice. The second time
// nothing must change.
func TestIngestIsIdempotent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start - 100)
		news := crm.InboundBatch{
			Aliases:  []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("555@lid")}},
			Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Anna"}},
			Labels:   []crm.InboundLabel{{ID: "5", Name: "VIP", Color: "#ff0000"}},
			Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", at), fromAccount("A2", anna, "Hello", at+1), fromCustomer("A3", anna, "Bye", at+2)},
			Edits:    []crm.InboundEdit{{ID: idOf("A1"), Chat: chatOf(anna), Message: crm.Content{Text: "Hi!"}, Time: unix(at + 3)}},
			Deletes:  []crm.InboundDelete{{ID: idOf("A3"), Chat: chatOf("555@lid"), Time: unix(at + 4)}},
			Statuses: []crm.InboundStatus{{ID: idOf("A2"), Type: "delivered"}, {ID: idOf("A2"), Chat: chatOf("777@lid"), Type: "viewed"}},
			Reads:    []crm.InboundRead{{Chat: chatOf(anna)}},
			Tags:     []crm.InboundTag{{Chat: chatOf(anna), Label: "5", Added: true}},
			Archives: []crm.InboundArchive{{Chat: chatOf(anna), Archived: true}},
		}
		var first, second crm.InboundResult
		got := happens(t, w, func() { first = ingest(t, w, news) })
		want := "companyTag message chatConversation message message messageEdit messageDelete messageStatus messageStatus chatRead chatTag chatStatus"
		if got != want {
			t.Errorf("events %q\nwant   %q", got, want)
		}
		for _, list := range [][]string{first.Edits, first.Deletes, first.Reads, first.Tags, first.Archives} {
			if !reflect.DeepEqual(list, []string{"accepted"}) {
				t.Errorf("first answer %+v", first)
			}
		}
		if got := happens(t, w, func() { second = ingest(t, w, news) }); got != "" {
			t.Errorf("the second copy causes %q", got)
		}
		for i, r := range second.Messages {
			if r.Result != crm.ResultDuplicate || r.InternalID != first.Messages[i].InternalID {
				t.Errorf("second answer %+v, the first %+v", r, first.Messages[i])
			}
		}
		for i, r := range second.Statuses {
			if r.Result != crm.ResultUnchanged || first.Statuses[i].Result != crm.ResultAccepted || r.ChatID != anna {
				t.Errorf("statuses %+v, then %+v", first.Statuses[i], r)
			}
		}
		chat := onlyChat(t, w)
		if chat.Name != "Anna" || chat.Unread != 0 || *chat.LID != "555@lid" || len(chat.Tags) != 1 || chat.Status != "close" {
			t.Errorf("the chat is %+v", chat)
		}
	})
}

// TestOnlyTheAuthorChangesAMessage checks changes of other people's messages: WhatsApp
// delivers any change that people send, and people can name any message.
func TestOnlyTheAuthorChangesAMessage(t *testing.T) {
	const group, bea, carl = "120363000000000001@g.us", "79990003344@c.us", "79990005566@c.us"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start)
		ingest(t, w, crm.InboundBatch{
			Messages: []crm.InboundMessage{
				fromCustomer("A1", anna, "Hi", at), fromAccount("A2", anna, "Hello", at), fromCustomer("C1", carl, "Hey", at),
				by(bea, "G1", group, "Hi all", at), by(carl, "G2", group, "Hi", at), fromAccount("G3", group, "Hi", at),
			},
		})
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf(bea), LID: idOf("888@lid")}}})
		edit := func(id, chat string, fromMe bool, author string) crm.InboundBatch {
			e := crm.InboundEdit{ID: idOf(id), Chat: chatOf(chat), FromMe: fromMe, Message: crm.Content{Text: "changed"}, Time: unix(at)}
			if author != "" {
				e.By = idOf(author)
			}
			return crm.InboundBatch{Edits: []crm.InboundEdit{e}}
		}
		for _, test := range []struct {
			name string
			news crm.InboundBatch
			want string
		}{
			{"the customer ours", edit("A2", anna, false, ""), crm.ResultRefused},
			{"ours the customer's", edit("A1", anna, true, ""), crm.ResultRefused},
			{"another customer's", edit("C1", anna, false, ""), crm.ResultUnknown},
			{"another member's", edit("G2", group, false, bea), crm.ResultRefused},
			{"a member ours", edit("G3", group, false, bea), crm.ResultRefused},
			{"a member nobody named", edit("G2", group, false, ""), crm.ResultRefused},
			{"an unknown message", edit("G9", group, false, bea), crm.ResultUnknown},
			{"an unknown chat", edit("A1", "79990009999@c.us", false, ""), crm.ResultUnknown},
			{"their own", edit("A1", anna, false, ""), crm.ResultAccepted},
			{"our own", edit("A2", anna, true, ""), crm.ResultAccepted},
			{"a member's own, under the other id", edit("G1", group, false, "888@lid"), crm.ResultAccepted},
		} {
			var answer crm.InboundResult
			got := happens(t, w, func() { answer = ingest(t, w, test.news) })
			if answer.Edits[0] != test.want || (got == "messageEdit") != (test.want == crm.ResultAccepted) {
				t.Errorf("%s: %v, events %q", test.name, answer.Edits, got)
			}
		}
		del := func(id, author string, admin bool) crm.InboundBatch {
			return crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: idOf(id), Chat: chatOf(group), By: idOf(author), Admin: admin}}}
		}
		if r := ingest(t, w, del("G2", bea, false)); r.Deletes[0] != crm.ResultRefused {
			t.Errorf("a member deletes another's: %v", r.Deletes)
		}
		if r := ingest(t, w, del("G2", bea, true)); r.Deletes[0] != crm.ResultAccepted {
			t.Errorf("an admin deletes another's: %v", r.Deletes)
		}
		if r := ingest(t, w, edit("G2", group, false, carl)); r.Edits[0] != crm.ResultUnchanged {
			t.Errorf("what was deleted is edited: %v", r.Edits)
		}
		if item := lastItem(t, w, "messageDelete"); item["edited"] != nil || item["id"] != "G2" {
			t.Errorf("the deletion is told as %v", item)
		}
	})
}

// TestPlaceholderIsReplaced checks that a message that could not be read keeps its
// place, and gets its content when it can be read.
func TestPlaceholderIsReplaced(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start)
		for _, subtype := range []string{crm.SubtypeUndecryptable, crm.SubtypeViewOnce} {
			id := "P-" + subtype
			hole := fromCustomer(id, anna, "", at)
			hole.Type, hole.Subtype = crm.MessageUnknown, &subtype
			ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{hole, fromCustomer("after-"+id, anna, "later", at)}})
			var answer crm.InboundResult
			again := crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer(id, anna, "the secret", at+500)}}
			if got := happens(t, w, func() { answer = ingest(t, w, again) }); got != "messageEdit" || answer.Messages[0].Result != crm.ResultReplaced {
				t.Errorf("%s: events %q, %+v", id, got, answer.Messages)
			}
			item := lastItem(t, w, "messageEdit")
			if item["id"] != id || item["type"] != "text" || item["message"].(map[string]any)["text"] != "the secret" || item["edited"] != nil {
				t.Errorf("%s is told as %v", id, item)
			}
			if got := happens(t, w, func() { answer = ingest(t, w, again) }); got != "" || answer.Messages[0].Result != crm.ResultDuplicate {
				t.Errorf("%s again: events %q, %+v", id, got, answer.Messages)
			}
		}
		list := messagesOf(t, w, anna)
		if len(list) != 4 || list[0].Message.Text != "the secret" || list[0].Time != at || list[0].Subtype != nil || list[0].EditedAt != nil {
			t.Errorf("the chat holds %+v", list)
		}
		if chat := onlyChat(t, w); chat.Unread != 4 {
			t.Errorf("%d unread, want 4", chat.Unread)
		}
	})
}

// TestHistoryIsQuiet checks that history is stored and causes no events.
func TestHistoryIsQuiet(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start)
		named := func(m crm.InboundMessage, name string) crm.InboundMessage {
			m.FromUser = &crm.InboundUser{ID: m.Chat.ID, Name: name}
			return m
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{named(fromCustomer("N1", anna, "now", at), "Anna")}})
		if _, err := w.SetChatStatus(t.Context(), w.Owner, chatAt(onGr, anna), "close"); err != nil {
			t.Fatal(err)
		}
		got := happens(t, w, func() {
			ingest(t, w, crm.InboundBatch{
				History:  true,
				Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Old name"}, {ID: idOf("79990003344@c.us"), Name: "Bea"}},
				Chats:    []crm.InboundChat{{ID: idOf(anna), Name: text("Old chat")}},
				Messages: []crm.InboundMessage{
					named(fromCustomer("H1", anna, "old", at-5000), "Old name"), fromAccount("H2", anna, "older", at-6000),
					fromCustomer("N1", anna, "now, once more", at), fromAccount("H3", "79990003344@c.us", "to Bea", at-7000),
				},
				Statuses: []crm.InboundStatus{{ID: idOf("H2"), Chat: chatOf(anna), Type: "viewed", Time: unix(at - 5500)}},
			})
		})
		if got != "" {
			t.Errorf("history causes %q", got)
		}
		page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{})
		if err != nil || len(page.Items) != 2 {
			t.Fatalf("%d chats, %v", len(page.Items), err)
		}
		newest, other := page.Items[0], page.Items[1]
		if newest.ID != anna || newest.Name != "Anna" || newest.Unread != 1 || newest.Status != "close" || newest.LastTime != at {
			t.Errorf("the known chat became %+v", newest)
		}
		if other.Name != "Bea" || other.Unread != 0 || other.LastTime != at-7000 || other.Conversation != nil {
			t.Errorf("the imported chat is %+v", other)
		}
		var texts []string
		for _, m := range messagesOf(t, w, anna) {
			texts = append(texts, m.Message.Text+" "+m.Status)
		}
		if want := []string{"older viewed", "old ", "now "}; !reflect.DeepEqual(texts, want) {
			t.Errorf("the chat says %q, want %q", texts, want)
		}
	})
}

// TestAliasAloneJoinsTwoChats checks an alias that arrives without a message.
func TestAliasAloneJoinsTwoChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A1", "555@lid", "by lid", at), fromCustomer("A2", anna, "by phone", at)}})
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("555@lid")}}})
		ingest(t, w, crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: idOf("79990007777"), LID: idOf("999@lid")}}}) // of an unknown person
		chat := onlyChat(t, w)
		if chat.ID != anna || *chat.LID != "555@lid" || chat.Unread != 2 || len(messagesOf(t, w, "555@lid")) != 2 {
			t.Errorf("the chat is %+v", chat)
		}
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A3", "555@lid", "again by lid", at)}})
		card := lastItem(t, w, "message")["chat"].(map[string]any)
		if card["id"] != anna || card["lid"] != "555@lid" {
			t.Errorf("the message tells of the chat %v", card)
		}
		people, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
		if err != nil || len(people.Items) != 1 || people.Items[0].ID != idOf(anna) {
			t.Errorf("contacts %+v, %v", people.Items, err)
		}
	})
}

// TestReadElsewhere checks a chat that the account reads on its phone.
func TestReadElsewhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		at := int64(crmtest.Start)
		for i := range 4 {
			ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer(fmt.Sprintf("A%d", i), anna, "Hi", at)}}) // in one second
		}
		upTo := func(id string) crm.InboundBatch {
			last := idOf(id)
			return crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chatOf(anna), UpTo: &last}}}
		}
		for _, step := range []struct {
			name   string
			news   crm.InboundBatch
			events string
			unread int64
			result string
		}{
			{"a part", upTo("A1"), "", 2, crm.ResultAccepted},
			{"an older part", upTo("A0"), "", 2, crm.ResultUnchanged},
			{"before all", crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chatOf(anna), Time: unix(at - 1)}}}, "", 2, crm.ResultUnchanged},
			{"a chat that we do not have", crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chatOf("79990009999")}}}, "", 2, crm.ResultUnknown},
			{"all", upTo("A3"), "chatRead", 0, crm.ResultAccepted},
			{"all again", upTo("A3"), "", 0, crm.ResultUnchanged},
		} {
			var answer crm.InboundResult
			got := happens(t, w, func() { answer = ingest(t, w, step.news) })
			if chat := onlyChat(t, w); got != step.events || chat.Unread != step.unread || answer.Reads[0] != step.result {
				t.Errorf("%s: events %q, %d unread, %v", step.name, got, chat.Unread, answer.Reads)
			}
		}
	})
}

func TestIngestRefusesNonsense(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for field, news := range map[string]crm.InboundBatch{
			"messages[0].id":      {Messages: []crm.InboundMessage{fromCustomer("", anna, "x", 1)}},
			"messages[0].chat.id": {Messages: []crm.InboundMessage{fromCustomer("A", "nobody@nowhere", "x", 1)}},
			"edits[0].chat.id":    {Edits: []crm.InboundEdit{{ID: idOf("A"), Message: crm.Content{Text: "x"}}}},
			"deletes[0].id":       {Deletes: []crm.InboundDelete{{Chat: chatOf(anna)}}},
			"statuses[0].type":    {Statuses: []crm.InboundStatus{{ID: idOf("A"), Type: "played"}}},
			"reads[0].time":       {Reads: []crm.InboundRead{{Chat: chatOf(anna), Time: unix(-1)}}},
			"aliases[0].phone":    {Aliases: []crm.InboundAlias{{Phone: idOf("1@lid"), LID: idOf("555@lid")}}},
			"aliases[0].lid":      {Aliases: []crm.InboundAlias{{Phone: idOf("79990001122"), LID: idOf("79990001122")}}},
			"contacts[0].id":      {Contacts: []crm.InboundUser{{Name: "Anna"}}},
			"labels[0].color":     {Labels: []crm.InboundLabel{{ID: "1", Color: "red"}}},
			"tags[0].label":       {Tags: []crm.InboundTag{{Chat: chatOf(anna)}}},
			"archives[0].chat.id": {Archives: []crm.InboundArchive{{}}},
		} {
			_, err := w.Ingest(t.Context(), onGr, news)
			wantCode(t, field, err, crm.CodeInvalid, field)
		}
		_, err := w.Ingest(t.Context(), crm.Line{LicenseID: crmtest.LicenseID, Messenger: "caWhatsApp"},
			crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer("A", anna, "x", 1)}})
		wantCode(t, "a line that is gone", err, crm.CodeNotFound, "")
	})
}
