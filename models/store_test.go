package models_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

func TestReadChangesNothingOnSQLite(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	if err := store.Read(t.Context()).AppendJournal(entry("a", oneChannel)); err == nil {
		t.Error("a read has written")
	}
}

// TestSQLiteIsPrivate checks all files of a new database in a folder that others may
// read.
func TestSQLiteIsPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	store := testdb.Open(t, "sqlite:"+filepath.Join(dir, "chatcast.db"))
	if err := errors.Join(store.Lock(t.Context()), store.Migrate(t.Context())); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 { // the database, its log, the lock
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, want -rw-------", f.Name(), info.Mode())
		}
	}
}

func TestLock(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		first, second := testdb.Open(t, url), testdb.Open(t, url)
		if err := first.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := second.Lock(t.Context()); !errors.Is(err, models.ErrLocked) {
			t.Errorf("the second lock: %v, want ErrLocked", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if err := second.Lock(t.Context()); err != nil {
			t.Errorf("after the first has gone: %v", err)
		}
	})
}

func TestSettings(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if _, err := store.Read(t.Context()).Setting("secret"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a setting that is not there: %v", err)
		}
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			if got, err := tx.EnsureSetting("secret", "first"); err != nil || got != "first" {
				t.Errorf("EnsureSetting = %q, %v", got, err)
			}
			if got, err := tx.EnsureSetting("secret", "second"); err != nil || got != "first" {
				t.Errorf("EnsureSetting again = %q, %v; want what is there", got, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.Read(t.Context()).Setting("secret"); err != nil || got != "first" {
			t.Errorf("Setting = %q, %v", got, err)
		}
	})
}

// TestBackup copies a database while a transaction is open, beside a file that exists,
// and not at all on PostgreSQL.
func TestBackup(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		store, other := testdb.Open(t, url), testdb.Open(t, url)
		path := filepath.Join(t.TempDir(), "it's a copy.db")
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			if _, err := tx.EnsureSetting("committed", "yes"); err != nil {
				t.Fatal(err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = store.Tx(t.Context(), func(tx *models.Tx) error {
			if _, err := tx.EnsureSetting("uncommitted", "yes"); err != nil {
				t.Fatal(err)
			}
			err = other.Backup(t.Context(), path)
			return errors.New("roll back")
		})
		if strings.HasPrefix(url, "postgres") {
			if _, missing := os.Stat(path); !errors.Is(err, models.ErrNotSQLite) || missing == nil {
				t.Errorf("%v, %v", err, missing)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a file that exists: %v", err)
		}
		copied := testdb.Open(t, "sqlite:"+path)
		if got, err := copied.Read(t.Context()).Setting("committed"); err != nil || got != "yes" {
			t.Errorf("what was committed: %q, %v", got, err)
		}
		if _, err := copied.Read(t.Context()).Setting("uncommitted"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("what was not committed: %v", err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the mode is %v, %v", info.Mode(), err)
		}
		if err := other.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "copy.db")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a folder that does not exist: %v", err)
		}
	})
}
