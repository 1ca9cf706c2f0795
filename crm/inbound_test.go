package crm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestInboundReachesWhoMaySeeIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		answer := receive(t, w, onGr, `{"messages":[{"id":"A1","chat":"79990001122@s.whatsapp.net","fromUser":{"id":"79990001122","name":"Ann"},"time":1637319299,"message":{"text":"Hi"}}]}`)
		got := answer.Messages[0]
		if got.ChatID != "79990001122@c.us" || got.Result != crm.ResultAccepted || got.InternalID == 0 || got.ID.String() != "A1" {
			t.Errorf("answer %+v", got)
		}
		events := w.Events(t)
		if list := strings.Join(names(events), " "); list != "message chatConversation" {
			t.Fatalf("events %s", list)
		}
		for _, ev := range events {
			if want := lineAnd(685, 686, 687, 688, 689); !slices.Equal(ev.Channels, want) {
				t.Errorf("%s went to %v, want %v", ev.Name, ev.Channels, want)
			}
		}
		if want := `"fromUser":{"id":"79990001122","username":null,"name":"Ann","phone":"79990001122"}`; !strings.Contains(events[0].Data, want) {
			t.Errorf("the author's phone is in the id, so it is known: %s", events[0].Data)
		}
		if !strings.Contains(events[1].Data, `"type":"UIC","startTime":1637319299,"endTime":1637405699`) {
			t.Errorf("window %s", events[1].Data)
		}
		chat, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, "79990001122"))
		if err != nil || chat.Unread != 1 || chat.LastTime != 1637319299 || chat.Name != "Ann" || *chat.Phone != "79990001122" {
			t.Errorf("chat %+v, %v", chat, err)
		}
		contacts, err := w.Contacts(t.Context(), w.Owner, onGr, crm.PageQuery{}, "")
		if err != nil || len(contacts.Items) != 1 || contacts.Items[0].ID.String() != "79990001122@c.us" || contacts.Items[0].Name != "Ann" {
			t.Errorf("contacts %+v, %v", contacts, err)
		}
	})
}

func TestInboundTwiceIsOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const one = `{"id":7,"chat":"group-1","fromUser":{"id":5,"name":"Ann"},"message":{"text":"Hi"}}`
		first := receive(t, w, onTelegram, `{"messages":[`+one+`,`+one+`]}`)
		again := receive(t, w, onTelegram, `{"messages":[`+one+`]}`)
		for i, r := range []crm.InboundMessageResult{first.Messages[0], first.Messages[1], again.Messages[0]} {
			want := []string{crm.ResultAccepted, crm.ResultDuplicate, crm.ResultDuplicate}[i]
			if r.Result != want || r.InternalID != first.Messages[0].InternalID {
				t.Errorf("copy %d: %+v, want %s", i, r, want)
			}
		}
		if n := len(w.Events(t)); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
		// The same id in another chat is another message.
		receive(t, w, onTelegram, `{"messages":[`+strings.Replace(one, "group-1", "group-2", 1)+`]}`)
		if n := len(w.Events(t)); n != 2 {
			t.Errorf("%d events, want 2", n)
		}
	})
}

