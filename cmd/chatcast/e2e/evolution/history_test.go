package evolution

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"google.golang.org/protobuf/proto"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestHistoryOfAPhone pairs a phone that has a history, votes in a poll, deletes what never was here,
// changes a picture and deletes a chat. The socket and the webhook are told the same, once, and a client
// that comes back is told what it has missed.
func TestHistoryOfAPhone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		withHook(t, url, func(start func() *e2e.Running, w *e2e.Phones, c *client, h *hook) {
			p := start()
			c.must("POST /webhook/set/"+first, `{"webhook":{"enabled":true,"url":"`+h.url+`","webhookByEvents":true,"events":[]}}`, 201, nil)
			chat := whatsapptest.PastChat{Chat: w.Anna.Number(), Name: "Anna"}
			for i := range 150 {
				chat.Messages = append(chat.Messages, whatsapptest.Past{
					ID: fmt.Sprintf("3A%018d", i), FromMe: i%2 == 1, Time: time.Now().Add(time.Duration(i-1000) * time.Minute), What: whatsapptest.Text(fmt.Sprint("old ", i)),
				})
			}
			w.Shop.SetHistory(false, chat)
			own := listen(t, p.Base, c.key, first)
			pair(t, w, c, first)
			before := own.await("connection.update")
			pid, from := own.pid, own.offset
			old := awaitHistory(t, own, h, len(chat.Messages))

			again := listenFrom(t, p.Base, first, fmt.Sprintf(`{"apikey":%q,"pid":%q,"offset":%q}`, c.key, pid, from))
			if got := awaitSets(again, len(chat.Messages)); strings.Join(got, " ") != strings.Join(old, " ") {
				t.Errorf("after %s a client that comes back is told %d messages", before, len(got))
			}
			tellsLater(t, w, c, h, own)
			chatDeleted(t, p, w, c, h, own)
		})
	})
}

// awaitSets reads messages.set until there are n messages, and returns their ids.
func awaitSets(l *listener, n int) (ids []string) {
	l.t.Helper()
	for len(ids) < n {
		_, data, _ := strings.Cut(l.await("messages.set"), first+" ")
		var list []struct{ Key struct{ ID string } }
		if err := json.Unmarshal([]byte(data), &list); err != nil {
			l.t.Fatal(err)
		}
		for _, m := range list {
			ids = append(ids, m.Key.ID)
		}
	}
	return ids
}

// awaitHistory checks that the history comes to a socket and to the webhook.
func awaitHistory(t *testing.T, own *listener, h *hook, n int) (ids []string) {
	t.Helper()
	ids = awaitSets(own, n)
	seen := map[string]bool{}
	for i, id := range ids {
		if seen[id] || id != fmt.Sprintf("3A%018d", i) {
			t.Errorf("message %d is %s", i, id)
		}
		seen[id] = true
	}
	c := &client{t: t}
	h.await(c, "/hook/contacts-set", `"pushName":"Anna"`)
	h.await(c, "/hook/contacts-upsert", `"pushName":"Anna"`)
	h.await(c, "/hook/chats-set", `"remoteJid":"79995554433@s.whatsapp.net"`)
	h.await(c, "/hook/messages-set", ids[n-1])
	total := 0
	for _, p := range h.got("/hook/messages-set") {
		total += strings.Count(p.body, `"messageTimestamp"`)
		if !strings.Contains(p.body, `"isLatest":true,"progress":100`) || p.header.Get("X-Event-Id") == "" {
			t.Errorf("a part of the history came as %.300s", p.body)
		}
	}
	if total != n {
		t.Errorf("the webhook was told %d messages", total)
	}
	return ids
}

// tellsLater checks what is told of an account after its history.
func tellsLater(t *testing.T, w *e2e.Phones, c *client, h *hook, own *listener) {
	t.Helper()
	expect := func(name string, parts ...string) {
		t.Helper()
		for {
			got := own.await(name)
			if all := strings.Join(parts, ""); strings.Contains(got, all) {
				h.await(c, "/hook/"+strings.ReplaceAll(name, ".", "-"), all)
				return
			}
		}
	}
	var sent struct{ Key struct{ ID string } }
	c.must("POST /message/sendPoll/"+first, `{"number":"79995554433","name":"Colour?","selectableCount":1,"values":["Red","Blue"]}`, 201, &sent)
	if _, err := w.Anna.AwaitID(t.Context(), sent.Key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Anna.Vote(w.Shop, sent.Key.ID, "Blue"); err != nil {
		t.Fatal(err)
	}
	expect("messages.update", `"pollUpdates":[{"name":"Red","voters":[]},{"name":"Blue","voters":["79995554433@s.whatsapp.net"]}]`)
	w.Anna.Send(w.Shop, whatsapptest.Revoke(&waCommon.MessageKey{RemoteJID: proto.String(w.Anna.Number().String()), FromMe: proto.Bool(true), ID: proto.String("3A00000000000000AAAA")}))
	expect("messages.delete", `{"remoteJid":"79995554433@s.whatsapp.net","fromMe":false,"id":"3A00000000000000AAAA","status":"DELETED"}`)
	w.Anna.SetPicture([]byte("\xff\xd8\xff\xe0 a picture"))
	expect("contacts.update", `"remoteJid":"79995554433@s.whatsapp.net","pushName":"Anna","profilePicUrl":"http`)
}

// chatDeleted checks that a chat is muted and deleted on the phone. What the first change of this kind
// finds is of the past, so the first one is made here.
func chatDeleted(t *testing.T, p *e2e.Running, w *e2e.Phones, c *client, h *hook, own *listener) {
	t.Helper()
	at := crm.ChatAddress{Line: crm.Line{LicenseID: 1229, Messenger: "grWhatsApp"}, ChatID: "79995554433@c.us"}
	if _, err := p.Components().Rules.ChangeChatState(t.Context(), crm.Actor{UserID: 685}, at, crm.ChatStateChanges{MutedUntil: crm.Value(int64(crm.MutedForEver))}); err != nil {
		t.Fatal(err)
	}
	if got := own.await("chats.update"); !strings.Contains(got, `"remoteJid":"79995554433@s.whatsapp.net"`) {
		t.Errorf("a chat that is muted is %s", got)
	}
	w.Shop.Change(appstate.BuildDeleteChat(w.Anna.Number(), time.Now(), nil, false))
	if got := own.await("chats.delete"); got != "chats.delete "+first+` ["79995554433@s.whatsapp.net"]` {
		t.Errorf("a chat that is deleted is %s", got)
	}
	h.await(c, "/hook/chats-delete", `"data":["79995554433@s.whatsapp.net"]`)
}
