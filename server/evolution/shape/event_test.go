package shape_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func text(s string) crm.Outgoing {
	return crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: s}}
}

func address(chat string) crm.ChatAddress { return crm.ChatAddress{Line: on, ChatID: chat} }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// namedID is a messenger whose next message gets this id.
type namedID struct {
	crm.Queued
	id string
}

func (m *namedID) MessageID(crm.Line) string { return m.id }

// TestMessageEvents compares what happens to messages with golden files.
func TestMessageEvents(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		ids := &namedID{Queued: w.Messengers["grWhatsApp"].(crm.Queued), id: "3EB0C2D4E6F8091A2B3C4D"}
		w.Messengers["grWhatsApp"] = ids
		w.arrive(annWrites(answered, &waE2E.Message{Conversation: proto.String("Hi")}))
		w.news()
		answer := text("Hello")
		answer.Quoted = ptr(id(answered))
		sent := w.send(ann, answer)
		w.golden("event/send")
		for _, status := range []string{"sent", "delivered", "viewed"} {
			w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: sent.ID, Chat: crm.InboundChat{ID: id(ann)}, Type: status}}})
			w.golden("event/status." + status)
		}
		played := crm.InboundStatus{ID: sent.ID, Chat: crm.InboundChat{ID: id(ann)}, Type: "viewed", Played: true}
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{played}})
		w.golden("event/status.played")
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{played}})
		if emits := w.render(shop, shape.V2); len(emits) != 0 {
			t.Errorf("a copy of the receipt: %v", emits)
		}
		kept, err := w.LineMessage(t.Context(), w.Owner, on, sent.ID.String())
		w.must(err)
		if object := string(shape.Object(kept, shop, shape.V2)); !strings.Contains(object, `"status":"PLAYED"`) {
			t.Errorf("the message is %s", object)
		}
		ids.id = "3EB0C2D4E6F8091A2B3C4E"
		failed := w.send(ann, text("Lost"))
		w.news()
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: failed.ID, Chat: crm.InboundChat{ID: id(ann)}, Type: "failed", Error: json.RawMessage(`"no route"`)}}})
		w.golden("event/status.failed")
		_, err = w.EditMessage(t.Context(), w.Owner, address(ann), sent.ID.String(), crm.Edit{Text: ptr("Hello!")})
		w.must(err)
		w.golden("event/edit.api")
		w.must(w.DeleteMessage(t.Context(), w.Owner, address(ann), sent.ID.String()))
		w.golden("event/delete.api")
		w.ingest(crm.InboundBatch{Edits: []crm.InboundEdit{{ID: id(answered), Chat: crm.InboundChat{ID: id(ann)}, Message: crm.Content{Text: "Hi there"}}}})
		w.golden("event/edit.other")
		w.ingest(crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id(answered), Chat: crm.InboundChat{ID: id(ann)}}}})
		w.golden("event/delete.other")
		_, err = w.MarkRead(t.Context(), w.Owner, address(ann))
		w.must(err)
		w.golden("event/read")
	})
}

// TestMessageOfGroup compares a deletion in a group, which tells whose the message was.
func TestMessageOfGroup(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.arrive(from{id: "3A6C1F0E2B4D5A7C9E10", chat: team, who: crm.InboundUser{ID: id(bob), Name: "Bob"}, said: &waE2E.Message{Conversation: proto.String("Hi")}})
		w.golden("event/group.message")
		w.ingest(crm.InboundBatch{Deletes: []crm.InboundDelete{{ID: id("3A6C1F0E2B4D5A7C9E10"), Chat: crm.InboundChat{ID: id(team)}, By: id(bob)}}})
		w.golden("event/delete.group")
	})
}

