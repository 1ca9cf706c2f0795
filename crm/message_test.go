package crm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const ann = "79990001122"

// send sends as a, and must succeed.
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
				`"fromApp":{"id":"app_687_1"},"utm":null,"created":{"id":687}}`,
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
			{crm.Outgoing{Type: "reaction", Content: crm.Content{Reaction: &crm.Reaction{MessageID: first.ID, Emoji: "👍"}}},
				`{"text":"","caption":"","file":null,"reaction":{"messageId":"` + first.ID.String() + `","emoji":"👍"}}`},
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

func TestSendFaults(t *testing.T) {
	reaction := func(id, emoji string) crm.Outgoing {
		return crm.Outgoing{Type: "reaction", Content: crm.Content{Reaction: &crm.Reaction{MessageID: crm.MakeID("grWhatsApp", id), Emoji: emoji}}}
	}
	poll := func(q string, options ...string) crm.Outgoing {
		return crm.Outgoing{Type: "poll", Content: crm.Content{Poll: &crm.Poll{Question: q, Options: options}}}
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
		"long":                {saying(strings.Repeat("ä", crm.MaxSentText+1)), "text"},
		"parse mode":          {marked, "parseMode"},
		"tracking":            {tracked, "tracking"},
		"unknown quoted":      {quoting, "quotedMessageId"},
		"reaction to nothing": {reaction("", "👍"), "messageId"},
		"reaction to unknown": {reaction("NONE", "👍"), "messageId"},
		"reaction, long":      {reaction("A", strings.Repeat("👍", 17)), "emoji"},
		"poll, one option":    {poll("?", "a"), "options"},
		"poll, twins":         {poll("?", "a", "a"), "options"},
		"poll, no question":   {poll("", "a", "b"), "question"},
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

// TestMessagesAreForWhoMaySeeTheChat does everything there is as everybody.
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
			wantSameFault(t, do.name+" by a stranger", do.f(t.Context(), w.Stranger, chatAt(onGr, ann)), unknown)
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
		// What is theirs, and what is no one's, they may write in.
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

func TestIdempotencyKey(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		m := saying("Hello")
		m.IdempotencyKey = "key-1"
		first := send(t, w, w.Operator, onGr, ann, m)
		mark := w.Mark(t)
		if again := send(t, w, w.Operator, onGr, ann+"@c.us", m); again != first {
			t.Errorf("again: %+v, first %+v", again, first)
		}
		other := m
		other.Content.Text = "Other"
		_, err := w.Send(t.Context(), w.Operator, chatAt(onGr, ann), other)
		wantCode(t, "another text", err, crm.CodeConflict, "")
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, "79990001199"), m)
		wantCode(t, "another chat", err, crm.CodeConflict, "")
		if events := w.EventsAfter(t, mark); len(events) != 0 {
			t.Errorf("events %v", names(events))
		}
		// A key is its user's own, and one that failed is free.
		if theirs := send(t, w, w.Owner, onGr, ann, m); theirs == first {
			t.Error("another user's key gave the same message")
		}
		failed := saying("Hi")
		failed.IdempotencyKey = "key-2"
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, "5@lid"), failed)
		wantCode(t, "to an unknown chat", err, crm.CodeNotFound, "")
		send(t, w, w.Operator, onGr, ann, failed)
		// A day later it is forgotten, with the sweeper's help or without.
		w.Clock.Advance(24*time.Hour + time.Second)
		if later := send(t, w, w.Operator, onGr, ann, other); later == first {
			t.Error("an expired key gave the old answer")
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Read(t.Context()).UsedKey(w.Operator.UserID, "key-2"); err != models.ErrNotFound {
			t.Errorf("an expired key after the sweep: %v", err)
		}
		if _, err := store.Read(t.Context()).UsedKey(w.Operator.UserID, "key-1"); err != nil {
			t.Errorf("a key in use after the sweep: %v", err)
		}
	})
}

func TestIdempotencyKeyAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var tries errgroup.Group
		answers := make([]crm.Sent, 8)
		for i := range answers {
			tries.Go(func() (err error) {
				m := saying("Hello")
				m.IdempotencyKey = "the same"
				answers[i], err = w.Send(t.Context(), w.Operator, chatAt(onGr, ann), m)
				return err
			})
		}
		if err := tries.Wait(); err != nil {
			t.Fatal(err)
		}
		if len(slices.Compact(answers)) != 1 {
			t.Errorf("answers %v", answers)
		}
		if n := len(w.Events(t, "message")); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

