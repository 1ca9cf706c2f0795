package crm_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func text(s string) *string { return &s }

func TestChatListFiltersAndPages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		ctx, line := ctxOf(), crm.Line{LicenseID: crmtest.LicenseID, Messenger: whatsApp}
		put := func(id, messenger string, license int64, time int64, edit func(*models.Chat)) models.Chat {
			return putChat(t, w, messenger, id, func(c *models.Chat) {
				c.LastTime, c.LicenseID = time, license
				edit(c)
			})
		}
		nothing := func(*models.Chat) {}
		a := put("a", whatsApp, crmtest.LicenseID, 50, func(c *models.Chat) { c.Name, c.Unread = "Иван Петров", 3 })
		put("b", whatsApp, crmtest.LicenseID, 40, func(c *models.Chat) { c.ResponsibleID, c.Phone = &w.OnlyMine.UserID, text("79991234567") })
		put("c", whatsApp, crmtest.LicenseID, 40, func(c *models.Chat) { c.ResponsibleID, c.Status, c.Name = &w.Operator.UserID, "close", "Tomás" })
		put("d", whatsApp, crmtest.LicenseID, 30, func(c *models.Chat) { c.Username = text("100%_sure!") })
		put("e", "telegram", crmtest.LicenseID, 60, nothing)
		put("f", whatsApp, crmtest.OtherLicenseID, 70, nothing)
		put("s", whatsApp, crmtest.StrangeLicense, 80, func(c *models.Chat) { c.CompanyID = crmtest.StrangeCompany })
		w.Tx(t, func(tx *models.Tx) error { return tx.Insert(&models.ChatTag{ChatID: a.ID, TagID: cat.tag}) })

		yes, no, at := true, false, int64(40)
		for _, test := range []struct {
			name string
			who  crm.Actor
			q    crm.ChatQuery
			line string // of the line
			all  string // of all lines
		}{
			{"owner", w.Owner, crm.ChatQuery{}, "a c b d", "f e a c b d"},
			{"operator", w.Operator, crm.ChatQuery{}, "a c b d", "e a c b d"},
			{"reader", w.Reader, crm.ChatQuery{}, "a c b d", "e a c b d"},
			{"only mine", w.OnlyMine, crm.ChatQuery{}, "a b d", "e a b d"},
			{"outsider", w.Outsider, crm.ChatQuery{}, "denied", ""},
			{"stranger", w.Stranger, crm.ChatQuery{}, "not_found", "s"},
			{"closed", w.Owner, crm.ChatQuery{Status: "close"}, "c", "c"},
			{"of a user", w.Owner, crm.ChatQuery{ResponsibleID: &w.OnlyMine.UserID}, "b", "b"},
			{"of no one", w.Owner, crm.ChatQuery{NoResponsible: true}, "a d", "f e a d"},
			{"tagged", w.Owner, crm.ChatQuery{TagID: cat.tag}, "a", "a"},
			{"another's tag", w.Owner, crm.ChatQuery{TagID: cat.strangeTag}, "", ""},
			{"unread", w.Owner, crm.ChatQuery{Unread: &yes}, "a", "a"},
			{"read", w.Owner, crm.ChatQuery{Unread: &no}, "c b d", "f e c b d"},
			{"not after", w.Owner, crm.ChatQuery{LastTime: &at}, "c b d", "c b d"},
			{"search in any case", w.Owner, crm.ChatQuery{Search: " иВАН п"}, "a", "a"},
			{"search without accents", w.Owner, crm.ChatQuery{Search: "tomas"}, "c", "c"},
			{"search with accents", w.Owner, crm.ChatQuery{Search: "TÓMAS"}, "c", "c"},
			{"search for a word of several", w.Owner, crm.ChatQuery{Search: "петров иван"}, "a", "a"},
			{"search for words of which one is not there", w.Owner, crm.ChatQuery{Search: "петров анна"}, "", ""},
			{"search for a phone as people write it", w.Owner, crm.ChatQuery{Search: "+7 (999) 123-45"}, "b", "b"},
			{"search by phone", w.Owner, crm.ChatQuery{Search: "12345"}, "b", "b"},
			{"search for signs", w.Owner, crm.ChatQuery{Search: "0%_SURE!"}, "d", "d"},
			{"search for a sign that stands for anything", w.Owner, crm.ChatQuery{Search: "a%в"}, "", ""},
			{"search for nothing there", w.Owner, crm.ChatQuery{Search: "' OR 1=1 --"}, "", ""},
			{"status of no kind", w.Owner, crm.ChatQuery{Status: "shut"}, "status", "status"},
			{"NUL", w.Owner, crm.ChatQuery{Search: "a\x00"}, "search", "search"},
			{"not UTF-8", w.Owner, crm.ChatQuery{Search: "\xff"}, "search", "search"},
			{"too long", w.Owner, crm.ChatQuery{Search: strings.Repeat("a", 101)}, "search", "search"},
		} {
			list := func(q crm.ChatQuery) (crm.Page[crm.ChatData], error) { return w.Chats(ctx, test.who, line, q) }
			if got := walk(t, test.q, list); got != test.line {
				t.Errorf("%s: the line's chats are %q, want %q", test.name, got, test.line)
			}
			list = func(q crm.ChatQuery) (crm.Page[crm.ChatData], error) { return w.AllChats(ctx, test.who, q) }
			if got := walk(t, test.q, list); got != test.all {
				t.Errorf("%s: all chats are %q, want %q", test.name, got, test.all)
			}
		}
	})
}

