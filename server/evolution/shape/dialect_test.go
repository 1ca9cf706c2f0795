package shape_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/evolution/shape"
)

// heard makes a key, so that somebody may be listening.
func (w *world) heard() {
	w.t.Helper()
	_, err := w.CreateKey(w.t.Context(), w.Owner, crm.KeyInput{CompanyID: crmtest.CompanyID, Name: "reader", Rights: []string{crm.KeyRead}})
	w.must(err)
	w.news()
}

// pastMessage is a message of the history, as the connector brings it.
func pastMessage(id1, chat, text string, at int64, mine bool) crm.InboundMessage {
	m := crm.InboundMessage{ID: id(id1), Chat: crm.InboundChat{ID: id(chat)}, FromMe: mine, Time: &at, Type: crm.MessageText, Message: crm.Content{Text: text}}
	m.FromUser = &crm.InboundUser{ID: id(chat), Name: "Ann"}
	if chat == ann {
		m.Chat.LID = ptr(annLID)
	}
	if chat == team {
		m.Chat.Type, m.Chat.Name = "group", ptr("Team")
		m.FromUser = &crm.InboundUser{ID: id(bob), Name: "Bob"}
	}
	if mine {
		m.FromUser = &crm.InboundUser{ID: id(account + "@c.us")}
	}
	return m
}

// TestPastEvents compares what a newly paired phone brings with golden files.
func TestPastEvents(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.heard()
		part := crm.HistoryPart{Latest: true, Progress: ptr(int64(40))}
		w.ingest(crm.InboundBatch{History: true, Contacts: []crm.InboundUser{{ID: id(ann), Name: "Ann", LID: ptr(annLID)}, {ID: id(hidden)}}})
		w.golden("event/past.people")
		answer := pastMessage("3A6C1F0E2B4D5A7C9E10", ann, "And?", 1637319250, false)
		answer.QuotedMessageID = ptr(id("3A6C1F0E2B4D5A7C9E11"))
		batch := crm.InboundBatch{History: true, Part: part, Chats: []crm.InboundChat{{ID: id(ann), LID: ptr(annLID), Name: ptr("Ann Lee")}}, Messages: []crm.InboundMessage{
			pastMessage("3A6C1F0E2B4D5A7C9E11", ann, "Hello", 1637319200, true), answer, pastMessage("3A6C1F0E2B4D5A7C9E12", team, "All", 1637319260, false),
		}, Statuses: []crm.InboundStatus{{ID: id("3A6C1F0E2B4D5A7C9E11"), Chat: crm.InboundChat{ID: id(ann)}, Type: "viewed"}}}
		w.ingest(batch)
		w.golden("event/past.messages")
		w.ingest(batch)
		if again := w.news(); len(again) != 0 {
			t.Errorf("what is known already is %d events", len(again))
		}
		w.ingest(crm.InboundBatch{History: true, Part: crm.HistoryPart{Progress: ptr(int64(100))}, Contacts: []crm.InboundUser{{ID: id(hidden), Name: "Eve"}}})
		w.golden("event/past.names")
	})
}

// TestPastWithoutGroups: who leaves groups out gets nothing of them.
func TestPastWithoutGroups(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.heard()
		w.ingest(crm.InboundBatch{History: true, Messages: []crm.InboundMessage{pastMessage("G1", team, "All", 1637319260, false)}})
		in := shop
		in.GroupsIgnore = true
		if got := emitted(t, w.render(in, shape.V2)); strings.Contains(got, "messages.set") || strings.Contains(got, "chats.set") {
			t.Errorf("a group is %s", got)
		}
	})
}

// TestPastIsBounded brings many long messages: none is lost, and no entry of the journal is long.
func TestPastIsBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.heard()
		const n, size = 100, 3000
		batch := crm.InboundBatch{History: true}
		for i := range n {
			batch.Messages = append(batch.Messages, pastMessage(fmt.Sprint("M", i), ann, fmt.Sprint(i, strings.Repeat(" x", size/2)), 1637319200+int64(i), false))
		}
		w.ingest(batch)
		var order []string
		events := w.news()
		for _, ev := range events {
			if len(ev.Data) > 70<<10 {
				t.Errorf("an entry has %d bytes", len(ev.Data))
			}
			emits, err := shape.Render(ev, shop, shape.V2)
			w.must(err)
			for _, e := range emits {
				var set struct {
					Data []struct{ Key struct{ ID string } }
				}
				if e.Name == "messages.set" {
					w.must(json.Unmarshal(e.Data, &set))
				}
				for _, m := range set.Data {
					order = append(order, m.Key.ID)
				}
			}
		}
		if len(events) < n*size/(64<<10) || len(events) > 10 || len(order) != n || order[0] != "M0" || order[n-1] != fmt.Sprint("M", n-1) {
			t.Errorf("%d entries have %d messages: %v", len(events), len(order), order)
		}
	})
}

