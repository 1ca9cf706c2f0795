package shape_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/evolution/shape"
)

// The numbers in the names of these tests are those of the complaints of Evolution's users
// that docs/dialects.md lists.

// emitted returns the names of the events, with the id of the message they are about.
func emitted(t *testing.T, emits []shape.Emit) string {
	t.Helper()
	var all []string
	for _, e := range emits {
		name := e.Name
		var data struct {
			Data struct {
				Key   struct{ ID string }
				KeyID string
			}
		}
		if json.Unmarshal(e.Data, &data) == nil {
			if id := data.Data.Key.ID + data.Data.KeyID; id != "" {
				name += " " + id
			}
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWorld(t, store)
		w.connect()
		test(t, w)
	})
}

// TestRequirement2NothingIsMissing: the first message of a person, one from an advertisement,
// content of an unknown kind, and a message that could be decrypted only later are upserts.
func TestRequirement2NothingIsMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ad := &waE2E.ContextInfo{ExternalAdReply: &waE2E.ContextInfo_ExternalAdReplyInfo{
			Title: proto.String("Offer"), SourceType: proto.String("ad"), SourceID: proto.String("120"), SourceURL: proto.String("https://fb.me/x"), CtwaClid: proto.String("clid")}}
		w.arrive(annWrites("A1", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("Hi"), ContextInfo: ad}}))
		emits := w.render(shop, shape.V2)
		if got := emitted(t, emits); got != "chats.upsert, messages.upsert A1, contacts.upsert" {
			t.Errorf("the first message is %s", got)
		}
		want := `"externalAdReply":{"title":"Offer","sourceType":"ad","sourceId":"120","sourceUrl":"https://fb.me/x","ctwaClid":"clid"}`
		if !strings.Contains(string(emits[1].Data), want) {
			t.Errorf("no %s in %s", want, emits[1].Data)
		}
		w.arrive(annWrites("A2", &waE2E.Message{RequestPaymentMessage: &waE2E.RequestPaymentMessage{CurrencyCodeIso4217: proto.String("BRL")}}))
		if got := emitted(t, w.render(shop, shape.V1)); got != "chats.upsert, messages.upsert A2" {
			t.Errorf("unknown content is %s", got)
		}
		placeholder := crm.InboundMessage{ID: id("A3"), Chat: crm.InboundChat{ID: id(ann)}, FromUser: &crm.InboundUser{ID: id(ann)},
			Type: crm.MessageUnknown, Subtype: ptr(crm.SubtypeUndecryptable)}
		w.ingest(crm.InboundBatch{Messages: []crm.InboundMessage{placeholder}})
		if got := emitted(t, w.render(shop, shape.V2)); got != "chats.upsert" {
			t.Errorf("what cannot be decrypted yet is %s", got)
		}
		w.arrive(annWrites("A3", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("Late"), ContextInfo: &waE2E.ContextInfo{StanzaID: proto.String("A1")}}}))
		emits = w.render(shop, shape.V2)
		if got := emitted(t, emits); got != "messages.upsert A3" || !strings.Contains(string(emits[0].Data), `"conversation":"Late"`) || !strings.Contains(string(emits[0].Data), `"quotedMessage":{"conversation":"Hi"}`) {
			t.Errorf("decrypted later it is %s: %+v", got, emits)
		}
	})
}