// TestInboundAtOnce posts the same messages of several chats from many goroutines, in
// opposite orders. Each must cause its event once, and no call may block forever.
func TestInboundAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const chats, copies = 5, 8
		var posts errgroup.Group
		accepted := make([]int, copies)
		for i := range copies {
			var items []string
			for k := range chats {
				items = append(items, fmt.Sprintf(`{"id":"M%d","chat":{"id":"7999000000%d","lid":"4%d@lid"},"message":{"text":"Hi"}}`, k, k, k))
			}
			if i%2 == 1 {
				slices.Reverse(items)
			}
			in := inbound(t, `{"messages":[`+strings.Join(items, ",")+`]}`)
			posts.Go(func() error {
				answer, err := w.IngestAs(t.Context(), w.Admin, onGr, in)
				for _, r := range answer.Messages {
					if r.Result == crm.ResultAccepted {
						accepted[i]++
					}
				}
				return err
			})
		}
		if err := posts.Wait(); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, n := range accepted {
			total += n
		}
		if total != chats {
			t.Errorf("%d messages were accepted, want %d", total, chats)
		}
		for _, name := range []string{"message", "chatConversation"} {
			if n := len(w.Events(t, name)); n != chats {
				t.Errorf("%d events %s, want %d", n, name, chats)
			}
		}
		for k := range chats {
			chat, err := w.Chat(t.Context(), w.Owner, chatAt(onGr, fmt.Sprintf("4%d@lid", k)))
			if err != nil || chat.Unread != 1 {
				t.Errorf("chat %d: unread %d, %v", k, chat.Unread, err)
			}
		}
	})
}

func TestCustomerReopensChat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const message = `{"messages":[{"id":%d,"chat":"private-1","fromUser":{"id":5,"name":"Ann"},"time":%d,"side":"%s","message":{"text":"Hi"}}]}`
		receive(t, w, onTelegram, fmt.Sprintf(message, 1, crmtest.Start, "in"))
		if _, err := w.SetChatStatus(t.Context(), w.Owner, chatAt(onTelegram, "private-1"), "close"); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			id   int
			time int64
			side string
			want string
		}{
			{2, crmtest.Start - 10, "in", "message"}, // late: older than a known message
			{3, crmtest.Start + 5, "out", "message"}, // ours
			{4, crmtest.Start + 9, "in", "message chatStatus"},
			{5, crmtest.Start + 9, "in", "message"}, // open already
		} {
			mark := w.Mark(t)
			receive(t, w, onTelegram, fmt.Sprintf(message, step.id, step.time, step.side))
			events := w.EventsAfter(t, mark)
			if got := strings.Join(names(events), " "); got != step.want {
				t.Errorf("message %d: events %s, want %s", step.id, got, step.want)
			}
			if len(events) == 2 && string(events[1].Items(t)[0]) != `{"type":"open","chat":{"id":"private-1"},"edited":null}` {
				t.Errorf("chatStatus %s", events[1].Data)
			}
		}
	})
}

// TestInboundGroup checks an author in a group, in the spelling of WhatsApp's own ids.
func TestInboundGroup(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	receive(t, w, onGr, `{"messages":[{"id":"G1","chat":"120363111@g.us","fromUser":{"id":"79990001122@s.whatsapp.net","name":"Ann"},"message":{"text":"Hi"}}]}`)
	events := w.Events(t)
	if list := strings.Join(names(events), " "); list != "message" { // windows are only in private chats
		t.Fatalf("events %s", list)
	}
	if want := `"fromUser":{"id":"79990001122@c.us","username":null,"name":"Ann","phone":"79990001122"}`; !strings.Contains(events[0].Data, want) {
		t.Errorf("%s", events[0].Data)
	}
}

