package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const ann = "79990001122"

// send sends as a. It must succeed.
func send(t *testing.T, w *crmtest.World, a crm.Actor, on crm.Line, chat string, m crm.Outgoing) crm.Sent {
	t.Helper()
	sent, err := w.Send(t.Context(), a, chatAt(on, chat), m)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	return sent
}

func messageOf(t *testing.T, ev crmtest.Event) (item crm.MessageItem) {
	t.Helper()
	if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
		t.Fatal(err)
	}
	return item
}

func TestSendText(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		receive(t, w, onTelegram, `{"messages":[{"id":1,"chat":"private-5","fromUser":{"id":5,"name":"Ann"},"message":{"text":"Hi"}}]}`)
		for _, on := range []struct {
			line   crm.Line
			chat   string
			chatID string
			author string
		}{
			{onGr, "+79990001122", "79990001122@c.us", `{"id":"687","username":null,"name":"Operator","phone":null}`},
			{onOlder, "79990001122@c.us", "79990001122", `{"id":"687","username":null,"name":"Operator","phone":null}`},
			{onTelegram, "private-5", "private-5", `{"id":687,"username":null,"name":"Operator","phone":null}`},
		} {
			mark := w.Mark(t)
			sent := send(t, w, w.Operator, on.line, on.chat, saying("Hello"))
			ev := w.EventsAfter(t, mark, "message")
			if len(ev) != 1 {
				t.Fatalf("%s: %d events", on.line.Messenger, len(ev))
			}
			m := messageOf(t, ev[0])
			if sent.ChatID != on.chatID || m.Chat.ID != on.chatID || m.ID != sent.ID {
				t.Errorf("%s: sent %+v, event %s", on.line.Messenger, sent, ev[0].Data)
			}
			for _, part := range []string{
				`"fromApi":true,"fromMe":true,"side":"out","time":1637319300,"isForwarded":false,"type":"text"`,
				`"message":{"text":"Hello","caption":"","file":null},"quotedMessage":null,"fromUser":` + on.author,
				`"fromApp":{"id":"app_687_1"},"utm":null,"created":{"id":687}`,
			} {
				if !strings.Contains(ev[0].Data, part) {
					t.Errorf("%s: no %s in %s", on.line.Messenger, part, ev[0].Data)
				}
			}
			if m.ID.String() == "" || strings.HasPrefix(string(mustJSON(t, m.ID)), `"`) == (on.line == onTelegram) {
				t.Errorf("%s: id %s", on.line.Messenger, mustJSON(t, m.ID))
			}
		}
		_, err := w.Send(t.Context(), w.Operator, chatAt(onTelegram, "private-404"), saying("Hello"))
		wantCode(t, "a chat that telegram does not know", err, crm.CodeNotFound, "")
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, "1@lid"), saying("Hello"))
		wantCode(t, "an unknown LID", err, crm.CodeNotFound, "")
	})
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSendEveryKind(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		first := send(t, w, w.Operator, onGr, ann, saying("Hello"))
		quoted := saying("Again")
		quoted.Quoted = &first.ID
		marked := saying("*bold*")
		marked.Content.ParseMode = "markdown"
		for _, test := range []struct {
			m    crm.Outgoing
			want string
		}{
			{marked, `{"text":"*bold*","caption":"","file":null,"parseMode":"markdown"}`},
			{crm.Outgoing{Type: "location", Content: crm.Content{Location: &crm.Location{Latitude: -90, Longitude: 180, Name: "Here"}}},
				`{"text":"","caption":"","file":null,"location":{"latitude":-90,"longitude":180,"name":"Here","address":""}}`},
			{crm.Outgoing{Type: "contact", Content: crm.Content{Contact: &crm.ContactCard{Name: "Bob", Phone: "+1 555"}}},
				`{"text":"","caption":"","file":null,"contact":{"name":"Bob","phone":"+1 555"}}`},
			{crm.Outgoing{Type: "poll", Content: crm.Content{Poll: &crm.Poll{Question: "Tea?", Options: []string{"yes", "no"}}}},
				`{"text":"","caption":"","file":null,"poll":{"question":"Tea?","options":["yes","no"],"multiple":false}}`},
			{crm.Outgoing{Type: "poll", Content: crm.Content{Poll: &crm.Poll{Question: "Tea?", Options: []string{"a", "b", "c"}, Multiple: true, Most: 2}}},
				`{"text":"","caption":"","file":null,"poll":{"question":"Tea?","options":["a","b","c"],"multiple":true,"most":2}}`},
			{crm.Outgoing{Type: "reaction", Content: crm.Content{Reaction: &crm.Reaction{MessageID: first.ID, Emoji: "👍"}}},
				`{"text":"","caption":"","file":null,"reaction":{"messageId":"` + first.ID.String() + `","emoji":"👍","origin":{"fromMe":true,"time":1637319300,"type":"text","fromUser":{"id":"687","username":null,"name":"Operator","phone":null}}}}`},
			{quoted, `{"text":"Again","caption":"","file":null}`},
		} {
			mark := w.Mark(t)
			send(t, w, w.Operator, onGr, ann, test.m)
			ev := w.EventsAfter(t, mark)
			if len(ev) != 1 || !strings.Contains(ev[0].Data, `"message":`+test.want+`,"quotedMessage"`) {
				t.Errorf("%s: %v, want %s", test.m.Type, ev, test.want)
			}
			if q := messageOf(t, ev[0]).QuotedMessage; test.m.Quoted != nil && (q == nil || q.ID != first.ID || q.Message.Text != "Hello" || *q.Side != "out") {
				t.Errorf("quoted %+v", q)
			}
		}
	})
}

