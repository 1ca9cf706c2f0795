package crm_test

import (
	"slices"
	"testing"
	"time"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestEventsOfLostLines checks that the events of a line can no longer be read on the
// channel of a person who lost the line.
func TestEventsOfLostLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, "telegram", "12345")
		if _, err := w.SetChatStatus(t.Context(), w.Owner, at(chat), "close"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Journal.Number(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		read := func(user int64) [2]int {
			t.Helper()
			var n [2]int
			for i, newest := range []bool{false, true} {
				q := crm.EventsQuery{Channel: channels.CompanyUserName(crmtest.CompanyID, user), Newest: newest}
				page, err := w.Service.Events(t.Context(), crm.Actor{UserID: user}, q)
				if err != nil || page.NextAfter != 1 {
					t.Fatalf("user %d: %+v, %v", user, page, err)
				}
				n[i] = len(page.Items)
			}
			return n
		}
		give := func(user int64, rights ...crm.LicenseRight) {
			t.Helper()
			if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, crm.EmployeeChanges{Licenses: &rights}); err != nil {
				t.Fatal(err)
			}
		}
		for _, user := range []int64{w.Owner.UserID, 686, 687, 689} { // 689 sees only their own chats and those of nobody
			if n := read(user); n != [2]int{1, 1} {
				t.Errorf("user %d reads %v events", user, n)
			}
		}
		for _, user := range []int64{687, 689} {
			for _, rights := range [][]crm.LicenseRight{nil, {{LicenseID: crmtest.OtherLicenseID}}} {
				if give(user, rights...); read(user) != [2]int{} {
					t.Errorf("user %d with %v reads what they lost", user, rights)
				}
			}
			if give(user, crm.LicenseRight{LicenseID: crmtest.LicenseID}); read(user) != [2]int{1, 1} {
				t.Errorf("user %d does not read what they got back", user)
			}
		}
	})
}

// TestEventsOfLostChats checks that an operator who sees only their own chats can no
// longer read what was said in a chat that somebody else has now, nor in any chat of
// others when they could see all before. They read that the chat was given away.
func TestEventsOfLostChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := putChat(t, w, "telegram", "12345")
		said := []crm.InboundMessage{{
			ID: crm.MakeID("telegram", "1"), Chat: crm.InboundChat{ID: crm.MakeID("telegram", "12345")}, Message: crm.Content{Text: "Hello"},
		}}
		if _, err := w.IngestAs(t.Context(), w.Owner, at(chat).Line, crm.InboundRequest{Messages: said}); err != nil {
			t.Fatal(err)
		}
		read := func(who crm.Actor) (names []string) {
			t.Helper()
			if _, err := w.Journal.Number(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			for _, newest := range []bool{false, true} {
				q := crm.EventsQuery{Channel: channels.CompanyUserName(crmtest.CompanyID, who.UserID), Newest: newest}
				page, err := w.Service.Events(t.Context(), who, q)
				if err != nil {
					t.Fatal(err)
				}
				names = nil
				for _, item := range page.Items {
					names = append(names, item.Event)
				}
			}
			return names
		}
		give := func(to int64) {
			t.Helper()
			if _, err := w.SetResponsible(t.Context(), w.Owner, at(chat), crm.Field[int64]{Set: true, Value: to}); err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, who crm.Actor, names ...string) {
			t.Helper()
			if got := read(who); !slices.Equal(got, names) {
				t.Errorf("%s: %v, want %v", what, got, names)
			}
		}
		want("nobody's chat", w.OnlyMine, "message")
		give(w.OnlyMine.UserID)
		want("their own chat", w.OnlyMine, "message", "chatResponsible")
		give(w.Admin.UserID)
		want("a chat they lost", w.OnlyMine, "chatResponsible", "chatResponsible")
		want("whoever sees all", w.Operator, "message", "chatResponsible", "chatResponsible")
		if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, w.Operator.UserID, crm.EmployeeChanges{OnlyMine: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		want("whoever saw all", w.Operator, "chatResponsible", "chatResponsible")
	})
}

// TestEventsOfRemovedLines checks that nobody reads in the journal what was said on a line
// that was removed, when the licence gets a line of that type again. Another line's events
// stay.
func TestEventsOfRemovedLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat, other := putChat(t, w, "telegram", "12345"), putChat(t, w, whatsApp, "79995554433@c.us")
		number := func() {
			t.Helper()
			if _, err := w.Journal.Number(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []models.Chat{other, chat} { // published, numbered, and not numbered yet
			for _, status := range []string{"close", "open", "close"} {
				if _, err := w.SetChatStatus(t.Context(), w.Owner, at(c), status); err != nil {
					t.Fatal(err)
				}
				if status != "close" || c.ID == other.ID {
					number()
				}
			}
		}
		if err := w.Journal.MarkPublished(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, crmtest.LicenseID, "telegram"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddMessenger(t.Context(), w.Owner, crmtest.LicenseID, "telegram", ""); err != nil {
			t.Fatal(err)
		}
		number()
		for channel, want := range map[string]int{
			channels.LineName(crmtest.LicenseID, "telegram"): 2, channels.LineName(crmtest.LicenseID, whatsApp): 3,
			channels.CompanyUserName(crmtest.CompanyID, w.Owner.UserID): 5,
		} { // the last two tell that the line was removed, and made
			page, err := w.Service.Events(t.Context(), w.Owner, crm.EventsQuery{Channel: channel})
			if err != nil || len(page.Items) != want || page.LastID != 7 {
				t.Errorf("%s: %+v, %v; want %d", channel, page, err, want)
			}
		}
		if n, err := w.Journal.Prune(t.Context(), w.Now().Add(time.Second), 3); err != nil || n != 3 {
			t.Fatalf("pruned %d, %v", n, err)
		}
		q := crm.EventsQuery{Channel: channels.LineName(crmtest.LicenseID, whatsApp), After: 3}
		if _, err := w.Service.Events(t.Context(), w.Owner, q); err != nil {
			t.Errorf("the cursor of another line, of which nothing is missing: %v", err)
		}
		if err := w.DeleteLicense(t.Context(), w.Owner, crmtest.LicenseID); err != nil {
			t.Fatal(err)
		}
		rows, err := store.Read(t.Context()).ChannelJournal(models.ChannelView{Channel: channels.LineName(crmtest.LicenseID, whatsApp)}, 0, 99, 99)
		if err != nil || len(rows) > 0 {
			t.Errorf("after the licence: %+v, %v", rows, err)
		}
	})
}