// TestRequirement3PhonesNotLIDs: people are told by their phone numbers wherever those are
// known, and a number that is learned later is told once.
func TestRequirement3PhonesNotLIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hello := &waE2E.Message{Conversation: proto.String("Hello")}
		key := func(m from) string {
			t.Helper()
			w.arrive(m)
			for _, e := range w.render(shop, shape.V2) {
				if e.Name == "messages.upsert" {
					var data struct {
						Data struct{ Key json.RawMessage }
					}
					if err := json.Unmarshal(e.Data, &data); err != nil {
						t.Fatal(err)
					}
					return string(data.Data.Key)
				}
			}
			return ""
		}
		for _, test := range []struct {
			m    from
			want string
		}{
			{annWrites("B1", hello), `{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"B1","remoteJidAlt":"100200300400@lid"}`},
			{from{id: "B2", chat: annLID, who: crm.InboundUser{ID: id(annLID)}, said: hello}, `{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"B2","remoteJidAlt":"100200300400@lid"}`},
			{from{id: "B3", chat: team, who: crm.InboundUser{ID: id(ann), LID: ptr(annLID)}, said: hello},
				`{"remoteJid":"120363000000000001@g.us","fromMe":false,"id":"B3","participant":"79990001122@s.whatsapp.net","participantAlt":"100200300400@lid"}`},
			{from{id: "B4", chat: hidden, who: crm.InboundUser{ID: id(hidden)}, said: hello}, `{"remoteJid":"555666777888@lid","fromMe":false,"id":"B4"}`},
		} {
			if got := key(test.m); got != test.want {
				t.Errorf("the key is %s, want %s", got, test.want)
			}
		}
		w.ingest(crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: id(bob), LID: id(hidden)}}})
		emits := w.render(shop, shape.V2)
		if got := emitted(t, emits); got != "contacts.update" || !strings.Contains(string(emits[0].Data), `"data":{"remoteJid":"79990003344@s.whatsapp.net","remoteJidAlt":"555666777888@lid",`) {
			t.Errorf("the number that was learned is %s: %+v", got, emits)
		}
		w.ingest(crm.InboundBatch{Aliases: []crm.InboundAlias{{Phone: id(bob), LID: id(hidden)}}})
		if got := emitted(t, w.render(shop, shape.V2)); got != "" {
			t.Errorf("learned again it is %s", got)
		}
		if got, want := key(from{id: "B5", chat: hidden, who: crm.InboundUser{ID: id(hidden)}, said: hello}), `{"remoteJid":"79990003344@s.whatsapp.net","fromMe":false,"id":"B5","remoteJidAlt":"555666777888@lid"}`; got != want {
			t.Errorf("afterwards the key is %s, want %s", got, want)
		}
	})
}

// TestRequirement4NoGenuineMessageIsDropped: messages of one second with one text are all
// told, and so is one id in two chats; the same message a second time is not.
func TestRequirement4NoGenuineMessageIsDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hello := &waE2E.Message{Conversation: proto.String("Hello")}
		var want []string
		for i := range 20 {
			id := fmt.Sprintf("C%d", i)
			w.arrive(annWrites(id, hello))
			want = append(want, "messages.upsert "+id)
		}
		w.arrive(from{id: "C0", chat: bob, who: crm.InboundUser{ID: id(bob)}, said: hello})
		w.arrive(annWrites("C7", hello)) // again
		want = append(want, "messages.upsert C0")
		only := shop
		only.Events, _ = shape.ParseEvents([]string{"MESSAGES_UPSERT"})
		if got := emitted(t, w.render(only, shape.V2)); got != strings.Join(want, ", ") {
			t.Errorf("told are %s", got)
		}
		sent := w.send(ann, text("Hi"))
		w.news()
		for _, status := range []string{"sent", "delivered", "sent", "delivered", "viewed", "delivered"} { // late and repeated
			w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: sent.ID, Chat: crm.InboundChat{ID: id(ann)}, Type: status}}})
		}
		var statuses []string
		for _, e := range w.render(shop, shape.V2) {
			var data struct{ Data struct{ Status string } }
			if err := json.Unmarshal(e.Data, &data); err != nil {
				t.Fatal(err)
			}
			statuses = append(statuses, data.Data.Status)
		}
		if got := strings.Join(statuses, " "); got != "SERVER_ACK DELIVERY_ACK READ" {
			t.Errorf("the statuses are %s", got)
		}
	})
}

