package crm_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// changeBeside runs a statement on the database without the models.
func changeBeside(t *testing.T, store *models.Store, sql string) {
	t.Helper()
	db, _, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), sql); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestSweepEndsStrayParts finds parts that an earlier version, or a process that was killed,
// has left. One round of the sweep is enough, and those after it look at no chat.
func TestSweepEndsStrayParts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		sweep := func(what string, stray models.Chat, left int) {
			t.Helper()
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := parts(t, w, stray); n != left {
				t.Errorf("%s: the stray has %d parts, want %d", what, n, left)
			}
		}
		stray, other := withParts(t, w, "1", 690), withParts(t, w, "2", 687) // 690 has no licence
		sweep("nothing is noted", stray, 4)
		w.Tx(t, func(tx *models.Tx) error {
			return errors.Join(tx.AddLostParts(crmtest.CompanyID, 690), tx.AddLostParts(crmtest.CompanyID, 687), tx.AddLostParts(1, 2))
		})
		sweep("a process was killed", stray, 0)
		again := withParts(t, w, "3", 690)
		sweep("nothing is noted any more", again, 4)
		changeBeside(t, store, "UPDATE parts_state SET unchecked = (SELECT MAX(id) FROM chats)")
		sweep("an earlier version", again, 0)
		sweep("all is looked through", withParts(t, w, "4", 690), 4)
		if kept := parts(t, w, other); kept != 4 {
			t.Errorf("a colleague has %d parts", kept)
		}
		if n := len(w.Events(t)); n != 8 {
			t.Errorf("%d events, want 8", n)
		}
	})
}

// TestLosingManyChatsIsNoted takes rights from users with more chats than one transaction
// changes, while the next one fails. The sweep goes on there.
func TestLosingManyChatsIsNoted(t *testing.T) {
	for name, lose := range map[string]func(w *crmtest.World) error{
		"lost the licence": func(w *crmtest.World) error {
			_, err := w.ChangeEmployee(t.Context(), w.Owner, crmtest.CompanyID, 687, crm.EmployeeChanges{Licenses: &[]crm.LicenseRight{}})
			return err
		},
		"disabled": func(w *crmtest.World) error {
			return w.HostUsers().SetEnabled(t.Context(), "operator@test.test", false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := testdb.Open(t, testdb.SQLiteURL(t))
			w := crmtest.New(t, store)
			var last models.Chat
			for i := range 120 { // 100 in a transaction
				last = putChat(t, w, "telegram", fmt.Sprint(i), ofUser(687))
			}
			changeBeside(t, store, fmt.Sprintf("CREATE TRIGGER away BEFORE UPDATE ON chats WHEN old.id = %d BEGIN SELECT RAISE(ABORT, 'away'); END", last.ID))
			if err := lose(w); err == nil {
				t.Fatal("no error")
			}
			changeBeside(t, store, "DROP TRIGGER away")
			if n := parts(t, w, last); n != 1 {
				t.Fatalf("the last chat has %d parts", n)
			}
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := parts(t, w, last); n != 0 {
				t.Errorf("after the sweep the last chat has %d parts", n)
			}
		})
	}
}

// noFiles is a file store whose list of files cannot be read.
type noFiles struct{ crm.FileStore }

func (noFiles) Old(context.Context, time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errors.New("the files are away")) }
}

// TestSweepGoesOn lets one part of the sweep fail. The others are done all the same.
func TestSweepGoesOn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		files := w.Files
		stray := withParts(t, w, "1", 690)
		w.Tx(t, func(tx *models.Tx) error { return tx.AddLostParts(crmtest.CompanyID, 690) })
		w.Files = noFiles{files}
		if err := w.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "the files are away") {
			t.Errorf("without files: %v", err)
		}
		if n := parts(t, w, stray); n != 0 {
			t.Errorf("the stray has %d parts", n)
		}
		w.Files = files
		changeBeside(t, store, "DROP TABLE lost_parts")
		changeBeside(t, store, "DROP TABLE invitations")
		id := strings.Repeat("0", 32)
		path := filepath.Join(w.FilesDir, id[:2], id)
		old := time.Unix(crmtest.Start, 0).Add(-25 * time.Hour)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
		err := w.Sweep(t.Context())
		if err == nil || !strings.Contains(err.Error(), "lost_parts") || !strings.Contains(err.Error(), "invitations") {
			t.Errorf("without two tables: %v", err)
		}
		if left := stored(t, w); len(left) != 0 {
			t.Errorf("left are %v", left)
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