func TestConversationWindow(t *testing.T) {
	const start, day = int64(crmtest.Start), int64(86400)
	steps := []struct {
		name string
		now  int64
		time int64
		side string
		want string // the window's type; empty: none opens
	}{
		{"first of the customer", start, start, "in", "UIC"},
		{"inside", start + day - 1, start + day - 1, "in", ""},
		{"answer inside", start + 5, start + 5, "out", ""},
		{"older, out of order", start + 10, start - 100, "in", ""},
		{"ours, when it has closed", start + day, start + day, "out", "BIC"},
		{"of the window before", start + day + 5, start + day - 2, "in", ""},
		{"customer, long after", start + 9*day, start + 9*day, "in", "UIC"},
		{"late: the window of its time", start + 30*day, start + 20*day, "in", "UIC"},
		{"late, inside that window", start + 30*day, start + 20*day + 5, "in", ""},
		{"first after the late ones", start + 30*day, start + 30*day, "in", "UIC"},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for i, test := range steps {
			w.Clock.Set(test.now)
			for _, on := range []crm.Line{onGr, onTelegram} {
				mark := w.Mark(t)
				receive(t, w, on, fmt.Sprintf(`{"messages":[{"id":"W%d","chat":"79990001122","side":"%s","time":%d,"fromUser":{"id":"79990001122"},"message":{"text":"Hi"}}]}`, i, test.side, test.time))
				events := w.EventsAfter(t, mark, "chatConversation")
				if test.want == "" || on == onTelegram {
					if len(events) != 0 {
						t.Errorf("%s on %s: %s", test.name, on.Messenger, events[0].Data)
					}
					continue
				}
				if len(events) != 1 || !strings.Contains(events[0].Data, fmt.Sprintf(`"type":"%s","startTime":%d,"endTime":%d`, test.want, test.time, test.time+day)) {
					t.Errorf("%s: %v", test.name, events)
				}
			}
		}
	})
}

func TestStatusNeverGoesBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const chat = "79990001122"
		for i, test := range []struct{ steps, events, results string }{
			{"sent delivered viewed", "sent delivered viewed", "accepted accepted accepted"},
			{"viewed delivered sent", "viewed", "accepted unchanged unchanged"},
			{"delivered delivered failed viewed", "delivered viewed", "accepted unchanged unchanged accepted"},
			{"sent failed delivered failed", "sent failed", "accepted accepted unchanged unchanged"},
			{"failed sent", "failed", "accepted unchanged"},
		} {
			m := saying("Hello")
			tracking := fmt.Sprintf("order %d", i)
			m.Tracking = &tracking
			sent, err := w.Send(t.Context(), w.Operator, chatAt(onGr, chat), m)
			if err != nil {
				t.Fatal(err)
			}
			mark := w.Mark(t)
			var items []string
			for _, typ := range strings.Fields(test.steps) {
				violation := "null"
				if typ == "failed" {
					violation = `{"code":131, "title":"no such number"}`
				}
				items = append(items, fmt.Sprintf(`{"id":%q,"chat":{"id":%q},"type":%q,"error":%s}`, sent.ID, chat, typ, violation))
			}
			answer := receive(t, w, onGr, `{"statuses":[`+strings.Join(items, ",")+`]}`)
			var results, events []string
			for _, r := range answer.Statuses {
				results = append(results, r.Result)
			}
			for _, ev := range w.EventsAfter(t, mark) {
				var item crm.MessageStatusItem
				if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
					t.Fatal(err)
				}
				events = append(events, item.Type)
				if item.FromApp == nil || item.FromApp.Tracking == nil || *item.FromApp.Tracking != tracking || item.FromApp.ID != w.Operator.AppID {
					t.Errorf("fromApp of %s", ev.Data)
				}
				if want := map[bool]string{true: `{"code":131,"title":"no such number"}`, false: "null"}[item.Type == "failed"]; string(item.Error) != want {
					t.Errorf("error of %s, want %s", ev.Data, want)
				}
			}
			if got := strings.Join(results, " "); got != test.results {
				t.Errorf("%s: results %s, want %s", test.steps, got, test.results)
			}
			if got := strings.Join(events, " "); got != test.events {
				t.Errorf("%s: events %s, want %s", test.steps, got, test.events)
			}
		}
	})
}

func TestStatusOfUnknownMessageIsReported(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		receive(t, w, onGr, `{"messages":[{"id":"IN","chat":"79990001122","message":{"text":"Hi"}}]}`)
		mark := w.Mark(t)
		answer := receive(t, w, onGr, `{"statuses":[
			{"id":"NONE","chat":"79990001122","type":"sent"},
			{"id":"IN","chat":"79990001122","type":"viewed"},
			{"id":"IN","chat":"79995555555","type":"viewed"}]}`)
		for i, r := range answer.Statuses {
			if r.Result != crm.ResultUnknown {
				t.Errorf("status %d: %+v", i, r)
			}
		}
		if events := w.EventsAfter(t, mark); len(events) != 0 {
			t.Errorf("events %v", events)
		}
	})
}

