package crm_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

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
		for range 2 { // the second call changes nothing
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
		wantCode(t, "delete what another wrote", w.DeleteMessage(t.Context(), w.Reader, chatAt(onGr, ann), id), crm.CodeDenied, "")
		if _, err = edit(w.Admin, "ECHO", "Hi!"); err != nil {
			t.Errorf("edit what was written on the phone: %v", err)
		}
		edits := w.EventsAfter(t, mark) // as they were before the deletion
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
		if want := fmt.Sprintf(`{"id":%q,"type":"text","message":{"text":"Hello!","caption":"","file":null},"time":1637319300,"chat":{"id":"79990001122@c.us"},"fromApp":{"id":"app_687_1"},"edited":{"id":687},"error":null,"origin":{"fromMe":true,"time":1637319300,"type":"text","fromUser":{"id":"687","username":null,"name":"Operator","phone":null}}}`, id); string(edits[0].Items(t)[0]) != want {
			t.Errorf("messageEdit %s, want %s", edits[0].Items(t)[0], want)
		}
		if want := fmt.Sprintf(`{"id":%q,"time":1637319300,"chat":{"id":"79990001122@c.us"},"fromApp":{"id":"app_686_1"},"edited":{"id":686},"origin":{"fromMe":true,"time":1637319300,"type":"text","fromUser":{"id":"687","username":null,"name":"Operator","phone":null}}}`, id); string(events[2].Items(t)[0]) != want {
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
				// With the direction or, as ChatApp's clients may do, without it.
				q.NextPage, q.Direction = *page.NextPage, map[bool]string{true: direction}[pages%2 == 0]
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
		forward, err := w.Messages(t.Context(), w.Owner, at, crm.MessageQuery{Direction: "next", PageQuery: crm.PageQuery{Limit: 1}})
		if err != nil {
			t.Fatal(err)
		}
		for field, q := range map[string]crm.MessageQuery{
			"direction":      {Direction: "up"},
			"lastInternalId": {LastInternalID: &none},
			"limit":          {PageQuery: crm.PageQuery{Limit: 101}},
			"nextPage":       {PageQuery: crm.PageQuery{NextPage: "x"}},
			"nextPage, back": {PageQuery: crm.PageQuery{NextPage: *forward.NextPage}, Direction: "prev"},
		} {
			field, _, _ := strings.Cut(field, ",")
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
		_, err = w.Pair(t.Context(), w.Admin, onGr, nil)
		wantCode(t, "pair", err, crm.CodeUnavailable, "")
		_, err = w.Pair(t.Context(), w.Admin, onGr, &phone)
		wantCode(t, "pair by phone", err, crm.CodeUnavailable, "")
		_, err = w.Pair(t.Context(), w.Admin, onGr, &odd)
		wantCode(t, "pair by an odd phone", err, crm.CodeInvalid, "phone")
		wantCode(t, "log out", w.Logout(t.Context(), w.Admin, onGr), crm.CodeUnavailable, "")
		_, err = w.LineStatus(t.Context(), w.Stranger, onGr)
		wantCode(t, "a stranger's look", err, crm.CodeNotFound, "")
		wantCode(t, "typing of an odd kind", w.Typing(t.Context(), w.Operator, chatAt(onGr, ann), "dance"), crm.CodeInvalid, "type")
		// A line whose type nothing serves cannot send.
		clear(w.Messengers)
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, ann), saying("x"))
		wantCode(t, "nothing serves the type", err, crm.CodeUnavailable, "")
	})
}

// TestLinesBelongToManagers checks who may pair a line and log it out.
func TestLinesBelongToManagers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		phone := "79990001122"
		for _, c := range []struct {
			who   string
			actor crm.Actor
			want  crm.Code
		}{
			{"owner", w.Owner, crm.CodeUnavailable}, // the line is a bridge, which has no account
			{"admin", w.Admin, crm.CodeUnavailable},
			{"operator with write", w.Operator, crm.CodeDenied},
			{"operator of own chats", w.OnlyMine, crm.CodeDenied},
			{"reader", w.Reader, crm.CodeDenied},
			{"operator without the licence", w.Outsider, crm.CodeDenied},
			{"stranger", w.Stranger, crm.CodeNotFound},
		} {
			_, err := w.Pair(t.Context(), c.actor, onGr, nil)
			expectCode(t, c.who+" pairs", err, c.want)
			_, err = w.Pair(t.Context(), c.actor, onGr, &phone)
			expectCode(t, c.who+" pairs by phone", err, c.want)
			expectCode(t, c.who+" logs out", w.Logout(t.Context(), c.actor, onGr), c.want)
		}
	})
}
