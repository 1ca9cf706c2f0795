package models_test

import (
	"errors"
	"fmt"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// A database that has no room refuses changes by name, is not damaged, and goes on when
// there is room again.
func TestFullDatabase(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	fill := func() (n int, err error) {
		for ; n < 10_000; n++ {
			err = store.Tx(t.Context(), func(tx *models.Tx) error {
				return tx.AppendJournal(&models.JournalEntry{CompanyID: 1, Name: "message", Channels: "[]", Data: fmt.Sprintf("%4000d", n), CreatedAtMS: 1})
			})
			if err != nil {
				break
			}
		}
		return n, err
	}
	var pages int
	if err := store.Scan(t.Context(), &pages, "PRAGMA page_count"); err != nil {
		t.Fatal(err)
	}
	if err := store.Exec(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+20)); err != nil {
		t.Fatal(err)
	}
	stored, err := fill()
	if models.TroubleOf(err) != models.TroubleFull {
		t.Fatalf("after %d entries: %v", stored, err)
	}
	if n := store.Troubled()[models.TroubleFull]; n != 1 {
		t.Errorf("%d troubles are counted", n)
	}
	var check string
	var entries int
	err = errors.Join(store.Scan(t.Context(), &check, "PRAGMA integrity_check"), store.Scan(t.Context(), &entries, "SELECT COUNT(*) FROM journal"))
	if err != nil || check != "ok" || entries != stored {
		t.Errorf("%d entries of %d, integrity %q, %v", entries, stored, check, err)
	}
	if err := store.Exec(t.Context(), "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := store.ProbeWrite(t.Context()); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// A connection to a server that has become a standby is not used again: the next one may
// lead to the server that takes changes.
func TestStandbyIsLeft(t *testing.T) {
	store := testdb.Open(t, testdb.PostgresURL(t))
	// All connections are those of a standby from now on, as after a failover.
	err := store.Tx(t.Context(), func(tx *models.Tx) error {
		var is string
		return tx.Scan(&is, "SELECT set_config('default_transaction_read_only', 'on', false)")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.ProbeWrite(t.Context()); models.TroubleOf(err) != models.TroubleReadOnly {
		t.Fatalf("on the standby: %v", err)
	}
	if n := store.Troubled()[models.TroubleReadOnly]; n != 1 {
		t.Errorf("%d troubles are counted", n)
	}
	if err := store.ProbeWrite(t.Context()); err != nil {
		t.Errorf("after the failover: %v", err)
	}
}

// Errors about what was asked are no trouble of the database.
func TestTroubles(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for name, ask := range map[string]func(tx *models.Tx) error{
			"a missing row": func(tx *models.Tx) error { _, err := tx.Setting("none"); return err },
			"a duplicate": func(tx *models.Tx) error {
				const insert = "INSERT INTO settings (name, value) VALUES ('x', '1') RETURNING name"
				var name string
				return errors.Join(tx.Scan(&name, insert), tx.Scan(&name, insert))
			},
		} {
			if err := store.Tx(t.Context(), ask); err == nil || models.TroubleOf(err) != "" {
				t.Errorf("%s: %v is %q", name, err, models.TroubleOf(err))
			}
		}
		for why, n := range store.Troubled() {
			if n != 0 {
				t.Errorf("%d of %s are counted", n, why)
			}
		}
	})
}