// TestLineEvents compares the states of the line and the codes to pair it with.
func TestLineEvents(t *testing.T) {
	sqlite(t, func(w *world) {
		pairing := crm.LineState{State: crm.StatePairing}
		w.state(pairing)
		w.golden("event/line.pairing")
		w.must(w.PublishQR(t.Context(), on, crm.Pairing{QR: ptr("2@Qm9"), ExpiresAt: 1}))
		w.golden("event/line.qr")
		w.must(w.PublishQR(t.Context(), on, crm.Pairing{Code: ptr("ABCD-1234"), ExpiresAt: 1}))
		w.golden("event/line.code")
		w.state(crm.LineState{State: crm.StateDisconnected, Device: ptr("")})
		w.golden("event/line.refused")
		w.state(pairing)
		w.news()
		w.state(crm.LineState{State: crm.StateConnecting, Device: ptr("1:7@s.whatsapp.net"), Phone: ptr(account)})
		w.golden("event/line.connecting") // it was connecting before
		w.state(crm.LineState{State: crm.StateConnected})
		w.golden("event/line.open")
		w.state(crm.LineState{State: crm.StateDisconnected})
		w.golden("event/line.lost")
		w.Clock.Advance(time.Minute)
		if _, err := w.TellLoss(t.Context(), on, ""); err != nil {
			t.Fatal(err)
		}
		w.golden("event/line.lostForLong")
		w.state(crm.LineState{State: crm.StateConnecting})
		w.state(crm.LineState{State: crm.StateDisconnected, Detail: "WhatsApp was not reached."})
		if emits := w.render(shop, shape.V2); len(emits) != 0 {
			t.Errorf("while it is tried: %v", emits)
		}
		w.state(crm.LineState{State: crm.StateConnected})
		w.golden("event/line.healed")
		w.state(crm.LineState{State: crm.StateReplaced})
		w.golden("event/line.replaced")
		w.state(crm.LineState{State: crm.StateConnected})
		w.news()
		w.state(crm.LineState{State: crm.StateBanned})
		w.golden("event/line.banned")
		w.state(crm.LineState{State: crm.StateConnected})
		w.news()
		w.state(crm.LineState{State: crm.StateLoggedOut, Device: ptr("")})
		w.golden("event/line.loggedOut")
		w.state(crm.LineState{State: crm.StateConnected, Device: ptr("1:7@s.whatsapp.net")})
		w.news()
		ctx := crm.WithCaller(t.Context(), crm.Caller{UserID: w.Owner.UserID})
		w.must(w.SetLineState(ctx, on, crm.LineState{State: crm.StateLoggedOut, Device: ptr("")}))
		w.golden("event/line.logout")
	})
}

// TestChatEvents compares what happens to chats and contacts.
func TestChatEvents(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.arrive(annWrites(answered, &waE2E.Message{Conversation: proto.String("Hi")}))
		w.golden("event/chat.new")
		renamed := annWrites("3A6C1F0E2B4D5A7C9E10", &waE2E.Message{Conversation: proto.String("I married")})
		renamed.who.Name = "Ann Lee"
		w.arrive(renamed)
		w.golden("event/contact.changed")
		_, err := w.RenameChat(t.Context(), w.Owner, address(ann), crm.Value("Ann the baker"))
		w.must(err)
		w.golden("event/chat.name")
		tag, err := w.CreateTag(t.Context(), w.Owner, crm.TagInput{CompanyID: 2224, Name: crm.Value("VIP"), Color: crm.Value("#ff0000")})
		w.must(err)
		w.news()
		_, err = w.TagChat(t.Context(), w.Owner, address(ann), crm.Value(tag.ID))
		w.must(err)
		w.golden("event/tag.add")
		_, err = w.UntagChat(t.Context(), w.Owner, address(ann), tag.ID)
		w.must(err)
		w.golden("event/tag.remove")
		_, err = w.SetChatStatus(t.Context(), w.Owner, address(ann), "close")
		w.must(err)
		w.golden("event/chat.close")
		w.arrive(from{id: "3A6C1F0E2B4D5A7C9E11", chat: hidden, who: crm.InboundUser{ID: id(hidden), Name: "Bob"}, said: &waE2E.Message{Conversation: proto.String("Hi")}})
		w.news()
		w.ingest(crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: id(bob), LID: id(hidden)}}})
		w.golden("event/chat.merge")
		for _, typ := range []string{crm.PresenceTyping, crm.PresenceRecording, crm.PresencePaused, crm.PresenceOnline, crm.PresenceOffline} {
			p := crm.Presence{Chat: crm.InboundChat{ID: id(ann)}, By: crm.InboundUser{ID: id(ann), Name: "Ann"}, Type: typ}
			if typ == crm.PresenceOffline {
				p.LastSeen = ptr(int64(1637319200))
			}
			w.must(w.PublishPresence(t.Context(), on, p))
			w.golden("event/presence." + typ)
		}
		call := crm.InboundMessage{ID: id("CALL1"), Chat: crm.InboundChat{ID: id(ann)}, FromUser: &crm.InboundUser{ID: id(ann), Name: "Ann Lee"}, Type: "call", Subtype: ptr("video")}
		for _, typ := range []string{crm.CallOffer, crm.CallAccept, crm.CallTerminate} {
			in := crm.InboundBatch{Calls: []crm.InboundCall{{ID: call.ID, Type: typ}}}
			if typ == crm.CallOffer {
				in.Messages, in.Calls[0].Chat, in.Calls[0].By, in.Calls[0].Video = []crm.InboundMessage{call}, call.Chat, *call.FromUser, true
			}
			w.ingest(in)
			w.golden("event/call." + typ)
		}
	})
}