func TestInboundErrorsNameTheirField(t *testing.T) {
	const good = `{"id":"OK","chat":"79990001122","message":{"text":"Hi"}}`
	long := strings.Repeat("x", crm.MaxText+1)
	tests := map[string]struct{ body, field string }{
		"nothing":             {`{}`, "messages"},
		"no id":               {`{"messages":[` + good + `,{"chat":"79990001122","message":{"text":"Hi"}}]}`, "messages[1].id"},
		"no chat":             {`{"messages":[{"id":"1","message":{"text":"Hi"}}]}`, "messages[0].chat.id"},
		"odd chat":            {`{"messages":[{"id":"1","chat":{"id":"x"},"message":{"text":"Hi"}}]}`, "messages[0].chat.id"},
		"NUL":                 {`{"messages":[{"id":"1","chat":"79990001122","message":{"text":"a\u0000b"}}]}`, "messages[0].message.text"},
		"NUL in a name":       {`{"messages":[{"id":"1","chat":{"id":"79990001122","name":"\u0000"},"message":{"text":"a"}}]}`, "messages[0].chat.name"},
		"NUL of the author":   {`{"messages":[{"id":"1","chat":"79990001122","fromUser":{"id":"1","name":"\u0000"},"message":{"text":"a"}}]}`, "messages[0].fromUser.name"},
		"empty text":          {`{"messages":[{"id":"1","chat":"79990001122","message":{"text":" "}}]}`, "messages[0].message.text"},
		"long text":           {`{"messages":[{"id":"1","chat":"79990001122","message":{"text":"` + long + `"}}]}`, "messages[0].message.text"},
		"milliseconds":        {`{"messages":[{"id":"1","chat":"79990001122","time":1637319282000,"message":{"text":"a"}}]}`, "messages[0].time"},
		"negative time":       {`{"messages":[{"id":"1","chat":"79990001122","time":-1,"message":{"text":"a"}}]}`, "messages[0].time"},
		"type":                {`{"messages":[{"id":"1","chat":"79990001122","type":"a b","message":{"text":"a"}}]}`, "messages[0].type"},
		"side":                {`{"messages":[{"id":"1","chat":"79990001122","side":"up","message":{"text":"a"}}]}`, "messages[0].side"},
		"side against fromMe": {`{"messages":[{"id":"1","chat":"79990001122","fromMe":true,"side":"in","fromUser":{"id":"1"},"message":{"text":"a"}}]}`, "messages[0].side"},
		"author of a group":   {`{"messages":[{"id":"1","chat":"120363041234567890@g.us","message":{"text":"a"}}]}`, "messages[0].fromUser"},
		"link":                {`{"messages":[{"id":"1","chat":"79990001122","type":"image","message":{"file":{"link":"javascript:alert(1)","name":"a"}}}]}`, "messages[0].message.file.link"},
		"stored link":         {`{"messages":[{"id":"1","chat":"79990001122","type":"image","message":{"file":{"link":"stored:0","name":"a"}}}]}`, "messages[0].message.file.link"},
		"chat image":          {`{"messages":[{"id":"1","chat":{"id":"79990001122","image":"x"},"message":{"text":"a"}}]}`, "messages[0].chat.image"},
		"chat type":           {`{"messages":[{"id":"1","chat":{"id":"79990001122","type":"group"},"message":{"text":"a"}}]}`, "messages[0].chat.type"},
		"lid":                 {`{"messages":[{"id":"1","chat":{"id":"79990001122","lid":"5@c.us"},"message":{"text":"a"}}]}`, "messages[0].chat.lid"},
		"phone against id":    {`{"messages":[{"id":"1","chat":{"id":"79990001122","phone":"79990001123"},"message":{"text":"a"}}]}`, "messages[0].chat.phone"},
		"location":            {`{"messages":[{"id":"1","chat":"79990001122","type":"location","message":{"location":{"latitude":91}}}]}`, "messages[0].message.location.latitude"},
		"no location":         {`{"messages":[{"id":"1","chat":"79990001122","type":"location","message":{"text":"a"}}]}`, "messages[0].message.location"},
		"poll":                {`{"messages":[{"id":"1","chat":"79990001122","type":"poll","message":{"poll":{"question":"?","options":["a"]}}}]}`, "messages[0].message.poll.options"},
		"quoted":              {`{"messages":[{"id":"1","chat":"79990001122","quotedMessageId":"","message":{"text":"a"}}]}`, "messages[0].quotedMessageId"},
		"utm":                 {`{"messages":[{"id":"1","chat":"79990001122","utm":[1],"message":{"text":"a"}}]}`, "messages[0].utm"},
		"status type":         {`{"messages":[` + good + `],"statuses":[{"id":"1","chat":"79990001122","type":"read"}]}`, "statuses[0].type"},
		"status id":           {`{"statuses":[{"chat":"79990001122","type":"sent"}]}`, "statuses[0].id"},
		"status error":        {`{"statuses":[{"id":"1","chat":"79990001122","type":"sent","error":"x"}]}`, "statuses[0].error"},
		"too many":            {`{"messages":[` + good + strings.Repeat(`,`+good, crm.MaxInbound) + `]}`, "messages"},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for name, test := range tests {
			_, err := w.IngestAs(t.Context(), w.Owner, onGr, inbound(t, test.body))
			wantCode(t, name, err, crm.CodeInvalid, test.field)
		}
		// All violations are returned at once, and no valid part is stored.
		_, err := w.IngestAs(t.Context(), w.Owner, onGr, inbound(t, `{"messages":[`+good+`,{"id":"2"},{"chat":"79990001122","message":{"text":"a"}}]}`))
		var e *crm.Error
		if !errors.As(err, &e) || e.Fields["messages[1].chat.id"] == "" || e.Fields["messages[1].message.text"] == "" || e.Fields["messages[2].id"] == "" {
			t.Errorf("violations %v", err)
		}
		if events := w.Events(t); len(events) != 0 {
			t.Errorf("events %v", events)
		}
		if page, err := w.Chats(t.Context(), w.Owner, onGr, crm.ChatQuery{}); err != nil || len(page.Items) != 0 {
			t.Errorf("chats %v, %v", page, err)
		}
	})
}