// TestTwoOperatorsSendAtOnce: both messages are there, the chat is made once, one
// window opens, and the journal has the order of the commits.
func TestTwoOperatorsSendAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const each = 10
		var both errgroup.Group
		for _, a := range []crm.Actor{w.Operator, w.Admin} {
			both.Go(func() error {
				for i := range each {
					if _, err := w.Send(t.Context(), a, chatAt(onGr, ann), saying(fmt.Sprintf("%d", i))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := both.Wait(); err != nil {
			t.Fatal(err)
		}
		if n := len(w.Events(t, "chatConversation")); n != 1 {
			t.Errorf("%d windows", n)
		}
		next := map[int64]int{}
		for _, ev := range w.Events(t, "message") {
			m := messageOf(t, ev)
			if want := fmt.Sprint(next[m.Created.ID]); m.Message.Text != want {
				t.Errorf("user %d: %s, want %s", m.Created.ID, m.Message.Text, want)
			}
			next[m.Created.ID]++
		}
		if next[w.Operator.UserID] != each || next[w.Admin.UserID] != each {
			t.Errorf("messages %v", next)
		}
	})
}

func TestEditAndDelete(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		id := send(t, w, w.Operator, onGr, ann, saying("Hello")).ID.String()
		receive(t, w, onGr, `{"messages":[{"id":"IN","chat":"`+ann+`","message":{"text":"Hi"}},{"id":"ECHO","chat":"`+ann+`","fromMe":true,"fromUser":{"id":"1"},"message":{"text":"Hi"}}]}`)
		mark := w.Mark(t)
		edit := func(a crm.Actor, id, text string) (crm.HistoryItem, error) {
			return w.EditMessage(t.Context(), a, chatAt(onGr, ann), id, crm.Edit{Text: &text})
		}
		_, err := edit(w.Operator, "IN", "x")
		wantCode(t, "edit what a customer wrote", err, crm.CodeConflict, "")
		_, err = edit(w.Operator, "NONE", "x")
		wantCode(t, "edit an unknown message", err, crm.CodeNotFound, "")
		_, err = edit(w.Operator, id, "")
		wantCode(t, "edit to nothing", err, crm.CodeInvalid, "text")
		_, err = edit(w.Operator, id, "\x00")
		wantCode(t, "edit to NUL", err, crm.CodeInvalid, "text")
		caption := "x"
		_, err = w.EditMessage(t.Context(), w.Operator, chatAt(onGr, ann), id, crm.Edit{Caption: &caption})
		wantCode(t, "a caption of a text", err, crm.CodeInvalid, "text")
		_, err = w.EditMessage(t.Context(), w.Operator, chatAt(onGr, ann), id, crm.Edit{})
		wantCode(t, "an edit of nothing", err, crm.CodeInvalid, "text")
		wantCode(t, "delete what a customer wrote", w.DeleteMessage(t.Context(), w.Owner, chatAt(onGr, ann), "IN"), crm.CodeConflict, "")
		for range 2 { // the second changes nothing
			item, err := edit(w.Operator, id, "Hello!")
			if err != nil || item.Message.Text != "Hello!" || item.EditedAt == nil {
				t.Fatalf("edited %+v, %v", item, err)
			}
		}
		w.Tx(t, func(tx *models.Tx) error { // now the operator's licence is the reader's too
			return tx.SetEmployeeLicenses(crmtest.CompanyID, w.Reader.UserID, []models.EmployeeLicense{{UserID: w.Reader.UserID, LicenseID: crmtest.LicenseID, CanWrite: true}})
		})
		_, err = edit(w.Reader, id, "Bye")
		wantCode(t, "edit what another wrote", err, crm.CodeDenied, "")
		if _, err = edit(w.Admin, "ECHO", "Hi!"); err != nil {
			t.Errorf("edit what was written on the phone: %v", err)
		}
		for range 2 {
			if err := w.DeleteMessage(t.Context(), w.Admin, chatAt(onGr, ann), id); err != nil {
				t.Fatal(err)
			}
		}
		_, err = edit(w.Operator, id, "Hello?")
		wantCode(t, "edit what was deleted", err, crm.CodeConflict, "")

		events := w.EventsAfter(t, mark)
		if got := strings.Join(names(events), " "); got != "messageEdit messageEdit messageDelete" {
			t.Fatalf("events %s", got)
		}
		if want := fmt.Sprintf(`{"id":%q,"type":"text","message":{"text":"Hello!","caption":"","file":null},"time":1637319300,"chat":{"id":"79990001122@c.us"},"fromApp":{"id":"app_687_1"},"edited":{"id":687}}`, id); string(events[0].Items(t)[0]) != want {
			t.Errorf("messageEdit %s, want %s", events[0].Items(t)[0], want)
		}
		if want := fmt.Sprintf(`{"id":%q,"time":1637319300,"chat":{"id":"79990001122@c.us"},"fromApp":{"id":"app_686_1"},"edited":{"id":686}}`, id); string(events[2].Items(t)[0]) != want {
			t.Errorf("messageDelete %s, want %s", events[2].Items(t)[0], want)
		}
		page, err := w.Messages(t.Context(), w.Owner, chatAt(onGr, ann), crm.MessageQuery{Direction: "next"})
		if err != nil || len(page.Items) != 3 || page.Items[0].Message.Text != "" || page.Items[0].DeletedAt == nil {
			t.Errorf("list %+v, %v", page, err)
		}
	})
}

func TestListMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const n = 7 // two of each second
		for i := range n {
			receive(t, w, onTelegram, fmt.Sprintf(`{"messages":[{"id":%d,"chat":"private-1","fromUser":{"id":5,"name":"Ann"},"time":%d,"message":{"text":"%d"}}]}`, 100+i, crmtest.Start-100+i/2, i))
		}
		at := chatAt(onTelegram, "private-1")
		whole := map[string]string{"prev": "6543210", "next": "0123456"}
		var lastID, lastTime int64
		for direction, want := range whole {
			q := crm.MessageQuery{Direction: direction, PageQuery: crm.PageQuery{Limit: 3}}
			var got string
			for pages := 0; ; pages++ {
				page, err := w.Messages(t.Context(), w.Reader, at, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range page.Items {
					got += m.Message.Text
					if m.Message.Text == "3" {
						lastID, lastTime = m.InternalID, m.Time
					}
				}
				if page.NextPage == nil || pages > n {
					break
				}
				q.NextPage = *page.NextPage
			}
			if got != want {
				t.Errorf("%s: %s, want %s", direction, got, want)
			}
		}
		for _, test := range []struct {
			q    crm.MessageQuery
			want string
		}{
			{crm.MessageQuery{}, "6543210"},
			{crm.MessageQuery{LastInternalID: &lastID}, "210"},
			{crm.MessageQuery{LastInternalID: &lastID, LastTime: &lastTime}, "210"},
			{crm.MessageQuery{LastInternalID: &lastID, Direction: "next"}, "456"},
			{crm.MessageQuery{LastTime: &lastTime}, "3210"},
			{crm.MessageQuery{LastTime: &lastTime, Direction: "next"}, "23456"},
		} {
			page, err := w.Messages(t.Context(), w.Owner, at, test.q)
			var got string
			for _, m := range page.Items {
				got += m.Message.Text
			}
			if err != nil || got != test.want {
				t.Errorf("%+v: %s, %v; want %s", test.q, got, err, test.want)
			}
		}
		none := int64(1 << 50)
		for field, q := range map[string]crm.MessageQuery{
			"direction":      {Direction: "up"},
			"lastInternalId": {LastInternalID: &none},
			"limit":          {PageQuery: crm.PageQuery{Limit: 101}},
			"nextPage":       {PageQuery: crm.PageQuery{NextPage: "x"}},
		} {
			_, err := w.Messages(t.Context(), w.Owner, at, q)
			wantCode(t, field, err, crm.CodeInvalid, field)
		}
	})
}

func TestLineStateOfABridge(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		status, err := w.LineStatus(t.Context(), w.Reader, onGr)
		if err != nil || !status.Connected || status.State != "connected" || status.Via != "bridge" {
			t.Errorf("status %+v, %v", status, err)
		}
		phone, odd := "+7 (999) 000-11-22", "12"
		_, err = w.Pair(t.Context(), w.Operator, onGr, nil)
		wantCode(t, "pair", err, crm.CodeUnavailable, "")
		_, err = w.Pair(t.Context(), w.Operator, onGr, &phone)
		wantCode(t, "pair by phone", err, crm.CodeUnavailable, "")
		_, err = w.Pair(t.Context(), w.Operator, onGr, &odd)
		wantCode(t, "pair by an odd phone", err, crm.CodeInvalid, "phone")
		wantCode(t, "log out", w.Logout(t.Context(), w.Operator, onGr), crm.CodeUnavailable, "")
		wantCode(t, "log out by a reader", w.Logout(t.Context(), w.Reader, onGr), crm.CodeDenied, "")
		_, err = w.LineStatus(t.Context(), w.Stranger, onGr)
		wantCode(t, "a stranger's look", err, crm.CodeNotFound, "")
		wantCode(t, "typing of an odd kind", w.Typing(t.Context(), w.Operator, chatAt(onGr, ann), "dance"), crm.CodeInvalid, "type")
		// A type that nothing serves cannot send.
		clear(w.Messengers)
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, ann), saying("x"))
		wantCode(t, "nothing serves the type", err, crm.CodeUnavailable, "")
	})
}
