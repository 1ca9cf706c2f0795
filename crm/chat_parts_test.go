package crm_test

import (
	"fmt"
	"slices"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// withParts inserts a chat in which the user has every part.
func withParts(t *testing.T, w *crmtest.World, id string, userID int64) models.Chat {
	t.Helper()
	chat := putChat(t, w, "telegram", id, ofUser(userID), func(c *models.Chat) { c.ProducerID = &userID })
	w.Tx(t, func(tx *models.Tx) error {
		return tx.Insert(
			&models.ChatMember{ChatID: chat.ID, UserID: userID, Part: models.PartAccomplice},
			&models.ChatMember{ChatID: chat.ID, UserID: userID, Part: models.PartAuditor},
		)
	})
	return chat
}

// parts returns how many parts people have in a chat.
func parts(t *testing.T, w *crmtest.World, chat models.Chat) int {
	t.Helper()
	data, err := w.Chat(t.Context(), w.Owner, at(chat))
	if err != nil {
		t.Fatal(err)
	}
	n := len(data.Accomplices) + len(data.Auditors)
	for _, ref := range []*crm.IDRef{data.Responsible, data.Producer} {
		if ref != nil {
			n++
		}
	}
	return n
}

// TestNobodyKeepsAPartWithoutAccess takes the access to a chat from the operator who has all
// parts in it, in every way that there is.
func TestNobodyKeepsAPartWithoutAccess(t *testing.T) {
	const user = 687
	change := func(ch crm.EmployeeChanges) func(*testing.T, *crmtest.World) error {
		return func(t *testing.T, w *crmtest.World) error {
			_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, user, ch)
			return err
		}
	}
	admin, operator := models.RoleAdmin, models.RoleOperator
	for what, do := range map[string]func(*testing.T, *crmtest.World) error{
		"removed": func(t *testing.T, w *crmtest.World) error {
			return w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, user)
		},
		"left": func(t *testing.T, w *crmtest.World) error {
			return w.RemoveEmployee(t.Context(), w.Operator, crmtest.CompanyID, user)
		},
		"disabled": func(t *testing.T, w *crmtest.World) error {
			return w.HostUsers().SetEnabled(t.Context(), "operator@test.test", false)
		},
		"lost the licence": change(crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{{LicenseID: crmtest.OtherLicenseID}}}),
		"was an admin": func(t *testing.T, w *crmtest.World) error {
			if err := change(crm.EmployeeChanges{Role: &admin})(t, w); err != nil {
				return err
			}
			return change(crm.EmployeeChanges{Role: &operator})(t, w)
		},
	} {
		t.Run(what, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := crmtest.New(t, store)
				chat, others := withParts(t, w, "1", user), withParts(t, w, "2", 688)
				mark := w.Mark(t)
				if err := do(t, w); err != nil {
					t.Fatal(err)
				}
				if mine, theirs := parts(t, w, chat), parts(t, w, others); mine != 0 || theirs != 4 {
					t.Errorf("there are %d parts left, and %d of a colleague", mine, theirs)
				}
				got := names(w.EventsAfter(t, mark, "chatAccomplice", "chatAuditor", "chatProducer", "chatResponsible"))
				if want := []string{"chatAccomplice", "chatAuditor", "chatProducer", "chatResponsible"}; !slices.Equal(got, want) {
					t.Errorf("events %v, want %v", got, want)
				}
				_, err := w.AddAuditor(t.Context(), w.Owner, at(chat), crm.Value[int64](user))
				if err == nil {
					t.Error("they can be given a part again")
				}
			})
		})
	}
}

// TestWhoSeesOnlyTheirChatsKeepsThem checks that what makes a chat theirs stays.
func TestWhoSeesOnlyTheirChatsKeepsThem(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		chat := withParts(t, w, "1", 687)
		if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 687, crm.EmployeeChanges{OnlyMine: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		if n := parts(t, w, chat); n != 4 {
			t.Errorf("they have %d parts left", n)
		}
	})
}

// TestLosingManyChats takes a licence with more chats than one transaction changes.
func TestLosingManyChats(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var chats []models.Chat
		for i := range 210 {
			chats = append(chats, putChat(t, w, "telegram", fmt.Sprint(i), ofUser(687)))
		}
		if _, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 687, crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{}}); err != nil {
			t.Fatal(err)
		}
		for _, chat := range chats {
			if n := parts(t, w, chat); n != 0 {
				t.Fatalf("chat %s has %d parts left", chat.ExternalID, n)
			}
		}
		if n := len(w.Events(t, "chatResponsible")); n != len(chats) {
			t.Errorf("%d events, want %d", n, len(chats))
		}
	})
}