// TestPastOfNobody: without a key and a webhook nothing is kept for anybody.
func TestPastOfNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.ingest(crm.InboundBatch{History: true, Messages: []crm.InboundMessage{pastMessage("N1", ann, "Hi", 1637319200, false)}})
		if all := w.news(); len(all) != 0 {
			t.Errorf("there are %d events: %+v", len(all), all)
		}
		_, err := w.CreateKey(t.Context(), w.Owner, crm.KeyInput{CompanyID: crmtest.CompanyID, Name: "sender", Rights: []string{crm.KeySend}})
		w.must(err)
		w.ingest(crm.InboundBatch{History: true, Messages: []crm.InboundMessage{pastMessage("N2", ann, "Hi", 1637319201, false)}})
		if all := w.news(); len(all) != 0 {
			t.Errorf("for a key that may not read there are %d events", len(all))
		}
	})
}

// TestPastIsErased: what is deleted is gone from the journal, and so is what answers quote of it.
func TestPastIsErased(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.heard()
		answer := pastMessage("P2", ann, "yes", 1637319201, false)
		answer.QuotedMessageID = ptr(id("P1"))
		mark := w.mark
		w.ingest(crm.InboundBatch{History: true, Messages: []crm.InboundMessage{pastMessage("P1", ann, "secret", 1637319200, false), answer}})
		w.ingest(crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id("P1"), Chat: crm.InboundChat{ID: id(ann)}}}})
		for _, ev := range w.EventsAfter(t, mark) {
			if strings.Contains(ev.Data, "secret") {
				t.Errorf("%s says still: %s", ev.Name, ev.Data)
			}
		}
		if got := emitted(t, w.render(shop, shape.V2)); !strings.Contains(got, "messages.set") || !strings.HasSuffix(got, "messages.delete") && !strings.Contains(got, "messages.delete P1") {
			t.Errorf("afterwards there is %s", got)
		}
	})
}

// TestUnseenDeletions compares deletions of messages that never were here.
func TestUnseenDeletions(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		gone := crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id("3A6C1F0E2B4D5A7C9E10"), Chat: crm.InboundChat{ID: id(ann), LID: ptr(annLID)}}}}
		w.ingest(gone)
		w.golden("event/delete.unseen")
		w.ingest(gone)
		if all := w.news(); len(all) != 0 {
			t.Errorf("a second time there are %d events", len(all))
		}
		w.ingest(crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id("3A6C1F0E2B4D5A7C9E11"), Chat: crm.InboundChat{ID: id(team)}, By: id(bob)}}})
		w.golden("event/delete.unseen.group")
		w.ingest(crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id("3A6C1F0E2B4D5A7C9E12"), Chat: crm.InboundChat{ID: id(ann)}, Post: true}}})
		w.golden("event/delete.unseen.post")
	})
}

// TestPlaceholders compares a chat that begins with a message that cannot be read, and its edit.
func TestPlaceholders(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.ingest(crm.InboundBatch{Messages: []crm.InboundMessage{{
			ID: id("3A6C1F0E2B4D5A7C9E10"), Chat: crm.InboundChat{ID: id(ann)}, FromUser: &crm.InboundUser{ID: id(ann), Name: "Ann"}, Type: crm.MessageUnknown, Subtype: ptr(crm.SubtypeUndecryptable),
		}}})
		w.golden("event/placeholder")
		w.ingest(crm.InboundBatch{Edits: []crm.InboundEdit{{ID: id("3A6C1F0E2B4D5A7C9E10"), Chat: crm.InboundChat{ID: id(ann)}, Message: crm.Content{Text: "Hello"}}}})
		w.golden("event/placeholder.edit")
	})
}