// TestRequirement5OneUpsertForEachMessage: a message that could not be read, because it could not
// be decrypted or only the phone may show it, is one upsert when it comes. Before there is only that
// its chat has something unread.
func TestRequirement5OneUpsertForEachMessage(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, subtype := range []string{crm.SubtypeUndecryptable, crm.SubtypeViewOnce} {
			late := annWrites(fmt.Sprint("E", i), &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Mimetype: proto.String("image/png")}})
			w.ingest(crm.InboundBatch{Messages: []crm.InboundMessage{{
				ID: id(late.id), Chat: crm.InboundChat{ID: id(late.chat)}, FromUser: &late.who, Type: crm.MessageUnknown, Subtype: &subtype,
			}}})
			if got := emitted(t, w.render(shop, shape.V1)); got != []string{"chats.upsert, contacts.upsert", "chats.upsert"}[i] {
				t.Errorf("the placeholder %s is %s", subtype, got)
			}
			w.arrive(late)
			if got := emitted(t, w.render(shop, shape.V1)); got != "messages.upsert "+late.id {
				t.Errorf("after the placeholder %s the message is %s", subtype, got)
			}
		}
	})
}

// TestRequirement7OwnMessages: what the API sends is send.message, before its statuses; what
// is typed on the phone is an upsert.
func TestRequirement7OwnMessages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		sent := w.send(ann, text("Hello"))
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: sent.ID, Chat: crm.InboundChat{ID: id(ann)}, Type: "sent"}}})
		w.arrive(from{id: "D1", chat: ann, mine: true, who: crm.InboundUser{ID: id(account + "@c.us")}, said: &waE2E.Message{Conversation: proto.String("From the phone")}})
		emits := w.render(shop, shape.V2)
		want := fmt.Sprintf("chats.upsert, send.message %s, messages.update %s, messages.upsert D1", sent.ID, sent.ID)
		if got := emitted(t, emits); got != want {
			t.Fatalf("own messages are %s, want %s", got, want)
		}
		for i, status := range map[int]string{1: "PENDING", 2: "SERVER_ACK", 3: "SERVER_ACK"} {
			if !strings.Contains(string(emits[i].Data), `"fromMe":true`) || !strings.Contains(string(emits[i].Data), `"status":"`+status+`"`) {
				t.Errorf("%s is not of ours with the status %s: %s", emits[i].Name, status, emits[i].Data)
			}
		}
	})
}

// TestRequirement9CodesToPair: each new QR code is told with its picture, and the end of
// them once.
func TestRequirement9CodesToPair(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.state(crm.LineState{State: crm.StateLoggedOut, Device: ptr("")})
		w.news()
		w.state(crm.LineState{State: crm.StatePairing})
		for i := range 3 {
			w.must(w.PublishQR(t.Context(), on, crm.Pairing{QR: ptr(fmt.Sprintf("2@%d", i)), ExpiresAt: 1}))
		}
		emits := w.render(shop, shape.V2)
		if got := emitted(t, emits); got != "connection.update, qrcode.updated, qrcode.updated, qrcode.updated" {
			t.Fatalf("while a code is shown: %s", got)
		}
		for i, e := range emits[1:] {
			if !strings.Contains(string(e.Data), fmt.Sprintf(`"code":"2@%d","base64":"data:image/png;base64,iVBOR`, i)) {
				t.Errorf("code %d is %s", i, e.Data)
			}
		}
		over := crm.LineState{State: crm.StateDisconnected, Device: ptr(""), Detail: "Nobody paired an account in time."}
		w.state(over)
		emits = w.render(shop, shape.V2)
		if got := emitted(t, emits); got != "qrcode.updated, connection.update" || !strings.Contains(string(emits[0].Data), `"statusCode":500`) || !strings.Contains(string(emits[1].Data), `"state":"refused","statusReason":428`) {
			t.Errorf("after the last code: %s %+v", got, emits)
		}
		w.state(crm.LineState{State: crm.StatePairing})
		w.news()
		w.state(crm.LineState{State: crm.StateDisconnected, Device: ptr(""), Detail: "WhatsApp was not reached." + crm.NothingPaired})
		emits = w.render(shop, shape.V2)
		if got := emitted(t, emits); got != "connection.update" || !strings.Contains(string(emits[0].Data), `"state":"close","statusReason":428`) {
			t.Errorf("when WhatsApp was not reached: %s %+v", got, emits)
		}
		over.Detail = "Still not."
		w.state(over)
		if got := emitted(t, w.render(shop, shape.V2)); got != "" {
			t.Errorf("and then: %s", got)
		}
	})
}