func TestSendViolations(t *testing.T) {
	reaction := func(id, emoji string) crm.Outgoing {
		return crm.Outgoing{Type: "reaction", Content: crm.Content{Reaction: &crm.Reaction{MessageID: crm.MakeID("grWhatsApp", id), Emoji: emoji}}}
	}
	poll := func(q string, options ...string) crm.Outgoing {
		return crm.Outgoing{Type: "poll", Content: crm.Content{Poll: &crm.Poll{Question: q, Options: options}}}
	}
	several := func(most int64, multiple bool) crm.Outgoing {
		return crm.Outgoing{Type: "poll", Content: crm.Content{Poll: &crm.Poll{Question: "?", Options: []string{"a", "b"}, Multiple: multiple, Most: most}}}
	}
	place := func(lat, long float64) crm.Outgoing {
		return crm.Outgoing{Type: "location", Content: crm.Content{Location: &crm.Location{Latitude: lat, Longitude: long}}}
	}
	none := crm.MakeID("grWhatsApp", "NONE")
	quoting, tracked, marked := saying("a"), saying("a"), saying("a")
	quoting.Quoted = &none
	long := strings.Repeat("x", crm.MaxTracking+1)
	tracked.Tracking = &long
	marked.Content.ParseMode = "wiki"
	keyed := saying("a")
	keyed.IdempotencyKey = strings.Repeat("k", 256)
	tests := map[string]struct {
		m     crm.Outgoing
		field string
	}{
		"empty":               {saying(""), "text"},
		"blank":               {saying(" \n"), "text"},
		"NUL":                 {saying("a\x00"), "text"},
		"not UTF-8":           {saying("a\xff"), "text"},
		"long":                {saying(strings.Repeat("ä", crm.MaxText+1)), "text"},
		"parse mode":          {marked, "parseMode"},
		"tracking":            {tracked, "tracking"},
		"unknown quoted":      {quoting, "quotedMessageId"},
		"reaction to nothing": {reaction("", "👍"), "messageId"},
		"reaction to unknown": {reaction("NONE", "👍"), "messageId"},
		"reaction, long":      {reaction("A", strings.Repeat("👍", 17)), "emoji"},
		"poll, one option":    {poll("?", "a"), "options"},
		"poll, twins":         {poll("?", "a", "a"), "options"},
		"poll, no question":   {poll("", "a", "b"), "question"},
		"poll, most 1":        {several(1, true), "most"},
		"poll, most negative": {several(-1, true), "most"},
		"poll, most of 2":     {several(3, true), "most"},
		"poll, most of one":   {several(2, false), "most"},
		"latitude":            {place(90.1, 0), "latitude"},
		"longitude":           {place(0, -180.1), "longitude"},
		"contact":             {crm.Outgoing{Type: "contact", Content: crm.Content{Contact: &crm.ContactCard{Name: "x"}}}, "phone"},
		"key":                 {keyed, "Idempotency-Key"},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for name, test := range tests {
			_, err := w.Send(t.Context(), w.Operator, chatAt(onGr, ann), test.m)
			wantCode(t, name, err, crm.CodeInvalid, test.field)
		}
		_, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, ann))
		wantCode(t, "a chat was made all the same", err, crm.CodeNotFound, "")
	})
}

