package crm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

var (
	onTelegram = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
	onGr       = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
	onOlder    = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "WhatsApp"}
)

// oneID is a bridge that gives all messages the same id.
type oneID struct {
	bridge.Messenger
	id string
}

func (m oneID) MessageID(crm.Line) string { return m.id }

// inbound parses the body that a bridge would post.
func inbound(t *testing.T, body string) crm.InboundRequest {
	t.Helper()
	var in crm.InboundRequest
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return in
}

// receive posts body as the owner. It must succeed.
func receive(t *testing.T, w *crmtest.World, on crm.Line, body string) crm.InboundAnswer {
	t.Helper()
	answer, err := w.IngestAs(t.Context(), w.Owner, on, inbound(t, body))
	if err != nil {
		t.Fatalf("receive: %v\n%s", err, body)
	}
	return answer
}

func chatAt(on crm.Line, id string) crm.ChatAddress { return crm.ChatAddress{Line: on, ChatID: id} }

// TestMessageIsTheDocumentedExample posts the example's own item to inbound.
func TestMessageIsTheDocumentedExample(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		raw, err := os.ReadFile(filepath.Join("testdata", "golden", "message.json"))
		if err != nil {
			t.Fatal(err)
		}
		var example struct {
			Payload struct{ Data []json.RawMessage }
		}
		if err := json.Unmarshal(raw, &example); err != nil {
			t.Fatal(err)
		}
		receive(t, w, onTelegram, fmt.Sprintf(`{"messages":[%s]}`, example.Payload.Data[0]))
		wantGolden(t, w.Events(t), "message", `,"newChat":true,"unread":1,"contactChange":"new"`)
	})
}

// TestMessageWithMentions is the same test with the fields that ChatApp's example does
// not have.
func TestMessageWithMentions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		receive(t, w, onGr, `{"messages":[{"id":"3EB0C431C26A1916E07E","time":1637319282,"chat":{"id":"79990001122","hash":"h1"},
			"fromUser":{"id":"79990001122@c.us","name":"Ann"},"message":{"text":"@79990003344, look","mentions":[
			{"id":"79990003344","lid":"100200300@lid"},{"id":"100200400@lid"}]}}]}`)
		wantGolden(t, w.EventsAfter(t, 0, "message"), "message.mentions", `,"newChat":true,"unread":1,"contactChange":"new"`)
	})
}

func TestMessageStatusIsTheDocumentedExample(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Messengers["telegram"] = oneID{id: "42213"}
		const chat = "private-1480000234h1367520000730259258"
		receive(t, w, onTelegram, `{"messages":[{"id":1,"time":1637319282,"message":{"text":"Hi"},
			"chat":{"id":"`+chat+`","phone":"70000000000","username":"username_test","name":"Test"}}]}`)
		app := crm.Actor{UserID: 685, AppID: "app_123_1"}
		if _, err := w.Send(t.Context(), app, chatAt(onTelegram, chat), saying("Hello")); err != nil {
			t.Fatal(err)
		}
		mark := w.Mark(t)
		receive(t, w, onTelegram, `{"statuses":[{"id":42213,"chat":"`+chat+`","type":"delivered","time":1637319290}]}`)
		wantGolden(t, w.EventsAfter(t, mark), "messageStatus", `,"time":1637319290`)
	})
}

func TestChatConversationIsTheDocumentedExample(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Clock.Set(1644500500)
		if _, err := w.Send(t.Context(), w.Owner, chatAt(onOlder, "70000000000"), saying("Hello")); err != nil {
			t.Fatal(err)
		}
		all := w.Events(t)
		if got := strings.Join(names(all), " "); got != "message chatConversation" {
			t.Fatalf("events %q, want message chatConversation", got)
		}
		// The id is random: 32 hex digits in the place of the example's.
		ev := all[1]
		id := regexp.MustCompile(`"id":"[0-9a-f]{32}"`)
		if len(id.FindAllString(ev.Data, -1)) != 1 {
			t.Fatalf("no id of 32 hex digits in %s", ev.Data)
		}
		ev.Data = id.ReplaceAllString(ev.Data, `"id":"ccb637d17ba3aced8051abc263bd72e4"`)
		wantGolden(t, []crmtest.Event{ev}, "chatConversation", "")
	})
}

func TestChatReadIsTheDocumentedExample(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		receive(t, w, onGr, `{"messages":[{"id":"3EB0","chat":"7000000000","message":{"text":"Hi"}}]}`)
		mark := w.Mark(t)
		if _, err := w.MarkRead(t.Context(), w.Owner, chatAt(onGr, "7000000000")); err != nil {
			t.Fatal(err)
		}
		wantGolden(t, w.EventsAfter(t, mark), "chatRead", `,"edited":{"id":685}`)
		if chat, err := w.MarkRead(t.Context(), w.Owner, chatAt(onGr, "7000000000")); err != nil || chat.Unread != 0 {
			t.Errorf("read again: %+v, %v", chat, err)
		}
		wantGolden(t, w.EventsAfter(t, mark), "chatRead", `,"edited":{"id":685}`) // still only one event
	})
}

func saying(s string) crm.Outgoing {
	return crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: s}}
}