// TestPollTally compares how a poll stands after each vote.
func TestPollTally(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.heard()
		ids := &namedID{Queued: w.Messengers["grWhatsApp"].(crm.Queued), id: "3EB0C2D4E6F8091A2B3C4D"}
		w.Messengers["grWhatsApp"] = ids
		w.arrive(from{id: "3A6C1F0E2B4D5A7C9E10", chat: team, who: crm.InboundUser{ID: id(bob), Name: "Bob"}, said: &waE2E.Message{Conversation: proto.String("Hi")}})
		poll := w.send(team, crm.Outgoing{Type: crm.MessagePoll, Content: crm.Content{Poll: &crm.Poll{Question: "Colour?", Options: []string{"Red", "Blue"}}}})
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: poll.ID, Chat: crm.InboundChat{ID: id(team)}, Type: "delivered"}}})
		w.news()
		vote := func(n int, who crm.InboundUser, mine bool, chosen ...string) {
			t.Helper()
			w.Clock.Advance(time.Second)
			w.arrive(from{id: fmt.Sprintf("3A6C1F0E2B4D5A7C9E2%d", n), chat: team, who: who, mine: mine, vote: append([]string{}, chosen...), said: &waE2E.Message{
				PollUpdateMessage: &waE2E.PollUpdateMessage{PollCreationMessageKey: &waCommon.MessageKey{ID: proto.String(poll.ID.String())}}}})
			w.golden(fmt.Sprint("event/poll.", n))
		}
		vote(1, crm.InboundUser{ID: id(hidden), Name: "Eve"}, false, "Red")
		vote(2, crm.InboundUser{ID: id(bob), Name: "Bob"}, false, "Blue")
		vote(3, crm.InboundUser{ID: id(bob), Name: "Bob", LID: ptr(hidden)}, false, "Red") // Eve was Bob
		vote(4, crm.InboundUser{ID: id(account + "@c.us")}, true, "Blue")
		vote(5, crm.InboundUser{ID: id(bob), Name: "Bob"}, false)
	})
}

// TestChatStates compares how the phone arranges a chat, and that it deletes one.
func TestChatStates(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.arrive(annWrites(answered, &waE2E.Message{Conversation: proto.String("Hi")}))
		w.news()
		for name, ch := range map[string]crm.ChatStateChanges{
			"archived": {Archived: crm.Value(true)}, "muted": {MutedUntil: crm.Value(int64(crm.MutedForEver))}, "unread": {Unread: crm.Value(true)},
		} {
			w.ingest(crm.InboundBatch{States: []crm.InboundChatState{{Chat: crm.InboundChat{ID: id(ann)}, Changes: ch}}})
			compareStates(w, name)
		}
		w.ingest(crm.InboundBatch{Gone: []crm.InboundChat{{ID: id(ann)}, {ID: id(bob)}}})
		w.golden("event/chat.gone")
	})
}

// compareStates compares what dialects say of a state: the CRM's event has all of the states that the
// chat has, in no order here.
func compareStates(w *world, name string) {
	w.t.Helper()
	type file struct{ V2, V1, L2msg []json.RawMessage }
	var got file
	for _, ev := range w.news() {
		for s, to := range map[shape.Shape]*[]json.RawMessage{shape.V2: &got.V2, shape.V1: &got.V1, shape.L2msg: &got.L2msg} {
			emits, err := shape.Render(ev, shop, s)
			w.must(err)
			for _, e := range emits {
				*to = append(*to, e.Data)
			}
		}
	}
	compare(w.t, "event/chat."+name, got)
}

// TestPictures compares that a person's picture is known, and that a message of theirs has it then.
func TestPictures(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.arrive(annWrites(answered, &waE2E.Message{Conversation: proto.String("Hi")}))
		w.news()
		file, err := w.StoreFile(t.Context(), on, "picture.jpg", "image/jpeg", bytes.NewReader([]byte("\xff\xd8\xff picture")))
		w.must(err)
		w.must(w.SetPicture(t.Context(), on, ann, crm.Picture{State: crm.PictureShown, ID: "1", File: file}))
		w.golden("event/picture.shown")
		w.must(w.SetPicture(t.Context(), on, ann, crm.Picture{State: crm.PictureShown, ID: "1"}))
		if all := w.news(); len(all) != 0 {
			t.Errorf("the same picture is %d events", len(all))
		}
		renamed := annWrites("3A6C1F0E2B4D5A7C9E10", &waE2E.Message{Conversation: proto.String("I married")})
		renamed.who.Name = "Ann Lee"
		w.arrive(renamed)
		w.golden("event/picture.message")
		w.must(w.SetPicture(t.Context(), on, ann, crm.Picture{State: crm.PictureNone}))
		w.golden("event/picture.none")
	})
}

// TestInternalEventsAreNobodys: clients of the CRM read no events that are for dialects alone.
func TestInternalEventsAreNobodys(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store)
		w.ingest(crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id("X1"), Chat: crm.InboundChat{ID: id(ann)}}}})
		if all := w.news(); len(all) != 1 || all[0].Name != crm.EventUnseen {
			t.Fatalf("there is %+v", all)
		}
		w.arrive(annWrites("X2", &waE2E.Message{Conversation: proto.String("Hi")}))
		w.must(store.Tx(t.Context(), func(tx *models.Tx) error {
			_, err := tx.NumberJournal(100)
			return err
		}))
		page, err := w.Service.Events(t.Context(), w.Owner, crm.EventsQuery{Channel: on.Channel()})
		w.must(err)
		names := []string{}
		for _, ev := range page.Items {
			names = append(names, ev.Event)
		}
		if len(names) == 0 || strings.Contains(strings.Join(names, " "), "internal") {
			t.Errorf("clients read %v", names)
		}
	})
}