func TestInboundIsForOwnersAndAdmins(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		in := inbound(t, `{"messages":[{"id":"1","chat":"79990001122","message":{"text":"Hi"}}]}`)
		bad := inbound(t, `{"messages":[{}]}`)
		for _, test := range []struct {
			name string
			a    crm.Actor
			want crm.Code
		}{
			{"operator", w.Operator, crm.CodeDenied},
			{"reader", w.Reader, crm.CodeDenied},
			{"only mine", w.OnlyMine, crm.CodeDenied},
			{"outsider", w.Outsider, crm.CodeDenied},
			{"stranger", w.Stranger, crm.CodeNotFound},
			{"nobody", crm.Actor{}, crm.CodeNotFound},
		} {
			for _, body := range []crm.InboundRequest{in, bad} {
				_, err := w.IngestAs(t.Context(), test.a, onGr, body)
				wantCode(t, test.name, err, test.want, "")
			}
		}
		_, err := w.IngestAs(t.Context(), w.Owner, crm.Line{LicenseID: crmtest.LicenseID, Messenger: "viber"}, in)
		wantCode(t, "a messenger that the licence has not", err, crm.CodeNotFound, "")
		if events := w.Events(t); len(events) != 0 {
			t.Errorf("events %v", events)
		}
	})
}