// walk lists the ids of a query page by page, or returns the refused field or the code.
func walk(t *testing.T, q crm.ChatQuery, list func(crm.ChatQuery) (crm.Page[crm.ChatData], error)) string {
	t.Helper()
	var ids []string
	for q.Limit = 1; ; {
		p, err := list(q)
		if e, ok := err.(*crm.Error); ok {
			for field := range e.Fields {
				return field
			}
			return string(e.Code)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Items {
			ids = append(ids, c.ID)
		}
		if p.NextPage == nil {
			return strings.Join(ids, " ")
		}
		q.NextPage = *p.NextPage
	}
}

// TestChatInFull reads a chat with all attributes, alone and in a list.
func TestChatInFull(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		end := int64(crmtest.Start + 100)
		begin := end - 86400
		chat := putChat(t, w, whatsApp, "70000000000@c.us", ofUser(687), func(c *models.Chat) {
			c.LID, c.Phone, c.Image, c.Process = text("123@lid"), text("70000000000"), text("https://x.test/i"), text("inWork")
			c.ResponsiblePinned, c.ProducerID, c.LevelID, c.Unread = true, &w.Admin.UserID, &cat.level, 2
			c.WindowID, c.WindowType, c.WindowStart, c.WindowEnd = text("ff"), text("UIC"), &begin, &end
		})
		w.Tx(t, func(tx *models.Tx) error {
			return tx.Insert(
				&models.ChatTag{ChatID: chat.ID, TagID: cat.tag}, &models.ChatTag{ChatID: chat.ID, TagID: cat.otherTag},
				&models.ChatMember{ChatID: chat.ID, UserID: 688, Part: "accomplice"}, &models.ChatMember{ChatID: chat.ID, UserID: 687, Part: "accomplice"},
				&models.ChatMember{ChatID: chat.ID, UserID: 686, Part: "auditor"},
			)
		})
		want := crm.ChatData{
			ID: "70000000000@c.us", LID: text("123@lid"), Hash: "h1", Type: "private", LicenseID: 1229, MessengerType: whatsApp,
			Phone: text("70000000000"), Name: "70000000000@c.us", Image: text("https://x.test/i"), Status: "open",
			Responsible: &crm.IDRef{ID: 687}, Pin: true, Producer: &crm.IDRef{ID: 686},
			Accomplices: []crm.IDRef{{ID: 687}, {ID: 688}}, Auditors: []crm.IDRef{{ID: 686}},
			Level: &crm.LevelData{ID: cat.level, Name: "New", Sort: 100}, Process: text("inWork"),
			Tags: []crm.TagData{
				{ID: cat.otherTag, Name: "test 2", Color: "#fff", Sort: 50},
				{ID: cat.tag, Name: "test 1", Color: "#123df55", Sort: 100, Category: &crm.CategoryData{ID: 9, Name: "test 1", Sort: 100}},
			},
			Unread: 2, LastTime: crmtest.Start, Conversation: &crm.ChatWindow{ID: "ff", Type: "UIC", StartTime: begin, EndTime: end},
			Number: chat.ID, CreatedAt: crmtest.Start,
		}
		for _, id := range []string{"70000000000", "+70000000000", "70000000000@c.us", "70000000000@s.whatsapp.net", "123@lid"} {
			address := at(chat)
			address.ChatID = id
			if got, err := w.Chat(ctxOf(), w.Reader, address); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("by %s:\n got %+v (%v)\nwant %+v", id, got, err, want)
			}
		}
		putChat(t, w, whatsApp, "70000000001@c.us", func(c *models.Chat) { c.LastTime-- })
		page, err := w.AllChats(ctxOf(), w.Reader, crm.ChatQuery{})
		if err != nil || len(page.Items) != 2 || !reflect.DeepEqual(page.Items[0], want) {
			t.Errorf("in a list: %+v, %v", page.Items, err)
		}
		w.Clock.Set(end)
		if got, err := w.Chat(ctxOf(), w.Reader, at(chat)); err != nil || got.Conversation != nil {
			t.Errorf("when the window has ended: %+v, %v", got.Conversation, err)
		}
	})
}