// TestRequirement10StatesDoNotLie: an instance is open only while its account is connected;
// no state is told twice; events and answers say the same.
func TestRequirement10StatesDoNotLie(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.state(crm.LineState{State: crm.StateLoggedOut, Device: ptr("")})
		w.news()
		device := ptr("1:7@s.whatsapp.net")
		last := "close"
		for _, step := range []struct {
			state crm.LineState
			told  string // empty: nothing
		}{
			{crm.LineState{State: crm.StatePairing}, "connecting"},
			{crm.LineState{State: crm.StatePasskey}, ""},
			{crm.LineState{State: crm.StateConnecting, Device: device}, ""},
			{crm.LineState{State: crm.StateConnected}, "open"},
			{crm.LineState{State: crm.StateConnected, Detail: "Still."}, ""},
			{crm.LineState{State: crm.StateDisconnected}, "connecting"},
			{crm.LineState{State: crm.StateConnecting}, ""},
			{crm.LineState{State: crm.StateConnected}, "open"},
			{crm.LineState{State: crm.StateReplaced}, "close"},
			{crm.LineState{State: crm.StateOutdated}, ""},
			{crm.LineState{State: crm.StateConnected}, "open"},
			{crm.LineState{State: crm.StateLoggedOut, Device: ptr("")}, "close"},
		} {
			w.state(step.state)
			told := ""
			for _, e := range w.render(shop, shape.V2) {
				if e.Name != "connection.update" {
					continue
				}
				var data struct{ Data struct{ State string } }
				if err := json.Unmarshal(e.Data, &data); err != nil {
					t.Fatal(err)
				}
				told += data.Data.State
			}
			if told != step.told {
				t.Errorf("%s is told as %q, want %q", step.state.State, told, step.told)
			}
			if told != "" {
				last = told
			}
			status, err := w.LineStatus(t.Context(), w.Owner, on)
			w.must(err)
			if got := shape.LineState(status); got != last {
				t.Errorf("%s: the answer is %s, the last event %s", step.state.State, got, last)
			}
		}
	})
}

// TestGroupsAreIgnored: nothing of groups comes to an instance that ignores them.
func TestGroupsAreIgnored(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		quiet := shop
		quiet.GroupsIgnore = true
		w.arrive(from{id: "E1", chat: team, who: crm.InboundUser{ID: id(bob)}, said: &waE2E.Message{Conversation: proto.String("Hi")}})
		sent := w.send(team, text("Hello"))
		w.ingest(crm.InboundBatch{Statuses: []crm.InboundStatus{{ID: sent.ID, Chat: crm.InboundChat{ID: id(team)}, Type: "sent"}},
			Deletes: []crm.InboundDelete{{ID: id("E1"), Chat: crm.InboundChat{ID: id(team)}, By: id(bob)}},
			Groups:  []crm.InboundGroup{{ID: id(team), Changes: crm.GroupChanges{Name: crm.Value("Friends")}}}})
		_, err := w.MarkRead(t.Context(), w.Owner, address(team))
		w.must(err)
		_, err = w.SetChatStatus(t.Context(), w.Owner, address(team), "close")
		w.must(err)
		if got := emitted(t, w.render(quiet, shape.V2)); got != "" {
			t.Errorf("told are %s", got)
		}
	})
}
