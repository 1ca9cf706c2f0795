package crm_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

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

// TestSweepGoesOnBehindFailures lets more users fail than are read at once. Those behind them
// lose their parts all the same, and so do files behind one that cannot be deleted, and
// items of the outbox behind one that cannot fail.
func TestSweepGoesOnBehindFailures(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const many = 501
		stray := withParts(t, w, "1", 690)
		w.Tx(t, func(tx *models.Tx) error {
			for id := int64(1); id <= many; id++ { // before 690
				if err := tx.AddLostParts(crmtest.CompanyID, id); err != nil {
					return err
				}
			}
			return tx.AddLostParts(crmtest.CompanyID, 690)
		})
		changeBeside(t, store, "CREATE TABLE kept_parts (company_id BIGINT, user_id BIGINT, FOREIGN KEY (company_id, user_id) REFERENCES lost_parts (company_id, user_id))")
		changeBeside(t, store, "INSERT INTO kept_parts SELECT company_id, user_id FROM lost_parts WHERE user_id < 690")
		for i := range 3 {
			putFile(t, w, fmt.Sprint(i))
		}
		w.Files = oneKept{w.Files, strings.Repeat("0", 32)}
		if err := w.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "and 500 more") || !strings.Contains(err.Error(), "this file stays") {
			t.Errorf("the sweep: %v", err)
		}
		if n := parts(t, w, stray); n != 0 {
			t.Errorf("the stray behind them has %d parts", n)
		}
		if left := stored(t, w); len(left) != 1 {
			t.Errorf("left are %v", left)
		}

		sendText(t, w, anna, "a")
		sendText(t, w, anna, "b")
		changeBeside(t, store, "CREATE TABLE kept_items (id BIGINT REFERENCES outbox (id))")
		changeBeside(t, store, "INSERT INTO kept_items SELECT MIN(id) FROM outbox")
		w.Clock.Advance(2 * crm.DefaultSendWithin)
		if n, err := w.ExpireOutbox(t.Context()); n != 1 || err == nil {
			t.Errorf("%d items failed, %v", n, err)
		}
		if got := waiting(t, w); got != "message a" {
			t.Errorf("%q waits", got)
		}
		changeBeside(t, store, "DROP TABLE kept_items")
		if n, err := w.ExpireOutbox(t.Context()); n != 1 || err != nil {
			t.Errorf("then %d items failed, %v", n, err)
		}
	})
}

// putFile stores a file that no message has, of yesterday. Its id is of this digit.
func putFile(t *testing.T, w *crmtest.World, digit string) {
	t.Helper()
	id := strings.Repeat(digit, 32)
	path := filepath.Join(w.FilesDir, id[:2], id)
	old := time.Unix(crmtest.Start, 0).Add(-25 * time.Hour)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, old, old)); err != nil {
		t.Fatal(err)
	}
}

// oneKept is a file store that cannot delete one file.
type oneKept struct {
	crm.FileStore
	id string
}

func (s oneKept) Delete(ctx context.Context, id string) error {
	if id == s.id {
		return errors.New("this file stays")
	}
	return s.FileStore.Delete(ctx, id)
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
		putFile(t, w, "0")
		err := w.Sweep(t.Context())
		if err == nil || !strings.Contains(err.Error(), "lost_parts") || !strings.Contains(err.Error(), "invitations") {
			t.Errorf("without two tables: %v", err)
		}
		if left := stored(t, w); len(left) != 0 {
			t.Errorf("left are %v", left)
		}
	})
}