// TestManyErrorsAreCountedOnce checks the sentence above the fields, which nested
// checks build together.
func TestManyErrorsAreCountedOnce(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	_, err := w.Send(t.Context(), w.Operator, chatAt(onGr, ann), crm.Outgoing{Type: "contact", Content: crm.Content{Contact: &crm.ContactCard{}}})
	var e *crm.Error
	if !errors.As(err, &e) || e.Message != "name is required (2 fields are wrong)" || len(e.Fields) != 2 {
		t.Errorf("an empty contact: %v, want two fields, counted once", err)
	}
}

// TestMessagesAreForWhoMaySeeTheChat tries every action as every actor.
func TestMessagesAreForWhoMaySeeTheChat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		sent := send(t, w, w.Owner, onGr, ann, saying("Hello"))
		receive(t, w, onGr, `{"messages":[{"id":"A","chat":"`+ann+`","message":{"text":"Hi"}}]}`)
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, ann), crm.Value(w.Operator.UserID)); err != nil {
			t.Fatal(err)
		}
		mark := w.Mark(t)
		id := sent.ID.String()
		hello := "Hello" // an edit that changes nothing
		for _, do := range []struct {
			name  string
			write bool
			f     func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error
		}{
			{"send", true, func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error {
				_, err := w.Send(ctx, a, at, saying("x"))
				return err
			}},
			{"list", false, func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error {
				_, err := w.Messages(ctx, a, at, crm.MessageQuery{})
				return err
			}},
			{"read", true, func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error {
				_, err := w.MarkRead(ctx, a, at)
				return err
			}},
			{"typing", true, func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error { return w.Typing(ctx, a, at, "text") }},
			{"edit", true, func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error {
				_, err := w.EditMessage(ctx, a, at, id, crm.Edit{Text: &hello})
				return err
			}},
			{"delete", true, func(ctx context.Context, a crm.Actor, at crm.ChatAddress) error {
				return w.DeleteMessage(ctx, a, at, id)
			}},
		} {
			unknown := do.f(t.Context(), w.Stranger, crm.ChatAddress{Line: crm.Line{LicenseID: 1 << 40, Messenger: "grWhatsApp"}, ChatID: ann})
			wantSameError(t, do.name+" by a stranger", do.f(t.Context(), w.Stranger, chatAt(onGr, ann)), unknown)
			wantCode(t, do.name+" by an outsider", do.f(t.Context(), w.Outsider, chatAt(onGr, ann)), crm.CodeDenied, "")
			wantCode(t, do.name+" of another's chat", do.f(t.Context(), w.OnlyMine, chatAt(onGr, ann)), crm.CodeNotFound, "")
			switch err := do.f(t.Context(), w.Reader, chatAt(onGr, ann)); {
			case do.write:
				wantCode(t, do.name+" by a reader", err, crm.CodeDenied, "")
			case err != nil:
				t.Errorf("%s by a reader: %v", do.name, err)
			}
			wantCode(t, do.name+" in an odd chat", do.f(t.Context(), w.Owner, chatAt(onGr, "x")), crm.CodeInvalid, "chatId")
		}
		if events := w.EventsAfter(t, mark); len(events) != 0 {
			t.Errorf("events %v", names(events))
		}
		// They may write in chats that are theirs or nobody's.
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, ann), crm.Value(w.OnlyMine.UserID)); err != nil {
			t.Fatal(err)
		}
		send(t, w, w.OnlyMine, onGr, ann, saying("mine"))
		send(t, w, w.OnlyMine, onGr, "79990001199", saying("no one's"))
	})
}

func TestOtherOperatorsChatIsNotInTheirChannel(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		putChat(t, w, "grWhatsApp", ann+"@c.us", ofUser(w.Operator.UserID))
		receive(t, w, onGr, `{"messages":[{"id":"A","chat":"`+ann+`","message":{"text":"Hi"}}]}`)
		for _, ev := range w.Events(t) {
			if want := lineAnd(685, 686, 687, 688); !slices.Equal(ev.Channels, want) {
				t.Errorf("%s went to %v, want %v", ev.Name, ev.Channels, want)
			}
		}
	})
}