// TestPartsMakeAChatTheirs makes an operator who sees only their own chats an accomplice or
// auditor of another's. They see it everywhere, until the part is taken away.
func TestPartsMakeAChatTheirs(t *testing.T) {
	for _, part := range []string{models.PartAccomplice, models.PartAuditor} {
		t.Run(part, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := crmtest.New(t, store)
				ingest(t, w, crm.InboundBatch{
					Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Anna"}},
					Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hello", crmtest.Start)},
				})
				on, me := chatAt(onGr, anna), crm.Value(w.OnlyMine.UserID)
				if _, err := w.SetResponsible(t.Context(), w.Owner, on, crm.Value[int64](687)); err != nil {
					t.Fatal(err)
				}
				add, remove := w.AddAccomplice, w.RemoveAccomplice
				if part == models.PartAuditor {
					add, remove = w.AddAuditor, w.RemoveAuditor
				}
				own := channels.CompanyUserName(crmtest.CompanyID, w.OnlyMine.UserID)
				wantSeen(t, w, "before", 0)
				for _, step := range []struct {
					what string
					do   func() error
					seen int
				}{
					{"added", func() error { _, err := add(t.Context(), w.Owner, on, me); return err }, 1},
					{"removed", func() error { _, err := remove(t.Context(), w.Owner, on, w.OnlyMine.UserID); return err }, 0},
				} {
					mark := w.Mark(t)
					if err := step.do(); err != nil {
						t.Fatal(err)
					}
					if events := w.EventsAfter(t, mark); len(events) != 1 || !slices.Contains(events[0].Channels, own) {
						t.Errorf("%s: they are not told: %+v", step.what, events)
					}
					wantSeen(t, w, step.what, step.seen)
					mark = w.Mark(t)
					ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{fromCustomer(step.what, anna, "More", crmtest.Start)}})
					if events := w.EventsAfter(t, mark); slices.Contains(events[0].Channels, own) != (step.seen == 1) {
						t.Errorf("%s: a message goes to %v", step.what, events[0].Channels)
					}
				}
			})
		})
	}
}

// wantSeen checks where the only-mine operator sees Anna's chat: in lists, searches, on its
// own, as a place to write to, and in the journal.
func wantSeen(t *testing.T, w *crmtest.World, what string, want int) {
	t.Helper()
	ctx, on := t.Context(), chatAt(onGr, anna)
	if _, err := w.Journal.Number(ctx, 100); err != nil {
		t.Fatal(err)
	}
	chats, err1 := w.Chats(ctx, w.OnlyMine, onGr, crm.ChatQuery{})
	all, err2 := w.AllChats(ctx, w.OnlyMine, crm.ChatQuery{Search: "Anna"})
	people, err3 := w.Contacts(ctx, w.OnlyMine, onGr, crm.PageQuery{}, "")
	found, err4 := w.SearchMessages(ctx, w.OnlyMine, onGr, crm.SearchQuery{Search: "hello"})
	events, err5 := w.Service.Events(ctx, w.OnlyMine, crm.EventsQuery{Channel: channels.CompanyUserName(crmtest.CompanyID, w.OnlyMine.UserID), Limit: 100})
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatal(err)
		}
	}
	said := 0
	for _, e := range events.Items {
		if e.Event == "message" {
			said = 1
		}
	}
	got := []int{len(chats.Items), len(all.Items), len(people.Items), len(found.Items), said}
	for _, do := range []func() error{
		func() error { _, err := w.Chat(ctx, w.OnlyMine, on); return err },
		func() error { _, err := w.Messages(ctx, w.OnlyMine, on, crm.MessageQuery{}); return err },
		func() error { _, err := w.MarkRead(ctx, w.OnlyMine, on); return err },
	} {
		n := 1
		if err := do(); err != nil {
			wantCode(t, what, err, crm.CodeNotFound, "")
			n = 0
		}
		got = append(got, n)
	}
	if slices.ContainsFunc(got, func(n int) bool { return n != want }) {
		t.Errorf("%s: lists, search, people, found, journal, chat, history, read: %v, want %d everywhere", what, got, want)
	}
}