// TestGroupEvents compares what happens to groups.
func TestGroupEvents(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		self := crm.GroupMember{ID: account + "@c.us", Phone: ptr(account), Role: crm.MemberAdmin, Self: true}
		annIn := crm.GroupMember{ID: ann, LID: ptr(annLID), Phone: ptr("79990001122"), Role: crm.MemberOwner}
		bobIn := crm.GroupMember{ID: hidden, LID: ptr(hidden)}
		by := &crm.InboundUser{ID: id(ann), Name: "Ann", LID: ptr(annLID)}
		w.ingest(crm.InboundBatch{Groups: []crm.InboundGroup{{ID: id("120363000000000009@g.us"), Now: &crm.Group{Name: "Other", Members: []crm.GroupMember{self}}}}, AllGroups: []crm.ID{id("120363000000000009@g.us")}})
		w.news()
		news := func(name string, g crm.InboundGroup) {
			t.Helper()
			g.ID, g.By = id(team), by
			w.ingest(crm.InboundBatch{Groups: []crm.InboundGroup{g}})
			w.golden("event/group." + name)
		}
		moved := func(what crm.MemberChange) crm.InboundGroup {
			return crm.InboundGroup{Members: []crm.InboundMembers{{What: what, People: []crm.GroupMember{bobIn}}}}
		}
		news("join", crm.InboundGroup{Joined: true, Now: &crm.Group{ID: team, Name: "Team", Description: "We", OwnerID: ptr(ann), CreatedAt: 1600000000, Size: 2, Members: []crm.GroupMember{self, annIn}}})
		for _, what := range []crm.MemberChange{crm.MembersAdd, crm.MembersPromote, crm.MembersDemote, crm.MembersRemove} {
			news(string(what), moved(what))
		}
		news("name", crm.InboundGroup{Changes: crm.GroupChanges{Name: crm.Value("Friends")}})
		news("description", crm.InboundGroup{Changes: crm.GroupChanges{Description: crm.Value("All of us")}})
		news("announce", crm.InboundGroup{Changes: crm.GroupChanges{Announce: crm.Value(true)}})
		news("locked", crm.InboundGroup{Changes: crm.GroupChanges{Locked: crm.Value(true)}})
		news("ephemeral", crm.InboundGroup{Changes: crm.GroupChanges{Ephemeral: crm.Value(int64(86400))}})
		news("picture", crm.InboundGroup{Picture: ptr("1")})
		news("leave", crm.InboundGroup{Left: true})
	})
}

// TestInstanceEvents: instances that are made and deleted, and labels, in both versions.
func TestInstanceEvents(t *testing.T) {
	const ref = `"instance":{"id":"0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11","name":"news"}`
	for _, test := range []struct{ name, item, v2, v1 string }{
		{"instance", `{"type":"create",` + ref + `}`, `instance.create {"instanceName":"news","instanceId":"0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"}`,
			`instance.create {"instanceName":"news","instanceId":"0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"}; status.instance {"instance":"news","status":"created"}`},
		{"instance", `{"type":"destroy",` + ref + `}`, `instance.delete {"instanceName":"news","instanceId":"0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"}; remove.instance null`,
			`instance.delete {"instanceName":"news","instanceId":"0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"}; remove.instance null`},
		{"companyTag", `{"type":"destroy","tag":{"id":3,"name":"VIP","color":"#64c4ff"}}`, `labels.edit {"id":"3","name":"VIP","color":1,"deleted":true,"instance":"shop"}`,
			`labels.edit {"id":"3","name":"VIP","color":1,"deleted":true,"instance":"shop"}`},
	} {
		for s, want := range map[shape.Shape]string{shape.V2: test.v2, shape.V1: test.v1, shape.L2msg: test.v2} {
			var all []string
			emits, err := shape.Render(shape.Event{Name: test.name, Data: `{"payload":{"data":[` + test.item + `]}}`, At: sentAt}, shop, s)
			if err != nil {
				t.Errorf("%s %s: %v", test.name, test.item, err)
			}
			for _, e := range emits {
				var envelope struct{ Data json.RawMessage }
				if err := json.Unmarshal(e.Data, &envelope); err != nil {
					t.Fatal(err)
				}
				all = append(all, e.Name+" "+string(envelope.Data))
			}
			if got := strings.Join(all, "; "); got != want {
				t.Errorf("%s %s in %s is %s, want %s", test.name, test.item, s, got, want)
			}
		}
	}
}

// TestDataOfNobody renders data that the CRM does not write: it is no event, and an error.
func TestDataOfNobody(t *testing.T) {
	for name, data := range map[string]string{
		"companyTag": `{"payload":{"data":[{"type":"edit","tag":1}]}}`, "message": `{"payload":{"data":[{"type":{}}]}}`, "qr": "", "call": `{"payload":{"data":{}}}`,
	} {
		if emits, err := shape.Render(shape.Event{Name: name, Data: data, At: sentAt}, shop, shape.V2); err == nil || len(emits) != 0 {
			t.Errorf("%s %s becomes %d events, %v", name, data, len(emits), err)
		}
	}
	if emits, err := shape.Render(shape.Event{Name: "event without words", Data: "", At: sentAt}, shop, shape.V2); err != nil || len(emits) != 0 {
		t.Errorf("an event without words becomes %d events, %v", len(emits), err)
	}
}