func TestCreateChat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx, line := ctxOf(), crm.Line{LicenseID: crmtest.LicenseID, Messenger: whatsApp}
		in := func(phone string) crm.ChatInput { return crm.ChatInput{Phone: crm.Value(phone)} }
		first, err := w.CreateChat(ctx, w.OnlyMine, line, in("+7 (999) 000-11-22"))
		if err != nil || first.ID != "79990001122@c.us" || *first.Phone != "79990001122" || first.Status != "open" || first.Responsible != nil {
			t.Fatalf("a new chat: %+v, %v", first, err)
		}
		again, err := w.CreateChat(ctx, w.Operator, line, in("79990001122"))
		if err != nil || !reflect.DeepEqual(again, first) {
			t.Errorf("the same once more: %+v, %v", again, err)
		}
		older := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "WhatsApp"}
		if bare, err := w.CreateChat(ctx, w.Owner, older, in("79990001122")); err != nil || bare.ID != "79990001122" {
			t.Errorf("on the older type: %+v, %v", bare, err)
		}
		putChat(t, w, whatsApp, "79990003344@c.us", ofUser(w.Operator.UserID))
		for _, test := range []struct {
			name  string
			who   crm.Actor
			line  crm.Line
			in    crm.ChatInput
			code  crm.Code
			field string
		}{
			{"a colleague's, by an only-mine operator", w.OnlyMine, line, in("79990003344"), crm.CodeNotFound, ""},
			{"by a reader", w.Reader, line, in("79990001122"), crm.CodeDenied, ""},
			{"by a stranger", w.Stranger, line, in("79990001122"), crm.CodeNotFound, ""},
			{"no phone", w.Owner, line, crm.ChatInput{}, crm.CodeInvalid, "phone"},
			{"not a phone", w.Owner, line, in("call me"), crm.CodeInvalid, "phone"},
			{"too long a phone", w.Owner, line, in("7999000112233445"), crm.CodeInvalid, "phone"},
			{"NUL", w.Owner, line, crm.ChatInput{Phone: crm.Value("79990001122"), Name: crm.Value("\x00")}, crm.CodeInvalid, "name"},
			{"of no kind", w.Owner, line, crm.ChatInput{Type: crm.Value("crowd")}, crm.CodeInvalid, "type"},
			{"a group", w.Owner, line, crm.ChatInput{Type: crm.Value("group"), Name: crm.Value("Friends")}, crm.CodeUnavailable, ""},
			{"by phone on telegram", w.Owner, crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}, in("79990001122"), crm.CodeUnavailable, ""},
		} {
			_, err := w.CreateChat(ctx, test.who, test.line, test.in)
			wantCode(t, test.name, err, test.code, test.field)
		}
		if got := w.Events(t); len(got) > 0 {
			t.Errorf("making chats caused %v", names(got))
		}
	})
}

func TestContacts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx, line := ctxOf(), crm.Line{LicenseID: crmtest.LicenseID, Messenger: whatsApp}
		for i, responsible := range []int64{0, w.OnlyMine.UserID, w.Operator.UserID} {
			id := fmt.Sprintf("7000000000%d@c.us", i)
			putChat(t, w, whatsApp, id, func(c *models.Chat) {
				if responsible != 0 {
					c.ResponsibleID = &responsible
				}
			})
			w.Tx(t, func(tx *models.Tx) error {
				return tx.Insert(&models.Contact{LicenseID: crmtest.LicenseID, MessengerType: whatsApp, ExternalID: id, Name: fmt.Sprint("Ким ", i)})
			})
		}
		for _, test := range []struct {
			who    crm.Actor
			search string
			want   string
		}{
			{w.Owner, "", "Ким 0,Ким 1,Ким 2"}, {w.Reader, "", "Ким 0,Ким 1,Ким 2"}, {w.OnlyMine, "", "Ким 0,Ким 1"},
			{w.Owner, "КИМ 2", "Ким 2"}, {w.Owner, "ким", "Ким 0,Ким 1,Ким 2"}, {w.Owner, "кйм", ""}, {w.Owner, "00001@", "Ким 1"},
		} {
			var met []string
			for q := (crm.PageQuery{Limit: 2}); ; {
				p, err := w.Contacts(ctx, test.who, line, q, test.search)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range p.Items {
					met = append(met, k.Name)
				}
				if p.NextPage == nil {
					break
				}
				q.NextPage = *p.NextPage
			}
			if got := strings.Join(met, ","); got != test.want {
				t.Errorf("user %d, %q: %s, want %s", test.who.UserID, test.search, got, test.want)
			}
		}
		_, err := w.Contacts(ctx, w.Outsider, line, crm.PageQuery{}, "")
		wantCode(t, "an operator without the license", err, crm.CodeDenied, "")
	})
}
